/** The domain types of a checked playlist document. */

/** SHA-256 of a media file, 64 lower-case hex digits: its name in the cache. */
export type MediaHash = string & { readonly mediaHash: unique symbol };

/** A picture, clip or sound that is cached before it is played. */
export interface MediaAsset {
  readonly kind: 'image' | 'video' | 'audio';
  readonly id: string;
  /** As the server sent it, at most 4,096 characters: not yet fit for a screen. */
  readonly title: string;
  readonly url: string;
  /** Lower-case names; for exactly the origin of `url`. */
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: the digest of the downloaded bytes becomes the name. */
  readonly sha256: MediaHash | null;
  /** 32 lower-case hex digits. */
  readonly md5: string | null;
  readonly sizeBytes: number | null;
  readonly durationSeconds: number | null;
}

/** A page that is shown live and never cached. */
export interface WebAsset {
  readonly kind: 'web';
  readonly id: string;
  readonly title: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly durationSeconds: number | null;
  /** Further origins that its top frame may navigate to. */
  readonly allowedOrigins: readonly string[];
  /** Loaded anew after this time. */
  readonly refreshSeconds: number | null;
  /** 0.25 … 5. */
  readonly zoom: number;
  /** CSS pixels from its top, and CSS pixels a second on from there. */
  readonly scrollTop: number;
  readonly scrollSpeed: number;
  readonly sound: boolean;
}

/** A live or recorded HLS stream, never cached. */
export interface StreamAsset {
  readonly kind: 'stream';
  readonly id: string;
  readonly title: string;
  readonly url: string;
  /** Lower-case names; for exactly the origin of `url`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly durationSeconds: number | null;
  /** Further origins that its first playlist may be redirected to. */
  readonly allowedOrigins: readonly string[];
}

/** An asset that this version cannot show, kept so that it can be reported. */
export interface UnsupportedAsset {
  readonly kind: 'unsupported';
  readonly id: string;
  readonly title: string;
  /** `type`: a type that this version does not know; `status`: the server has not finished preparing it. */
  readonly reason: 'type' | 'status';
}

export type Asset = MediaAsset | WebAsset | StreamAsset | UnsupportedAsset;

export interface Item {
  /** Unique within the document. */
  readonly id: string;
  /** 0.1 … 86,400; overrides the asset's. */
  readonly durationSeconds: number | null;
  readonly asset: Asset;
}

/** How an item takes the place of the one before it. */
export const transitions = ['cut', 'fade', 'slide'] as const;
export type Transition = (typeof transitions)[number];

/** One of the document's playlists: when it plays and, in playing order, what. */
export interface PlaylistEntry {
  /** Unique within the document. */
  readonly id: string;
  readonly title: string;
  /** Source text, not yet parsed. */
  readonly predicate: string;
  readonly priority: boolean;
  readonly isEnabled: boolean;
  readonly transitions: Transition;
  readonly items: readonly Item[];
}

export interface Screen {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  /** IANA zone name that this runtime knows. */
  readonly timezone: string;
  readonly displayRotate: 0 | 90 | 180 | 270;
  readonly shufflePlaylist: boolean;
  readonly audioOutput: string | null;
  readonly playHistoryEnabled: boolean;
}

/** A whole document, every part of it checked. */
export interface Playlist {
  /** The server's clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Fetch again no later than this, Unix milliseconds. */
  readonly deadlineMs: number;
  readonly version: number;
  readonly screen: Screen;
  readonly playlists: readonly PlaylistEntry[];
}
