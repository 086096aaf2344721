import type { ProgramItem } from '../../electron/ipc/contract.ts';
import { painted } from '../timer.ts';
import { type Card, createCard } from './card.ts';
import { beyondMs, endInTime, glanceEveryMs } from './length.ts';
import type { Medium, MediumEvents, Prepare } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';
import { patienceMs, progressJudge } from './progress.ts';
import { goRound } from './round.ts';
import { giveVoice } from './sound.ts';

/** Words for MediaError codes 1 … 4 (HTML, MediaError). */
const errorWords = ['failed', 'aborted', 'load', 'decode', 'unsupported'];

function createAudio({ source }: ProgramItem): HTMLAudioElement {
  const audio = document.createElement('audio');
  // Silent until it is revealed.
  audio.muted = true;
  audio.defaultMuted = true;
  audio.preload = 'auto';
  audio.src = source ?? '';
  return audio;
}

/** Resolves when enough is decoded to begin. */
function canBegin(audio: HTMLAudioElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    audio.addEventListener('canplay', () => resolve());
    audio.addEventListener('error', () => reject(new Refusal(errorWords[audio.error?.code ?? 0] ?? 'failed')));
    signal.addEventListener('abort', () => reject(refusalOf(signal)));
  });
}

/** Follows a revealed sound to its end by its clock; the returned function stops following. */
function follow(audio: HTMLAudioElement, card: Card, durationSeconds: number | null, events: MediumEvents): () => void {
  const startMs = performance.now();
  const glance = () => ({
    ...{ atMs: performance.now(), mediaSeconds: audio.currentTime },
    ...{ presentedFrames: 0, decodedFrames: 0 },
  });
  const standsStill = progressJudge(glance(), patienceMs);
  const look = () => {
    goRound(audio, durationSeconds, startMs);
    card.tell(audio.currentTime, audio.duration);
    if (!audio.ended && standsStill(glance())) end(events.stalled);
  };
  const stop = () => {
    clearInterval(watch);
    stopTimer();
  };
  const end = (tell: () => void) => {
    stop();
    tell();
  };
  const stopTimer = durationSeconds === null ? endInTime(audio, startMs, end, events) : () => {};
  const watch = setInterval(look, glanceEveryMs);
  look();
  audio.addEventListener('ended', () => {
    if (durationSeconds === null) end(() => events.elapsed(beyondMs(audio, startMs)));
  });
  audio.addEventListener('error', () => end(events.stalled));
  return stop;
}

/** Loads a sound until it can begin, its card painted, invisible. Refuses with `load`, `decode` or `unsupported`. */
export const prepareAudio: Prepare = async (surface, item, signal, urgent) => {
  const audio = createAudio(item);
  const card = createCard(item.title);
  let stopFollowing = () => {};
  let silence = () => {};
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    stopFollowing();
    silence();
    card.close();
    audio.pause();
    audio.removeAttribute('src');
    audio.load();
    audio.remove();
    card.element.remove();
  };
  surface.append(card.element, audio);
  try {
    await canBegin(audio, signal);
    card.tell(0, audio.duration);
    if (!urgent) await painted();
    if (signal.aborted) throw refusalOf(signal);
  } catch (thrown) {
    release();
    throw thrown;
  }
  return {
    layer: 'surface',
    start(events) {
      stopFollowing = follow(audio, card, item.durationSeconds, events);
      silence = giveVoice(audio);
      audio.play().catch(() => {
        if (!released && !audio.ended) events.stalled();
      });
      void painted().then(() => {
        if (!released) events.presented();
      });
    },
    release,
  } satisfies Medium;
};
