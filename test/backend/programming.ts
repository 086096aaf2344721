/** The playlist document of a screen and its validator. */
import type { PlaylistContent } from './playlists.ts';
import { digestOf } from './secret.ts';
import type { ScreenRecord, StateFile } from './state-file.ts';

/** A screen fetches again no later than this after its deadline was set. */
const deadlineMs = 300_000;

export interface PlaylistReply {
  readonly etag: string;
  readonly body: string;
}

export class Programming {
  readonly #file: StateFile;
  readonly #now: () => number;
  readonly #deadlines = new Map<string, number>();
  #content: PlaylistContent;

  constructor(file: StateFile, now: () => number, content: PlaylistContent) {
    this.#file = file;
    this.#now = now;
    this.#content = content;
    this.replace(content);
  }

  get version(): number {
    return this.#file.state.playlist.version;
  }

  /** Give every screen this content; the version grows when it differs from before, also across restarts. */
  replace(content: PlaylistContent): void {
    this.#content = content;
    const digest = digestOf(JSON.stringify(content));
    if (digest === this.#file.state.playlist.digest) return;
    this.#file.state.playlist = { version: this.version + 1, digest };
    this.#file.save();
  }

  /**
   * The document for a screen. The validator covers everything except `now`, which is the time of the reply:
   * all that a player keeps of the document is unchanged exactly when the validator is.
   */
  reply(screen: ScreenRecord): PlaylistReply {
    const nowMs = this.#now();
    if ('rawBody' in this.#content) {
      return { etag: tagOf(this.#content.rawBody), body: this.#content.rawBody };
    }
    const document = {
      deadline: new Date(this.#deadline(screen.id, nowMs)).toISOString(),
      version: this.version,
      screen: {
        id: screen.id,
        name: screen.name,
        hostname: screen.hostname,
        timezone: screen.timezone,
        config: { display_rotate: 0, shuffle_playlist: false, audio_output: 'hdmi', play_history_enabled: true },
      },
      playlists: this.#content.playlists,
    };
    return {
      etag: tagOf(JSON.stringify(document)),
      body: JSON.stringify({ now: new Date(nowMs).toISOString(), ...document }),
    };
  }

  /** A deadline stays until it has passed, so that a reply in between can be 304. */
  #deadline(screenId: string, nowMs: number): number {
    const present = this.#deadlines.get(screenId) ?? 0;
    if (present > nowMs && present <= nowMs + deadlineMs) return present;
    this.#deadlines.set(screenId, nowMs + deadlineMs);
    return nowMs + deadlineMs;
  }
}

function tagOf(text: string): string {
  return `"${digestOf(text)}"`;
}

/** Whether an `If-None-Match` header names this validator (RFC 9110 §13.1.2: weak comparison). */
export function matchesTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
