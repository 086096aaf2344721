import type { ProgramItem } from '../../electron/ipc/contract.ts';

/** What a medium tells about itself from its reveal on; each at most once, and nothing after its release. */
export interface MediumEvents {
  /** A frame of it is on the display. */
  presented(): void;
  /**
   * It has played to its end, and was to have done so `beyondMs` ago. The time that its item gives it is watched by the
   * stage, not by the medium.
   */
  elapsed(beyondMs: number): void;
  /** It makes no progress; told no later than `lateMs` beyond its length where that is known. */
  stalled(): void;
}

/**
 * Where a medium is painted: on its surface, or by main in a view above the whole page. A view has no opacity: it comes
 * at `start`, goes at `release`, and what is revealed on a surface shows only once the view above it is gone.
 */
export type Layer = 'surface' | 'view';

/** An item that is decoded and waits, invisible, on its surface. */
export interface Medium {
  readonly layer: Layer;
  /** Rejects with a `Refusal` when it cannot be shown after all, though it was ready; never resolves. */
  readonly lost?: Promise<never>;
  /** Called once, at the moment of reveal. */
  start(events: MediumEvents): void;
  /**
   * Gives back decoder and memory and takes from the surface what it put there, nothing else: the next one may be there
   * already. May be called at any time, and again.
   */
  release(): void;
}

/**
 * Prepares an item on a surface up to its first frame.
 * Rejects with a `Refusal`; an aborted signal ends the preparation, which takes what is its own from the surface.
 */
export type Prepare = (
  surface: HTMLElement,
  item: ProgramItem,
  signal: AbortSignal,
  /** Nothing is on the stage: be quick rather than seamless. */
  urgent: boolean,
) => Promise<Medium>;

/** Why an item cannot be shown: a short word of a–z and hyphen, as playback reports carry it. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`item refused: ${reason}`, { cause });
    this.reason = reason;
  }
}

/** The refusal of an aborted preparation: the reason of the abort where it is one. */
export function refusalOf(signal: AbortSignal): Refusal {
  return signal.reason instanceof Refusal ? signal.reason : new Refusal('aborted', signal.reason);
}
