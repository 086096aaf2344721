/**
 * The border between main and the page. Types only: main, the preload and the
 * fake main of the UI tests are all typed by this file, and the page may import
 * nothing else of `electron/`.
 *
 * The page gets whole snapshots. No API address, file path, token, header,
 * certificate or native error text ever crosses.
 */

/** How a picture fills the display: all of it visible, all of the display covered, or both by stretching it. */
export type Fit = 'contain' | 'cover' | 'fill';

/** Degrees by which the picture is turned clockwise, because the display is mounted so. */
export type Rotation = 0 | 90 | 180 | 270;

/** Languages of the screens; each is a file of `renderer/languages/`. */
export type Language = 'en' | 'de' | 'fr' | 'es' | 'it' | 'pt' | 'nl' | 'pl' | 'ja' | 'ar';

/** How the player's own screens look, and how the whole picture is held. */
export interface Look {
  readonly language: Language;
  /** `auto` follows the desktop's preference. */
  readonly theme: 'dark' | 'light' | 'auto';
  readonly rotation: Rotation;
}

/** How loud content may be. */
export interface Sound {
  /** 0 … 1; content that brings a volume of its own is made softer by it. */
  readonly volume: number;
  readonly muted: boolean;
}

/** How an item takes the place of the one before it. */
export type Transition = 'cut' | 'fade' | 'slide';

/** What the page is asked to show. A `web` page is main's own view over the page; the page asks for it by item. */
export type ItemKind = 'image' | 'video' | 'audio' | 'stream' | 'web';

/** One item of the program, in playing order. */
export interface ProgramItem {
  /** The server's item id, at most 64 characters; unique within a program. */
  readonly itemId: string;
  readonly kind: ItemKind;
  /** `player://media/<sha256 hex>` for cached files, `player://stream/<id>/0` for streams, `null` for web pages. */
  readonly source: string | null;
  readonly title: string;
  /** Seconds on screen, 0.1 … 86,400; `null`: a video, sound or stream plays once to its end. */
  readonly durationSeconds: number | null;
  readonly fit: Fit;
  readonly transition: Transition;
}

/** What plays now; `programId` changes exactly when `items` does. */
export interface Program {
  readonly programId: string;
  readonly items: readonly ProgramItem[];
}

/**
 * What the server says of this device's hardware: verified with the maker and model of the TPM, or why not; `null`
 * where it does not ask.
 */
export type HardwareWord =
  | { readonly verified: true; readonly manufacturer: string; readonly model: string }
  | { readonly verified: false; readonly reason: 'none' | 'unknown-chip' | 'refused' }
  | null;

/** What the operator needs in order to claim the screen. */
export interface RegistrationCard {
  /** Six characters of A–Z 2–9 without I, O, 0 and 1. */
  readonly pin: string;
  /** First 16 hex digits of the SHA-256 of the device key's SubjectPublicKeyInfo. */
  readonly fingerprint: string;
  /** An https address that the QR code carries; the console's claim page. */
  readonly claimUrl: string;
  /** Unix milliseconds after which the PIN is no longer valid. */
  readonly expiresAtMs: number;
  readonly hardware: HardwareWord;
}

/** A fault in words for the operator: no secrets, no addresses, no native texts. */
export interface Trouble {
  /** A code of `electron/errors.ts`, for support. */
  readonly code: string;
  /** What is wrong, one sentence. */
  readonly summary: string;
  /** What to do about it, one sentence. */
  readonly remedy: string;
}

/** How the device key is held. `software` must be asked for by name in the settings and is always shown. */
export type KeyProtection = 'tpm' | 'software' | 'none';

interface SnapshotBase {
  /** Name that the operator gave the screen, `null` before registration. */
  readonly screenName: string | null;
  readonly hostname: string;
  readonly playerVersion: string;
  readonly keyProtection: KeyProtection;
  /** A fault that does not stop what is shown (for example: server not reachable), shown on operator screens only. */
  readonly notice: Trouble | null;
  readonly look: Look;
  readonly sound: Sound;
}

/** Everything that the page knows, as one value. */
export type Snapshot =
  | (SnapshotBase & { readonly state: 'starting' })
  | (SnapshotBase & { readonly state: 'registering'; readonly registration: RegistrationCard | null })
  | (SnapshotBase & { readonly state: 'playing'; readonly program: Program })
  | (SnapshotBase & {
      readonly state: 'standby';
      readonly reason: 'nothing-scheduled' | 'nothing-synced' | 'suspended';
    })
  | (SnapshotBase & { readonly state: 'trouble'; readonly trouble: Trouble });

/** What became of an item: on the display, could not be shown, or of a kind that this version does not show. */
export interface PlaybackReport {
  readonly itemId: string;
  readonly outcome: 'shown' | 'failed' | 'skipped';
  /** A short word for the log, such as `decode` or `deadline`; at most 32 characters of a–z and hyphen. */
  readonly reason?: string;
}

