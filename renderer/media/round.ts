/** A round that is shorter than this is not begun: the clip would begin anew just before it is taken away. */
const shortestRoundMs = 400;

/** Lets a medium go round while its time lasts; to be called now and then. Without a time it plays once. */
export function goRound(medium: HTMLMediaElement, durationSeconds: number | null, startMs: number): void {
  if (durationSeconds === null) return;
  const leftMs = durationSeconds * 1000 - (performance.now() - startMs);
  medium.loop = leftMs > (medium.duration - medium.currentTime) * 1000 + shortestRoundMs;
}
