/** How long an answer may be awaited. */

/** What is not done in time, as opposed to what was answered with nothing. */
export const late = Symbol('late');

export async function within<T>(ms: number, work: Promise<T>): Promise<T | typeof late> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<typeof late>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}

const usualStepMs = 250;

/**
 * Whether there is an answer in time. A machine that does not let this process or the other one run is to blame for the
 * silence, not the other: such time does not count.
 *
 * @param waitedMs milliseconds for which the other one has been ready to run and no processor was free for it, in its life
 * @param stepMs counted as one step of the time, however long this process itself was kept from running in it
 */
export async function answersWithin(
  ms: number,
  answer: Promise<unknown>,
  waitedMs: () => number,
  stepMs = usualStepMs,
): Promise<boolean> {
  for (let silentMs = 0; silentMs < ms; ) {
    const beforeMs = waitedMs();
    if ((await within(stepMs, answer)) !== late) return true;
    silentMs += Math.max(0, stepMs - Math.max(0, waitedMs() - beforeMs));
  }
  return false;
}
