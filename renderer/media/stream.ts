import type { ErrorData, default as Hls, HlsConfig } from 'hls.js';
import type { Prepare } from './medium.ts';
import { Refusal } from './medium.ts';
import { prepareOn, type Source } from './video.ts';

/** How far behind its newest picture a live stream that waits for its reveal may fall, in seconds. */
const staleAfterSeconds = 10;

/** A stream that does not begin is tried again in the next round; one that plays, a few times until it stalls. */
const policy = (maxNumRetry: number, maxLoadTimeMs: number) => {
  const retry = { maxNumRetry, retryDelayMs: 500, maxRetryDelayMs: 1_000 };
  return { default: { maxTimeToFirstByteMs: 9_000, maxLoadTimeMs, timeoutRetry: retry, errorRetry: retry } };
};

/** No worker (it would be a script from a blob), no subtitles, no copy protection, nothing that asks elsewhere. */
const config: Partial<HlsConfig> = {
  enableWorker: false,
  emeEnabled: false,
  enableWebVTT: false,
  enableIMSC1: false,
  enableCEA708Captions: false,
  renderTextTracksNatively: false,
  enableInterstitialPlayback: false,
  lowLatencyMode: false,
  // A picture of twice the display's points costs decoding and is not seen.
  capLevelToPlayerSize: true,
  // The first segments of a sign are seen from near: not the poorest picture.
  abrEwmaDefaultEstimate: 5_000_000,
  maxBufferLength: 12,
  maxMaxBufferLength: 30,
  backBufferLength: 10,
  manifestLoadPolicy: policy(0, 9_000),
  playlistLoadPolicy: policy(3, 9_000),
  fragLoadPolicy: policy(3, 60_000),
  keyLoadPolicy: policy(1, 9_000),
};

/** What main answers when there is nothing (`electron/shell/streams.ts`), as words. */
const words: Readonly<Record<number, string>> = {
  403: 'address-refused',
  404: 'http-status',
  413: 'too-large',
  415: 'not-a-stream',
  451: 'encrypted',
  504: 'timeout',
};

function refusalFrom({ type, details, response }: ErrorData): Refusal {
  const word = words[response?.code ?? 0];
  if (word !== undefined) return new Refusal(word);
  if (/TimeOut$/.test(details)) return new Refusal('timeout');
  if (/codec/i.test(details)) return new Refusal('unsupported');
  if (details === 'manifestParsingError' || details === 'levelParsingError') return new Refusal('not-a-stream');
  if (type === 'mediaError') return new Refusal('decode');
  return new Refusal(type === 'networkError' ? 'unreachable' : 'failed');
}

/** While a live stream waits it is kept near its newest picture, so that no old one is revealed. */
function keepFresh(hls: Hls, video: HTMLVideoElement): void {
  const newest = hls.liveSyncPosition;
  if (hls.latestLevelDetails?.live !== true || newest === null || !video.paused) return;
  if (newest - video.currentTime > staleAfterSeconds) video.currentTime = newest;
}

function open(library: typeof Hls, video: HTMLVideoElement, address: string): Source {
  const hls = new library(config);
  const failed = new Promise<never>((_resolve, reject) => {
    hls.on(library.Events.ERROR, (_event, data) => {
      if (data.fatal) reject(refusalFrom(data));
    });
  });
  const fresh = setInterval(() => keepFresh(hls, video), 2_000);
  hls.loadSource(address);
  hls.attachMedia(video);
  return {
    failed,
    begin: () => clearInterval(fresh),
    close: () => {
      clearInterval(fresh);
      hls.destroy();
    },
  };
}

/**
 * Loads an HLS stream until its first frame stands, invisible, on the surface. The page has no network: main answers
 * for `player://stream`. Refuses with main's reasons, `unsupported`, `decode` or `timeout`.
 */
export const prepareStream: Prepare = async (surface, item, signal) => {
  const { default: library } = await import('hls.js');
  return prepareOn(surface, item, signal, (video) => open(library, video, item.source ?? ''));
};
