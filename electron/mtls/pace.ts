import { PlayerError } from '../errors.ts';

/** A host that trickles for this long is given up; what has come is kept for the next try. */
const windowMs = 60_000;
const leastBytesPerSecond = 4_096;

/**
 * The chunks of a body, which must come at 4 KiB a second or more, measured over the time that was spent waiting for
 * them: a slow disk of ours is not the host's fault.
 * @param now monotonic milliseconds
 * @throws PlayerError CONNECTION_TIMEOUT, or what the body throws
 */
export async function* atPace(body: AsyncIterable<Uint8Array>, now: () => number): AsyncGenerator<Uint8Array> {
  let waitedMs = 0;
  let bytes = 0;
  let sinceMs = now();
  for await (const chunk of body) {
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
  }
}
