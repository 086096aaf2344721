import type { Address } from './page-gate.ts';

const longestWaitMs = 10_000;
const mostWaiting = 64;

type Resolve = (host: string) => Promise<readonly Address[]>;

/**
 * Names of web pages and streams, looked up one at a time. The system's resolver takes a thread of libuv's pool for as
 * long as a server of names likes, and that lets two at most: without this a page that asks for names of a server that
 * never answers would keep the management server from being found, and so stay on the display whatever the playlist says.
 * The returned function rejects a name that had no turn, or no answer, in time.
 */
export function createNameLookup(lookup: Resolve, waitMs = longestWaitMs): Resolve {
  const asked = new Map<string, Promise<readonly Address[]>>();
  let turn: Promise<unknown> = Promise.resolve();

  const inTurn = (host: string): Promise<readonly Address[]> => {
    let isLate = false;
    const answer = turn.then(() => {
      // Nobody waits for it any more.
      if (isLate) throw new Error('no turn in time');
      return lookup(host);
    });
    // The next one has its turn when the thread is free, in time or not.
    turn = answer.catch(() => undefined);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        isLate = true;
        reject(new Error('no answer in time'));
      }, waitMs);
    });
    return Promise.race([answer, late]).finally(() => {
      clearTimeout(timer);
      asked.delete(host);
    });
  };

  return (host) => {
    const known = asked.get(host);
    if (known !== undefined) return known;
    if (asked.size >= mostWaiting) return Promise.reject(new Error('too many names'));
    const answer = inTurn(host);
    asked.set(host, answer);
    return answer;
  };
}
