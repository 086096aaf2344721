import { PlayerError } from '../errors.ts';

/** A host that trickles for this long is given up; what has come is kept for the next try. */
const windowMs = 60_000;
const leastBytesPerSecond = 4_096;

/** A body that brings nothing for so long gives way to those that wait for its turn. */
const patienceMs = 15_000;
const lookEveryMs = 1_000;

/** Downloads that wait for the turn of this one. */
export interface Others {
  wait(): boolean;
  /** The body stands still and others wait: end it, to go on with it after them. */
  giveWay(): void;
}

/**
 * The chunks of a body, which must come at 4 KiB a second or more, measured over the time that was spent waiting for
 * them: a slow disk of ours is not the host's fault.
 * @param now monotonic milliseconds
 * @param others `null`: nobody to give way to
 * @throws PlayerError CONNECTION_TIMEOUT, or what the body throws
 */
export async function* atPace(
  body: AsyncIterable<Uint8Array>,
  now: () => number,
  others: Others | null,
): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let bytes = 0;
  let sinceMs = now();
  let isWaiting = true;
  const look = () => {
    if (isWaiting && now() - sinceMs >= patienceMs && others?.wait() === true) others.giveWay();
  };
  const timer = others === null ? undefined : setInterval(look, lookEveryMs);
  try {
    for await (const chunk of body) {
      isWaiting = false;
      waitedMs += now() - sinceMs;
      bytes += chunk.length;
      if (waitedMs >= windowMs) {
        if (bytes < (waitedMs / 1_000) * leastBytesPerSecond)
          throw new PlayerError('CONNECTION_TIMEOUT', `media: ${bytes} bytes in ${Math.round(waitedMs / 1_000)} s`);
        waitedMs = 0;
        bytes = 0;
      }
      yield chunk;
      sinceMs = now();
      isWaiting = true;
    }
  } finally {
    clearInterval(timer);
  }
}
