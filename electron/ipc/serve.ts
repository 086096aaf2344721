import type { IpcMain, IpcMainInvokeEvent } from 'electron';
import * as z from 'zod';
import { PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Invokes } from './contract.ts';

const playId = z.uuid();

/** One schema per request; a channel of the contract without one does not compile. */
const requests = {
  'player:snapshot': z.undefined(),
  'playback:resume': z.undefined(),
  'playback:report': z.strictObject({
    itemId: z.string().min(1).max(64),
    outcome: z.enum(['shown', 'failed', 'skipped']),
    reason: z.optional(z.string().regex(/^[a-z][a-z-]{0,31}$/)),
  }) as z.ZodType<Invokes['playback:report']['request']>,
  'heartbeat:beat': z.strictObject({
    frames: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    itemId: z.string().max(64).nullable(),
    preparingId: z.string().max(64).nullable(),
  }),
  'operator:enter': z.strictObject({ pin: z.string().regex(/^\d{4,12}$/) }),
  'view:prepare': z.strictObject({ playId, itemId: z.string().min(1).max(64) }),
  'view:reveal': z.strictObject({ playId }),
  'view:release': z.strictObject({ playId }),
  'view:veil': z.strictObject({ veiled: z.boolean() }),
} satisfies { [Channel in keyof Invokes]: z.ZodType<Invokes[Channel]['request']> };

export type Handlers = {
  readonly [Channel in keyof Invokes]: (
    request: Invokes[Channel]['request'],
    /** Web contents id of the page that asks: while one page takes the place of another there are two. */
    from: number,
  ) => Invokes[Channel]['reply'] | Promise<Invokes[Channel]['reply']>;
};

/** Where a message came from, as far as the check needs to know. */
export interface Sender {
  readonly contentsId: number;
  /** Address of the sending frame; `null` when the frame is already gone. */
  readonly frameUrl: string | null;
  readonly isTopFrame: boolean;
}

/** Only the top frame of `player://app` in our own window may speak. */
export function isPage(sender: Sender, pageContentsId: number | null): boolean {
  if (sender.contentsId !== pageContentsId || !sender.isTopFrame || sender.frameUrl === null) return false;
  if (!URL.canParse(sender.frameUrl)) return false;
  // Not `origin`: for an own scheme it is the string "null".
  const { protocol, host } = new URL(sender.frameUrl);
  return protocol === 'player:' && host === 'app';
}

/** Messages of one kind that a page may send at once and per second: many times what an honest one has to. */
const burst = 200;
const perSecond = 40;

/** Whether one more message is heard: a page that has been taken over must not fill the log or the processor. */
export function createAllowance(nowMs: () => number): () => boolean {
  let left = burst;
  let lastMs = nowMs();
  return () => {
    const atMs = nowMs();
    left = Math.min(burst, left + ((atMs - lastMs) / 1_000) * perSecond);
    lastMs = atMs;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

/**
 * Each kind has an allowance of its own: a round of items that fail at once must not keep the heartbeat, a web page, the
 * operator or what is shown at last from being heard.
 */
function kindOf(channel: keyof Invokes, [request]: readonly unknown[]): string {
  const isShown = channel === 'playback:report' && (request as { outcome?: unknown } | null)?.outcome === 'shown';
  return isShown ? `${channel} shown` : channel;
}

/**
 * Sender check → schema → handler, for every channel of the contract.
 * A refused message is logged and answered with a plain refusal that says nothing of the inside.
 */
export function serveIpc(
  ipcMain: IpcMain,
  handlers: Handlers,
  pageContentsIds: () => readonly number[],
  log: Log,
): void {
  const allowances = new Map<string, () => boolean>();
  const isAllowed = (kind: string) => {
    const allowed = allowances.get(kind) ?? createAllowance(() => performance.now());
    allowances.set(kind, allowed);
    return allowed();
  };
  const serve = <Channel extends keyof Invokes>(channel: Channel) => {
    ipcMain.handle(channel, async (event, ...args: unknown[]) => {
      const within = isAllowed(kindOf(channel, args));
      // One that is not heard would leave a web page on the display for ever; it only takes away what the page itself has.
      if (!within && channel !== 'view:release') throw new Error('refused');
      try {
        // Before anything is awaited: a frame that is gone by then cannot be asked any more.
        const sender = senderOf(event);
        if (!pageContentsIds().some((id) => isPage(sender, id)))
          throw new PlayerError('IPC_REFUSED', `${channel}: the sender is not the page`);
        return await handlers[channel](parseRequest(channel, args), sender.contentsId);
      } catch (thrown) {
        if (within) log.failure('ipc-refused', thrown, { reason: channel });
        throw new Error('refused');
      }
    });
  };
  for (const channel of Object.keys(requests) as (keyof Invokes)[]) serve(channel);
}

/** @throws PlayerError IPC_REFUSED unless `args` is one well-formed request */
export function parseRequest<Channel extends keyof Invokes>(
  channel: Channel,
  args: readonly unknown[],
): Invokes[Channel]['request'] {
  const result = args.length > 1 ? undefined : requests[channel].safeParse(args[0]);
  if (result?.success !== true) throw new PlayerError('IPC_REFUSED', `${channel}: the request is not as agreed`);
  return result.data as Invokes[Channel]['request'];
}

function senderOf(event: IpcMainInvokeEvent): Sender {
  const frame = event.senderFrame;
  return {
    contentsId: event.sender.id,
    frameUrl: frame?.url ?? null,
    isTopFrame: frame !== null && frame.parent === null,
  };
}
