import type { RestReason } from '../cover.ts';

/** The value of a fact in the operator's overlay that is one of a few words. */
type StateWords = Readonly<Record<'starting' | 'registering' | 'playing' | 'standby' | 'trouble', string>>;

/**
 * Every word that the page shows, in one language. `{…}` is a place for a value; every language has the same ones.
 * Names of settings, codes and units stay as they are.
 */
export interface Words {
  /** For dates, times and numbers (BCP 47), always with Latin digits. */
  readonly locale: string;
  readonly starting: { readonly title: string; readonly detail: string };
  readonly registering: {
    readonly title: string;
    readonly asking: string;
    readonly askingDetail: string;
    readonly pin: string;
    readonly fingerprint: string;
    readonly steps: readonly [string, string, string];
    readonly scan: string;
    readonly validFor: string;
    readonly expired: string;
  };
  readonly standby: Readonly<Record<RestReason, string>>;
  /** Above the title of what is heard. */
  readonly nowPlaying: string;
  readonly trouble: { readonly title: string; readonly remedy: string; readonly code: string };
  readonly softwareKey: string;
  /** What the server says of the hardware identity: that it was verified, or why not. */
  readonly hardware: Readonly<Record<'verified' | 'none' | 'unknown-chip' | 'refused', string>>;
  readonly operator: {
    readonly title: string;
    readonly enter: string;
    readonly keys: string;
    readonly refused: string;
    readonly leaving: string;
    readonly status: string;
    readonly state: string;
    readonly states: StateWords;
    readonly since: string;
    readonly fault: string;
    readonly none: string;
    readonly identity: string;
    readonly fingerprint: string;
    readonly key: string;
    readonly protection: Readonly<Record<'tpm' | 'software' | 'none', string>>;
    readonly certificate: string;
    readonly until: string;
    readonly content: string;
    readonly now: string;
    readonly next: string;
    readonly items: string;
    readonly playlist: string;
    readonly network: string;
    readonly server: string;
    readonly contact: string;
    readonly address: string;
    readonly hardware: string;
    /** What stands behind the name above: the same as `hardware` of all screens, in fewer words. */
    readonly proof: Words['hardware'];
    readonly lastEvent: string;
    readonly lockout: string;
    readonly yes: string;
    readonly no: string;
    readonly storage: string;
    readonly used: string;
    readonly ofTotal: string;
    readonly free: string;
    readonly versions: string;
    readonly system: string;
  };
  /** Summary and remedy by error code; English has its words in main (`ipc/trouble.ts`), which are shown where none is here. */
  readonly troubles: Readonly<Record<string, readonly [summary: string, remedy: string]>>;
}
