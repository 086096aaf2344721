import type { Heartbeat, PlayerBridge } from '../electron/ipc/contract.ts';

const everyMs = 250;

/**
 * Tells main every 250 ms that frames are being painted; a page that paints nothing stays silent, and main's watchdog
 * takes silence for a hang. The returned function ends it: the page's way to ask for a reload.
 */
export function startHeartbeat(
  bridge: PlayerBridge,
  items: () => Pick<Heartbeat, 'itemId' | 'preparingId'>,
): () => void {
  let frames = 0;
  let toldFrames = 0;
  let frameRequest = requestAnimationFrame(function count() {
    frames += 1;
    frameRequest = requestAnimationFrame(count);
  });
  const beat = setInterval(() => {
    if (frames === toldFrames) return;
    toldFrames = frames;
    // A beat that main refuses is a beat that main misses; it acts on that by itself.
    bridge.beat({ frames, ...items() }).catch(() => {});
  }, everyMs);
  return () => {
    clearInterval(beat);
    cancelAnimationFrame(frameRequest);
  };
}