/** What a page that begins goes on with, because another one was there before it. */
export interface Resume {
  readonly itemId: string;
  /** Go on behind it: it was on the display when pages died. */
  readonly passOver: boolean;
  /** Milliseconds that it was on the display already. */
  readonly playedMs: number;
}

/** Sign of life: sent every 250 ms while frames are being painted. */
export interface Heartbeat {
  /** Frames painted since the page was loaded. */
  readonly frames: number;
  /** On the display. */
  readonly itemId: string | null;
  /** Being prepared: should the page die now, this item may be to blame. */
  readonly preparingId: string | null;
}

/** One showing of a web page. */
export interface ViewPlay {
  /** Drawn by the page for each showing: a late word about an earlier one is known by it. */
  readonly playId: string;
}

/** What became of a web page that was asked for; `failed` may also come while it is on the display. */
export interface ViewChange extends ViewPlay {
  readonly state: 'ready' | 'failed';
  /** Why it failed, as playback reports carry it. */
  readonly reason?: string;
}

/** What an operator on site is told after the PIN; SECURITY.md says why each of it. */
export interface Overview {
  readonly state: Snapshot['state'];
  /** Unix milliseconds, like all times here. */
  readonly startedAtMs: number;
  readonly fault: Trouble | null;
  /** First 16 hex digits, as on the registration card. */
  readonly fingerprint: string | null;
  readonly keyProtection: KeyProtection;
  readonly hardware: HardwareWord;
  readonly certificateUntilMs: number | null;
  /** The latest of the identity's journal: its event, and when. */
  readonly identityEvent: { readonly event: string; readonly atMs: number } | null;
  readonly tpm: { readonly maker: string; readonly firmware: string; readonly lockout: boolean } | null;
  /** Titles. */
  readonly now: string | null;
  readonly next: string | null;
  /** Items of the present program. */
  readonly items: number;
  readonly playlistVersion: number | null;
  /** Host of the management server, without a path. */
  readonly server: string;
  readonly lastAnswerAtMs: number | null;
  /** The device's own. */
  readonly addresses: readonly string[];
  readonly storeBytes: number | null;
  readonly budgetBytes: number;
  readonly freeBytes: number | null;
  readonly versions: Readonly<Record<'player' | 'electron' | 'chromium' | 'openssl' | 'system', string>>;
}

/** The operator's overlay; closed in a page that was just loaded. */
export type OperatorView =
  | { readonly state: 'closed' }
  /** A PIN is asked for; `attempts` counts those that were not accepted, whatever the reason. */
  | { readonly state: 'asking'; readonly leavesAtMs: number; readonly attempts: number }
  | { readonly state: 'open'; readonly leavesAtMs: number; readonly overview: Overview };

/** Requests of the page: channel → request and reply. */
export interface Invokes {
  'player:snapshot': { readonly request: undefined; readonly reply: Snapshot };
  'playback:resume': { readonly request: undefined; readonly reply: Resume | null };
  'playback:report': { readonly request: PlaybackReport; readonly reply: undefined };
  'heartbeat:beat': { readonly request: Heartbeat; readonly reply: undefined };
  /** 4 … 12 digits; the reply says nothing, and takes the same time whatever became of it. */
  'operator:enter': { readonly request: { readonly pin: string }; readonly reply: undefined };
  /** Load the page of an item and have it painted, out of sight; a `view:changed` tells the outcome. */
  'view:prepare': { readonly request: ViewPlay & { readonly itemId: string }; readonly reply: undefined };
  /** Raise a ready one over everything; answered when it is on the display, refused when it is gone. */
  'view:reveal': { readonly request: ViewPlay; readonly reply: undefined };
  /** Take it off the display, or give up preparing it; what the page itself shows is seen again. */
  'view:release': { readonly request: ViewPlay; readonly reply: undefined };
  /** While veiled, raised views are put out of sight: the page shows something over everything. */
  'view:veil': { readonly request: { readonly veiled: boolean }; readonly reply: undefined };
}

/** Pushes of main: channel → payload. */
export interface Pushes {
  'snapshot:changed': Snapshot;
  'operator:changed': OperatorView;
  'view:changed': ViewChange;
}

/** What the preload puts on `window.player`: one function per action. */
export interface PlayerBridge {
  snapshot(): Promise<Snapshot>;
  /** Calls back with every new snapshot; the returned function ends it. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void;
  resume(): Promise<Resume | null>;
  report(report: PlaybackReport): Promise<void>;
  beat(heartbeat: Heartbeat): Promise<void>;
  enterPin(entry: { readonly pin: string }): Promise<void>;
  /** Calls back with every change of the operator's overlay; the returned function ends it. */
  onOperator(listener: (view: OperatorView) => void): () => void;
  prepareView(play: ViewPlay & { readonly itemId: string }): Promise<void>;
  revealView(play: ViewPlay): Promise<void>;
  releaseView(play: ViewPlay): Promise<void>;
  veilViews(veil: { readonly veiled: boolean }): Promise<void>;
  /** Calls back with every change of a view; the returned function ends it. */
  onView(listener: (change: ViewChange) => void): () => void;
}
