import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRefusals } from '../../../electron/cache/refusals.ts';
import { type ErrorCode, PlayerError } from '../../../electron/errors.ts';
import { OriginOf, picture, StoreBench, wanting } from '../../support/cache-store.ts';

/** Fetches that take so long and end with an error; says whether one was begun. */
function world() {
  const clock = { nowMs: 5_000_000 };
  const refusals = createRefusals(() => clock.nowMs);
  const tries = async (tookMs: number, code: ErrorCode = 'MEDIA_DIGEST', key = 'a') => {
    let isFetched = false;
    const bring = refusals.heed(key, new OriginOf(picture('a')), async (origin) => {
      clock.nowMs += 1_000_000; // It waits for its turn.
      await origin.fetch(0);
      isFetched = true;
      clock.nowMs += tookMs;
      throw new PlayerError(code, 'media: not this one');
    });
    const error = await bring.then(assert.fail, (thrown: PlayerError) => thrown);
    assert.equal(error.code, code);
    return isFetched ? 'fetched' : error.message;
  };
  return { clock, tries };
}

describe('what a server sends in the place of a file', () => {
  it('is not fetched again for nine times as long as it came, an hour at most', async () => {
    for (const [tookMs, pauseMs] of [
      [2_000, 18_000],
      [1_000_000, 3_600_000],
    ] as const) {
      const { clock, tries } = world();
      await tries(tookMs);
      clock.nowMs += pauseMs - 1;
      assert.equal(await tries(0), 'media: not this one: it is fetched again in 1 min');
      assert.equal(await tries(0, 'MEDIA_DIGEST', 'b'), 'fetched', 'another is');
    }
    const { clock, tries } = world();
    await tries(2_000);
    clock.nowMs += 18_000;
    assert.equal(await tries(0), 'fetched');
    assert.equal(await tries(0), 'fetched', 'what costs nothing is tried again at once');
  });

  it('is fetched at once where the clock was set back, and where another fault ended the download', async () => {
    const { clock, tries } = world();
    for (const code of ['CONNECTION_FAILED', 'STORE_FULL', 'MEDIA_LENGTH'] as const)
      for (let time = 0; time < 2; time++) assert.equal(await tries(60_000, code), 'fetched');
    await tries(60_000);
    clock.nowMs -= 1;
    assert.equal(await tries(0), 'fetched');
  });

  it('is remembered for the latest thousand files', async () => {
    const { clock, tries } = world();
    for (let file = 0; file <= 1_000; file++) {
      await tries(600_000, 'MEDIA_KIND', String(file));
      clock.nowMs -= 1_600_000;
    }
    clock.nowMs += 1_600_000;
    assert.match(await tries(0, 'MEDIA_KIND', '1'), /again in/);
    assert.equal(await tries(0, 'MEDIA_KIND', '0'), 'fetched');
  });

  it('is fetched at once from another address, or where the playlist wants it after all', async (t) => {
    const bench = await StoreBench.create(t);
    const store = await bench.open();
    const [good, bad] = [picture('aaaaaaaa'), picture('bbbbbbbb')];
    /** It comes for a minute. */
    class Slow extends OriginOf {
      override async fetch(...asked: Parameters<OriginOf['fetch']>) {
        const body = await super.fetch(...asked);
        const stream = (async function* () {
          bench.nowMs += 60_000;
          yield* body.stream;
        })();
        return { ...body, stream };
      }
    }
    const origin = new Slow(bad);
    const ensure = (more = {}) => store.ensure(wanting(good, { md5: null, ...more }), origin);
    for (let sync = 0; sync < 5; sync++) await assert.rejects(ensure(), { code: 'MEDIA_DIGEST' });
    assert.equal(origin.offsets.length, 1);
    bench.nowMs += 9 * 61_000;
    await assert.rejects(ensure(), { code: 'MEDIA_DIGEST' });
    assert.equal(origin.offsets.length, 2);
    await assert.rejects(ensure({ url: 'https://other.example/a' }), { code: 'MEDIA_DIGEST' });
    assert.equal(origin.offsets.length, 3);
    assert.equal((await store.ensure(wanting(bad, { md5: null }), origin)).sizeBytes, bad.length);
  });
});
