import type { ProgramItem } from '../../electron/ipc/contract.ts';
import { drawBackdrop, leavesStrips } from './backdrop.ts';
import { beyondMs, endInTime, glanceEveryMs } from './length.ts';
import type { Medium, MediumEvents, Prepare } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';
import type { Glance } from './progress.ts';
import { patienceMs, progressJudge, streamPatienceMs } from './progress.ts';
import { goRound } from './round.ts';
import { giveVoice } from './sound.ts';

/** Where the bytes of a video come from. */
export interface Source {
  /** Rejects with a `Refusal` when no more will come; never resolves. */
  readonly failed: Promise<never>;
  /** Called at the reveal. */
  begin(): void;
  close(): void;
}

/** Words for MediaError codes 1 … 4 (HTML, MediaError). */
const errorWords = ['failed', 'aborted', 'load', 'decode', 'unsupported'];

function createVideo(item: ProgramItem): HTMLVideoElement {
  const video = document.createElement('video');
  video.className = `picture fit-${item.fit}`;
  // Silent until it is revealed.
  video.muted = true;
  video.defaultMuted = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.disableRemotePlayback = true;
  video.preload = 'auto';
  return video;
}

/** Resolves when the first frame has been handed to the compositor; the video stands still on it. */
function firstFrame(video: HTMLVideoElement, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    video.requestVideoFrameCallback(() => resolve());
    video.addEventListener('error', () => reject(new Refusal(errorWords[video.error?.code ?? 0] ?? 'failed')));
    video.addEventListener('loadeddata', () => {
      if (video.videoWidth === 0) reject(new Refusal('no-picture'));
    });
    signal.addEventListener('abort', () => reject(refusalOf(signal)));
  });
}

/** Follows a revealed video to its end; the returned function stops following. */
function follow(video: HTMLVideoElement, { durationSeconds, kind }: ProgramItem, events: MediumEvents): () => void {
  // How long a live stream is nobody knows, and that of a recorded one changes as it is read.
  const isStream = kind === 'stream';
  let presentedFrames = 0;
  let frameRequest = 0;
  let isTold = false;
  const presented = () => {
    if (!isTold) events.presented();
    isTold = true;
  };
  const onFrame = () => {
    presentedFrames += 1;
    presented();
    frameRequest = video.requestVideoFrameCallback(onFrame);
  };
  frameRequest = video.requestVideoFrameCallback(onFrame);
  const glance = (): Glance => ({
    atMs: performance.now(),
    mediaSeconds: video.currentTime,
    presentedFrames,
    decodedFrames: video.getVideoPlaybackQuality().totalVideoFrames,
  });
  const standsStill = progressJudge(glance(), isStream ? streamPatienceMs : patienceMs);
  const startMs = performance.now();
  const round = () => goRound(video, durationSeconds, startMs);
  round();
  const hasLength = durationSeconds === null && !isStream;
  const stop = () => {
    clearInterval(watch);
    video.cancelVideoFrameCallback(frameRequest);
    stopTimer();
  };
  const end = (tell: () => void) => {
    stop();
    tell();
  };
  const stopTimer = hasLength ? endInTime(video, startMs, end, events) : () => {};
  const watch = setInterval(() => {
    round();
    // The one frame of a still video was handed over before its reveal.
    if (presentedFrames === 0 && video.currentTime > 0) presented();
    if (!video.ended && standsStill(glance())) end(events.stalled);
  }, glanceEveryMs);
  video.addEventListener('ended', () => {
    presented();
    // With a time of its own it stands on its last frame until that is over.
    if (durationSeconds === null) end(() => events.elapsed(hasLength ? beyondMs(video, startMs) : 0));
  });
  video.addEventListener('error', () => end(events.stalled));
  return stop;
}

/** Lets the surface hold a video that gets its source from `open`, up to its first frame. */
export async function prepareOn(
  surface: HTMLElement,
  item: ProgramItem,
  signal: AbortSignal,
  open: (video: HTMLVideoElement) => Source,
): Promise<Medium> {
  if (signal.aborted) throw refusalOf(signal);
  const video = createVideo(item);
  let stopFollowing = () => {};
  let silence = () => {};
  let released = false;
  let backdrop: HTMLElement | null = null;
  surface.append(video);
  const source = open(video);
  const release = () => {
    if (released) return;
    released = true;
    stopFollowing();
    silence();
    video.pause();
    source.close();
    // Chromium gives the decoder back at this, not at the removal of the element.
    video.removeAttribute('src');
    video.load();
    video.remove();
    backdrop?.remove();
  };
  let events: MediumEvents | null = null;
  source.failed.catch(() => {
    // On the display already: it has nothing more to show.
    if (!released) events?.stalled();
  });
  try {
    await Promise.race([firstFrame(video, signal), source.failed]);
    if (signal.aborted) throw refusalOf(signal);
  } catch (thrown) {
    release();
    throw thrown;
  }
  const { videoWidth, videoHeight } = video;
  if (leavesStrips(item.fit, videoWidth / videoHeight, surface.clientWidth / surface.clientHeight)) {
    backdrop = drawBackdrop(video, videoWidth, videoHeight);
    surface.prepend(backdrop);
  }

  return {
    layer: 'surface',
    lost: source.failed,
    start(told) {
      events = told;
      source.begin();
      stopFollowing = follow(video, item, told);
      silence = giveVoice(video);
      video.play().catch(() => {
        // One that is over at once interrupts its own beginning.
        if (!released && !video.ended) told.stalled();
      });
    },
    release,
  } satisfies Medium;
}

/**
 * Loads a video until its first frame stands, invisible, on the surface.
 * Refuses with `load`, `decode`, `unsupported` or `no-picture`.
 */
export const prepareVideo: Prepare = (surface, item, signal) =>
  prepareOn(surface, item, signal, (video) => {
    video.src = item.source ?? '';
    return { failed: new Promise(() => {}), begin: () => {}, close: () => {} };
  });
