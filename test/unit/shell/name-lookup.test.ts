import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createNameLookup } from '../../../electron/shell/name-lookup.ts';

const found = [{ address: '93.184.215.14', family: 4 }];

/** A resolver whose answers a test gives. */
function slow() {
  const running: { readonly host: string; answer(): void }[] = [];
  let most = 0;
  let now = 0;
  const lookup = (host: string) =>
    new Promise<typeof found>((resolve) => {
      now += 1;
      most = Math.max(most, now);
      running.push({
        host,
        answer: () => {
          now -= 1;
          resolve(found);
        },
      });
    });
  return { lookup, running, most: () => most };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('names of web pages', () => {
  it('take one thread at most, whatever a server of names does', async () => {
    const { lookup, running, most } = slow();
    const resolve = createNameLookup(lookup);
    const answers = ['a.example', 'b.example', 'c.example'].map(resolve);
    for (let at = 0; at < 3; at += 1) {
      await turns();
      assert.equal(running.length, at + 1);
      running[at]?.answer();
    }
    assert.deepEqual(await Promise.all(answers), [found, found, found]);
    assert.equal(most(), 1);
  });

  it('are given up when they have no answer or no turn in time, and are then not looked up any more', async () => {
    const { lookup, running } = slow();
    const resolve = createNameLookup(lookup, 20);
    const answers = ['never.example', 'behind.example'].map(resolve);
    for (const answer of answers) await assert.rejects(answer, /no answer in time/);
    assert.deepEqual(
      running.map(({ host }) => host),
      ['never.example'],
    );
    // The thread is still taken: it counts until it comes back.
    const next = resolve('next.example');
    running[0]?.answer();
    await turns();
    running[1]?.answer();
    assert.deepEqual(await next, found);
    assert.equal(running[1]?.host, 'next.example');
  });

  it('are asked for once by all who want the same, and refused when too many wait', async () => {
    const { lookup, running } = slow();
    const resolve = createNameLookup(lookup, 1_000);
    const same = [resolve('a.example'), resolve('a.example')];
    const others = Array.from({ length: 63 }, (_, at) => resolve(`${at}.example`));
    await assert.rejects(resolve('one-more.example'), /too many names/);
    for (let at = 0; at < 64; at += 1) {
      await turns();
      running[at]?.answer();
    }
    await Promise.all([...same, ...others]);
    assert.equal(running.length, 64);
  });

  it('that are not found leave the next one its turn', async () => {
    const resolve = createNameLookup(async (host) => {
      if (host === 'none.example') throw new Error('ENOTFOUND');
      return found;
    });
    const answers = [resolve('none.example'), resolve('a.example')] as const;
    await assert.rejects(answers[0], /ENOTFOUND/);
    assert.deepEqual(await answers[1], found);
  });
});
