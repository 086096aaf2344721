/** Performs what playback decides: owns the two surfaces, the media on them and all waiting. */
import type { PlaybackReport, Program, ProgramItem } from '../../electron/ipc/contract.ts';
import type { Effect, Happening, Play, Playback, SurfaceId } from '../playback.ts';
import { idle, step } from '../playback.ts';
import { after } from '../timer.ts';
import { prepareImage } from './image.ts';
import type { Medium } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';
import { fadeAway, hide, layOver, uncover } from './surface.ts';
import { prepareVideo } from './video.ts';

/** How long an item may take to be prepared. */
const deadlineMs = 10_000;

/** What the rest of the page needs to know of the stage. */
export interface StageView {
  /** The surfaces fill the display; no screen is to be seen. */
  readonly covering: boolean;
  /** Nothing of the program can be shown at present. */
  readonly exhausted: boolean;
  readonly itemId: string | null;
}

export interface StagePorts {
  readonly surfaces: readonly [HTMLElement, HTMLElement];
  report(report: PlaybackReport): void;
  changed(view: StageView): void;
}

export interface Stage {
  /** Plays a program; `null` ends playing. A program with the same id changes nothing. */
  show(program: Program | null): void;
}

/** What one surface holds; a preparation counts from its beginning. */
interface Holding {
  readonly play: number;
  readonly abort: AbortController;
  medium: Medium | null;
  stopTimers: (() => void)[];
}

/** Prepares by kind; an abort counts at once, also where a decoder does not answer any more. */
function prepare(surface: HTMLElement, item: ProgramItem, signal: AbortSignal, urgent: boolean): Promise<Medium> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(refusalOf(signal)), { once: true });
  });
  const prepareKind = item.kind === 'video' ? prepareVideo : prepareImage;
  const prepared = prepareKind(surface, item, signal, urgent);
  return Promise.race([prepared, aborted]);
}

/** Builds the stage over two mounted elements. Failures of items become reports, never exceptions. */
export function createStage({ surfaces, report, changed }: StagePorts): Stage {
  const holdings: [Holding | null, Holding | null] = [null, null];
  let playback: Playback = idle;
  let covering = false;
  let cancelWait = () => {};

  const clear = (surface: SurfaceId, play?: number) => {
    const holding = holdings[surface];
    if (holding === null || (play !== undefined && holding.play !== play)) return;
    holdings[surface] = null;
    hide(surfaces[surface]);
    for (const stopTimer of holding.stopTimers) stopTimer();
    holding.abort.abort(new Refusal('discarded'));
    holding.medium?.release();
  };

  const startPreparing = ({ play, surface, item }: Play) => {
    clear(surface);
    const abort = new AbortController();
    const stopDeadline = after(deadlineMs, () => abort.abort(new Refusal('deadline')));
    const holding: Holding = { play, abort, medium: null, stopTimers: [stopDeadline] };
    holdings[surface] = holding;
    prepare(surfaces[surface], item, abort.signal, playback.shown === null).then(
      (medium) => {
        stopDeadline();
        if (holdings[surface] !== holding) return medium.release();
        holding.medium = medium;
        happen({ type: 'prepared', play });
      },
      (thrown: unknown) => {
        if (holdings[surface] !== holding) return;
        clear(surface);
        happen({ type: 'refused', play, reason: thrown instanceof Refusal ? thrown.reason : 'failed' });
      },
    );
  };

  const reveal = async ({ play, surface, item }: Play, outgoing: Play | null) => {
    const holding = holdings[surface];
    const other = surface === 0 ? 1 : 0;
    // With nothing beneath there is nothing to hold: a first picture comes at once.
    if (outgoing !== null || item.kind === 'video') await layOver(surfaces[surface], surfaces[other]);
    if (holding === null || holdings[surface] !== holding) return;
    const begun = new Promise<void>((resolve) => {
      const tellAndGoOn = (type: 'presented' | 'elapsed' | 'stalled') => () => {
        happen({ type, play });
        resolve();
      };
      holding.medium?.start({
        presented: tellAndGoOn('presented'),
        elapsed: tellAndGoOn('elapsed'),
        stalled: tellAndGoOn('stalled'),
      });
    });
    await Promise.all([uncover(surfaces[surface], item.transition), begun]);
    // The item before is let go only now, when frames of this one are on the display.
    if (outgoing !== null) clear(other, outgoing.play);
    if (playback.shown?.play === play) covering = true;
    happen({ type: 'settled', play });
  };

  const leave = async ({ play, surface }: Play) => {
    covering = false;
    tell();
    // Mid-reveal the item before still lies beneath; it must not come back.
    clear(surface === 0 ? 1 : 0);
    await fadeAway(surfaces[surface]);
    clear(surface, play);
  };

  const perform = (effect: Effect) => {
    switch (effect.type) {
      case 'prepare':
        startPreparing(effect.play);
        break;
      case 'discard':
        clear(effect.play.surface, effect.play.play);
        break;
      case 'reveal':
        void reveal(effect.play, effect.outgoing);
        break;
      case 'leave':
        void leave(effect.play);
        break;
      case 'limit': {
        const { play, surface } = effect.play;
        holdings[surface]?.stopTimers.push(after(effect.ms, () => happen({ type: 'elapsed', play })));
        break;
      }
      case 'wait':
        cancelWait();
        cancelWait = after(effect.ms, () => happen({ type: 'retry-due', retry: effect.retry }));
        break;
      case 'report':
        report(effect.report);
        break;
      default:
        effect satisfies never;
    }
  };

  const tell = () => {
    const { shown, emptyRounds } = playback;
    changed({ covering, exhausted: shown === null && emptyRounds > 0, itemId: shown?.item.itemId ?? null });
  };

  const happen = (happening: Happening) => {
    const { next, effects } = step(playback, happening);
    playback = next;
    for (const effect of effects) perform(effect);
    tell();
  };

  return { show: (program) => happen({ type: 'program-changed', program }) };
}
