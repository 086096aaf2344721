import type { Readable } from 'node:stream';
import { createParser } from 'eventsource-parser';
import { PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Longest event, and longest line of any kind, in characters. */
const largestEvent = 65_536;
const aboutTheScreen: ReadonlySet<number> = new Set([401, 403, 410]);
/** Request Timeout, Too Many Requests: the same request may go through later. */
const passing: ReadonlySet<number> = new Set([408, 429]);
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
  /** Something may have been said that was not heard, of the playlist or of the screen itself. */
  missed(): void;
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
        if (aboutTheScreen.has(status)) ports.missed();
        // Perhaps it refuses the id. Better to miss what was said meanwhile than to hear nothing ever again.
        else if (status >= 400 && status < 500 && !passing.has(status)) lastEventId = undefined;
        throw new PlayerError('SERVER_ERROR', `events: the server answered ${status}`, undefined, retryAfterMs);
      }
      wasOpen = true;
      ports.log.debug('events-connected', { attempt });
      // What was said while nobody listened may be lost: one fetch makes up for it.
      if (attempt > 0) ports.missed();
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
  const decoder = new TextDecoder();
  const tooLong = () => new PlayerError('SERVER_REPLY_TOO_LARGE', 'events: an event is longer than 64 KiB');
  const parser = createParser({
    // What it holds of an event that has no end yet, whatever comments came in between.
    maxBufferSize: largestEvent,
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw tooLong();
    },
    onEvent: ({ event, id, data }) => {
      // One that came whole, in a single chunk.
      if (data.length > largestEvent) throw tooLong();
      // An id that cannot be sent back as a header would make every later connection fail.
      seen(id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined);
      if (event === 'playlist' || event === 'certificate' || event === 'command') ports.take(event, data);
    },
  });
  // Whatever is thrown here ends the iteration, which destroys the body.
  for await (const chunk of body) parser.feed(decoder.decode(chunk as Buffer, { stream: true }));
}
