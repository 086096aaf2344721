/** Performs what playback decides: owns the two surfaces, the media on them and all waiting. */
import type { ItemKind, PlaybackReport, Program, ProgramItem, Resume } from '../../electron/ipc/contract.ts';
import type { Effect, Happening, Play, Playback, SurfaceId } from '../playback.ts';
import { idle, lateMs, step } from '../playback.ts';
import { after } from '../timer.ts';
import { prepareAudio } from './audio.ts';
import { countsFrom, timeOf } from './clock.ts';
import { prepareImage } from './image.ts';
import type { Medium, Prepare } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';
import { prepareStream } from './stream.ts';
import { fadeAway, hide, layOver, transitionMs, uncover } from './surface.ts';
import { prepareVideo } from './video.ts';
import { prepareWeb } from './web.ts';

/** How long an item may take to be prepared. */
const deadlineMs = 10_000;

/** What the rest of the page needs to know of the stage. */
export interface StageView {
  /** The surfaces fill the display; no screen is to be seen. */
  readonly covering: boolean;
  /** Nothing of the program can be shown at present. */
  readonly exhausted: boolean;
  readonly itemId: string | null;
  /** What is not ready yet. */
  readonly preparingId: string | null;
}

export interface StagePorts {
  readonly surfaces: readonly [HTMLElement, HTMLElement];
  report(report: PlaybackReport): void;
  changed(view: StageView): void;
  /** What another page showed before this one. */
  readonly resume?: Resume | null;
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

const other = (surface: SurfaceId): SurfaceId => (surface === 0 ? 1 : 0);

const preparations: Readonly<Record<ItemKind, Prepare>> = {
  image: prepareImage,
  video: prepareVideo,
  audio: prepareAudio,
  stream: prepareStream,
  web: prepareWeb,
};

/** Prepares by kind; an abort counts at once, also where a decoder does not answer any more. */
function prepare(surface: HTMLElement, item: ProgramItem, signal: AbortSignal, urgent: boolean): Promise<Medium> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(refusalOf(signal)), { once: true });
  });
  const prepared = preparations[item.kind](surface, item, signal, urgent);
  return Promise.race([prepared, aborted]);
}

/** Builds the stage over two mounted elements. Failures of items become reports, never exceptions. */
export function createStage({ surfaces, report, changed, resume = null }: StagePorts): Stage {
  const holdings: [Holding | null, Holding | null] = [null, null];
  let playback: Playback = idle;
  let covering = false;
  let cancelWait = () => {};
  /** When the time of the shown item is up; `null`: when it has played to its end. */
  let dueMs: number | null = null;
  /** Since when the time of the shown item is up; `null`: it is not. */
  let upSinceMs: number | null = null;
  let resumed = resume;

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
    const first = playback.shown === null;
    const refused = (thrown: unknown) => {
      // Once it is revealed, its events tell what becomes of it.
      if (holdings[surface] !== holding || playback.upcoming?.play !== play) return;
      clear(surface);
      happen({ type: 'refused', play, reason: thrown instanceof Refusal ? thrown.reason : 'failed' });
    };
    prepare(surfaces[surface], item, abort.signal, first).then(async (medium) => {
      if (holdings[surface] !== holding) return medium.release();
      holding.medium = medium;
      medium.lost?.catch(refused);
      // With nothing beneath there is nothing to hold: a first picture comes at once.
      if (!first || item.kind === 'video' || item.kind === 'stream')
        await layOver(surfaces[surface], surfaces[other(surface)]);
      if (holdings[surface] !== holding) return;
      // Beneath a view it may be seen at once: should the view be gone of a sudden, this is there and not the empty stage.
      if (holdings[other(surface)]?.medium?.layer === 'view') surfaces[surface].style.opacity = '1';
      stopDeadline();
      happen({ type: 'prepared', play });
    }, refused);
  };

  /** Lets an item's time run, beginning at the moment at which it was due. */
  const startClock = (timeMs: number | null, elapsed: (beyondMs: number) => void) => {
    const nowMs = performance.now();
    dueMs = timeMs === null ? null : countsFrom(dueMs, nowMs, timeMs) + timeMs;
    if (dueMs === null) return () => {};
    const endMs = dueMs;
    return after(endMs - nowMs, () => elapsed(performance.now() - endMs));
  };

  const reveal = async ({ play, surface, item }: Play, outgoing: Play | null) => {
    const holding = holdings[surface];
    const medium = holding?.medium;
    if (!holding || !medium) return;
    const beneath = holdings[other(surface)]?.medium;
    const timeMs = timeOf(item.kind, item.durationSeconds);
    const beyondMs = upSinceMs === null ? 0 : performance.now() - upSinceMs;
    upSinceMs = null;
    const begun = new Promise<void>((resolve) => {
      const goOn = (happening: Happening) => {
        if (holdings[surface] === holding) happen(happening);
        resolve();
      };
      const end = (type: 'elapsed' | 'stalled', agoMs: number) => {
        // A page that stood still itself, as the machine slept, does not take the next item's chance from it.
        const beyondMs = Math.min(agoMs, lateMs);
        if (playback.shown?.play === play) upSinceMs ??= performance.now() - beyondMs;
        goOn({ type, play, beyondMs });
      };
      const elapsed = (beyondMs: number) => end('elapsed', beyondMs);
      holding.stopTimers.push(startClock(timeMs, elapsed));
      medium.start({
        presented: () => goOn({ type: 'presented', play }),
        elapsed,
        stalled: () => end('stalled', lateMs),
      });
    });
    const transition = medium.layer === 'view' || beneath?.layer === 'view' ? 'cut' : item.transition;
    const letGo = () => {
      if (outgoing !== null) clear(other(surface), outgoing.play);
    };
    // What stands prepared beneath a page is seen when that goes, whether or not it moves.
    if (medium.layer === 'surface' && beneath?.layer === 'view')
      holding.stopTimers.push(after(transitionMs(null, beyondMs), letGo));
    const lengthMs = transitionMs(timeMs, beyondMs);
    await Promise.all([uncover(surfaces[surface], surfaces[other(surface)], transition, lengthMs), begun]);
    // The item before is let go only now, when frames of this one are on the display.
    letGo();
    if (playback.shown?.play === play) covering = true;
    happen({ type: 'settled', play });
  };

  const leave = async ({ play, surface }: Play) => {
    covering = false;
    tell();
    // Mid-reveal the item before still lies beneath, and must not come back; what is prepared there is waited for.
    if (holdings[other(surface)]?.play !== playback.upcoming?.play) clear(other(surface));
    dueMs = null;
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
      case 'remind': {
        const { play, surface } = effect.play;
        const { ms, of: type } = effect;
        holdings[surface]?.stopTimers.push(after(ms, () => happen({ type, play })));
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
    const { shown, upcoming, emptyRounds } = playback;
    changed({
      covering,
      exhausted: shown === null && emptyRounds > 0,
      itemId: shown?.item.itemId ?? null,
      preparingId: upcoming?.phase === 'preparing' ? upcoming.item.itemId : null,
    });
  };

  const happen = (happening: Happening) => {
    const { next, effects } = step(playback, happening);
    playback = next;
    for (const effect of effects) perform(effect);
    tell();
  };

  return {
    show: (program) => {
      const from = program === null ? null : resumed;
      if (program !== null) resumed = null;
      happen({ type: 'program-changed', program, ...(from === null ? {} : { from }) });
      if (from !== null && playback.upcoming?.item.itemId === from.itemId) dueMs = performance.now() - from.playedMs;
    },
  };
}
