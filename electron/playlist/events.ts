import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';

const largestEventBytes = 65_536;
/**
 * When a server restarts, the streams of all its screens end in the same instant. They come back as after so many
 * failures, that is within half a minute, and not all within the first second.
 */
const attemptAfterStream = 5;

export interface EventPorts {
  /** GET …/events; the body streams. `lastEventId` is sent as Last-Event-ID. */
  open(
    lastEventId: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: Readable; readonly retryAfterMs?: number | undefined }>;
  /** `playlist`: fetch now; `certificate`: renew now, with the data `rekey` for another key, with `roots` read the roots; `command`: not understood yet, reported. */
  take(event: 'playlist' | 'certificate' | 'command', data: string): void;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** The same, or until the server is known to be back. */
  waitForServer(ms: number, signal: AbortSignal): Promise<void>;
  backoff(attempt: number): number;
  readonly log: Log;
}

/**
 * Listen to the server's pushes (Server-Sent Events, HTML Standard §9.2) for ever,
 * reconnecting with back-off. A missed push costs nothing but the poll interval.
 * @throws when `signal` aborts
 */
export async function listenForEvents(ports: EventPorts, signal: AbortSignal): Promise<never> {
  let lastEventId: string | undefined;
  for (let attempt = 0; ; attempt++) {
    let askedMs = 0;
    let wasOpen = false;
    try {
      const { status, body, retryAfterMs } = await ports.open(lastEventId, signal);
      if (status !== 200) {
        body.destroy();
        // Refused or removed: the sync is told the same, and decides.
        if (status === 401 || status === 403 || status === 410) ports.take('playlist', '');
        throw new PlayerError('SERVER_ERROR', `events: the server answered ${status}`, undefined, retryAfterMs);
      }
      wasOpen = true;
      ports.log.debug('events-connected', { attempt });
      // What was said while nobody listened may be lost: one fetch makes up for it.
      if (attempt > 0) ports.take('playlist', '');
      await read(body, ports, (id) => {
        // An event without an id leaves the last one in force (HTML Standard §9.2.6).
        if (id !== undefined) lastEventId = id;
        attempt = 0;
      });
      throw new PlayerError('CONNECTION_FAILED', 'events: the server ended the stream');
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (thrown instanceof PlayerError) askedMs = thrown.retryAfterMs ?? 0;
      ports.log.debug('events-disconnected', { attempt, message: thrown instanceof Error ? thrown.message : '' });
    }
    if (wasOpen) attempt = Math.max(attempt, attemptAfterStream);
    const pauseMs = askedMs + ports.backoff(attempt);
    // What the server asked for is waited for, whatever else is known of it.
    await (askedMs > 0 ? ports.wait(pauseMs, signal) : ports.waitForServer(pauseMs, signal));
  }
}

async function read(body: Readable, ports: EventPorts, seen: (id: string | undefined) => void): Promise<void> {
  let sinceEventBytes = 0;
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: ({ event, id, data }) => {
      sinceEventBytes = 0;
      // An id that cannot be sent back as a header would make every later connection fail.
      seen(id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined);
      if (event === 'playlist' || event === 'certificate' || event === 'command') ports.take(event, data);
    },
    onComment: () => {
      sinceEventBytes = 0;
    },
  });
  for await (const chunk of body) {
    sinceEventBytes += (chunk as Buffer).length;
    if (sinceEventBytes > largestEventBytes) {
      body.destroy();
      throw new PlayerError('SERVER_REPLY_TOO_LARGE', 'events: an event is longer than 64 KiB');
    }
    parser.feed(decoder.decode(chunk as Buffer, { stream: true }));
  }
}
