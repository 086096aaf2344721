/** Server-Sent Events to screens, with a history for `Last-Event-ID`. */
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** Events kept for screens that reconnect. */
const historyLength = 100;
/** A comment line this often keeps the connection known to be alive. */
const heartbeatMs = 25_000;

interface HubEvent {
  readonly number: number;
  readonly name: string;
  readonly data: string;
  /** `null`: for every screen. */
  readonly screenId: string | null;
}

interface Listener {
  readonly screenId: string;
  readonly response: ServerResponse;
}

export class EventHub {
  /** Ids of an earlier start of the server must not be taken for ours. */
  readonly #epoch = randomBytes(4).toString('hex');
  readonly #listeners = new Set<Listener>();
  readonly #heartbeat: NodeJS.Timeout;
  #history: HubEvent[] = [];
  #lastNumber = 0;

  constructor() {
    this.#heartbeat = setInterval(() => {
      for (const { response } of this.#listeners) response.write(': heartbeat\n\n');
    }, heartbeatMs);
    this.#heartbeat.unref();
  }

  /**
   * Begin a stream.
   * @param lastEventId of the client; one that is not in the history is answered with a `playlist` event,
   *   because something may have been missed
   * @param version of the playlist, for that event
   */
  open(screenId: string, response: ServerResponse, lastEventId: string | undefined, version: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': connected\n\n');
    if (lastEventId !== undefined) {
      const missed = this.#since(lastEventId);
      if (missed === null) response.write(this.#format(this.#lastNumber, 'playlist', String(version)));
      for (const event of missed ?? []) {
        if (event.screenId === null || event.screenId === screenId) {
          response.write(this.#format(event.number, event.name, event.data));
        }
      }
    }
    const listener: Listener = { screenId, response };
    this.#listeners.add(listener);
    response.once('close', () => this.#listeners.delete(listener));
  }

  /** Send to one screen, or to all. @param data one line */
  send(name: string, data: string, screenId: string | null = null): void {
    this.#lastNumber += 1;
    const event: HubEvent = { number: this.#lastNumber, name, data, screenId };
    this.#history = [...this.#history.slice(1 - historyLength), event];
    for (const listener of this.#listeners) {
      const addressed = screenId === null || listener.screenId === screenId;
      if (addressed && !listener.response.writableEnded) {
        listener.response.write(this.#format(event.number, name, data));
      }
    }
  }

  /** Streams that are open now. */
  get openCount(): number {
    return this.#listeners.size;
  }

  /** End the streams of a screen, or all. */
  end(screenId?: string): void {
    for (const listener of this.#listeners) {
      if (screenId === undefined || listener.screenId === screenId) listener.response.end();
    }
  }

  /** End everything and stop the heartbeat. */
  close(): void {
    clearInterval(this.#heartbeat);
    this.end();
  }

  #since(lastEventId: string): readonly HubEvent[] | null {
    const [epoch, digits] = lastEventId.split('-');
    const number = Number(digits);
    const oldest = this.#history[0]?.number ?? this.#lastNumber + 1;
    if (epoch !== this.#epoch || !Number.isInteger(number) || number < oldest - 1 || number > this.#lastNumber) {
      return null;
    }
    return this.#history.filter((event) => event.number > number);
  }

  #format(number: number, name: string, data: string): string {
    return `id: ${this.#epoch}-${number}\nevent: ${name}\ndata: ${data}\n\n`;
  }
}
