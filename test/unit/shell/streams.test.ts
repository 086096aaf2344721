import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rewritePlaylist } from '../../../electron/sanitize/hls.ts';
import { StreamFault, type StreamReply, type StreamRequest } from '../../../electron/shell/stream-reply.ts';
import { createStreams, type StreamSource } from '../../../electron/shell/streams.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const id = 'ab'.repeat(16);
const source: StreamSource = {
  assetId: 'channel',
  url: 'https://tv.example/live.m3u8',
  headers: { authorization: 'Bearer secret' },
  allowedOrigins: ['https://allowed.example'],
};

type Answer = (request: StreamRequest) => Partial<StreamReply> & { readonly text?: string };

/** Streams over servers that a table of addresses stands for. */
function over(answers: Readonly<Record<string, Answer>>) {
  const asked: StreamRequest[] = [];
  const { log, lines } = recordedLog();
  const streams = createStreams({
    source: (wanted) => (wanted === id ? source : null),
    request: async (request) => {
      asked.push(request);
      const answer = answers[request.url];
      if (answer === undefined) throw new StreamFault('unreachable');
      const { text = '', ...reply } = answer(request);
      const body = (async function* () {
        yield new TextEncoder().encode(text);
      })();
      return { status: 200, location: null, body, destroy: () => undefined, ...reply };
    },
    rewrite: rewritePlaylist,
    mayAsk: (url) => url.startsWith('https:') && !url.startsWith('https://api.example'),
    log,
  });
  const ask = (place: number) => streams.answer(id, place, new AbortController().signal);
  return { streams, asked, lines, ask };
}

const playlist = (...addresses: string[]) =>
  ['#EXTM3U', '#EXT-X-TARGETDURATION:6', ...addresses.flatMap((one) => ['#EXTINF:6,', one]), ''].join('\n');

describe('streams', () => {
  it('answers 404 for a stream that is not in the program and for a number that no playlist gave', async () => {
    const { streams, ask, asked } = over({});
    assert.equal((await streams.answer('0'.repeat(32), 0, new AbortController().signal)).status, 404);
    assert.equal((await ask(1)).status, 404);
    assert.deepEqual(asked, []);
  });

  it('refuses a first playlist that is redirected off its origin, unless the item allows it', async () => {
    const to =
      (location: string): Answer =>
      () => ({ status: 302, location });
    const foreign = over({ [source.url]: to('https://cdn.example/live.m3u8') });
    assert.equal((await foreign.ask(0)).status, 403);
    assert.equal(foreign.asked.length, 1);
    assert.match(foreign.lines.join(), /"stream-failed","assetId":"channel","reason":"redirect"/);
    const allowed = over({
      [source.url]: to('https://allowed.example/live.m3u8'),
      'https://allowed.example/live.m3u8': () => ({ text: playlist('a.ts') }),
    });
    assert.equal((await allowed.ask(0)).status, 200);
    assert.deepEqual(
      allowed.asked.map(({ headers }) => headers),
      [source.headers, {}],
    );
  });

  it('ends what a page that gave a stream up still asks for, and tells of no failure', async () => {
    const aborted: string[] = [];
    const { log, lines } = recordedLog();
    const streams = createStreams({
      source: () => source,
      request: ({ url }, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(url);
            reject(new StreamFault('timeout'));
          });
        }),
      rewrite: rewritePlaylist,
      mayAsk: () => true,
      log,
    });
    const pending = streams.answer(id, 0, new AbortController().signal);
    streams.giveUp('0'.repeat(32));
    assert.deepEqual(aborted, []);
    streams.giveUp(id);
    assert.deepEqual(aborted, [source.url]);
    assert.equal((await pending).status, 504);
    const again = streams.answer(id, 0, new AbortController().signal);
    assert.equal(aborted.length, 1);
    streams.giveUp(id);
    assert.equal((await again).status, 504);
    assert.deepEqual(lines, []);
  });

  it('refuses redirects without end, to nowhere, and off https', async () => {
    for (const location of [source.url, 'http://tv.example/live.m3u8', 'file:///etc/passwd', 'https://api.example/']) {
      const { ask, asked } = over({ [source.url]: () => ({ status: 302, location }) });
      assert.equal((await ask(0)).status, 403, location);
      assert.ok(asked.length <= 6);
    }
  });

  it('sends the asset’s headers to its origin alone', async () => {
    const { ask, asked } = over({
      [source.url]: () => ({ text: playlist('own.ts', 'https://cdn.example/foreign.ts') }),
      'https://tv.example/own.ts': () => ({ text: 'own' }),
      'https://cdn.example/foreign.ts': () => ({ text: 'foreign' }),
    });
    await ask(0);
    assert.equal(await (await ask(1)).text(), 'own');
    assert.equal(await (await ask(2)).text(), 'foreign');
    assert.deepEqual(
      asked.map(({ headers }) => headers),
      [source.headers, source.headers, {}],
    );
  });

  it('gives an address the same number each time a live playlist names it', async () => {
    let round = 0;
    const { ask } = over({ [source.url]: () => ({ text: playlist(`${round}.ts`, `${++round}.ts`) }) });
    const first = await (await ask(0)).text();
    const second = await (await ask(0)).text();
    assert.match(first, /\/1\n[\s\S]*\/2\n$/);
    assert.match(second, /\/2\n[\s\S]*\/3\n$/);
  });

  it('refuses a part of a file from a server that sends all of it', async () => {
    const text = playlist('#EXT-X-BYTERANGE:3@1\na.ts');
    const part = (status: number) =>
      over({ [source.url]: () => ({ text }), 'https://tv.example/a.ts': () => ({ status, text: 'bcd' }) });
    const whole = part(200);
    await whole.ask(0);
    assert.equal((await whole.ask(1)).status, 404);
    const ranged = part(206);
    await ranged.ask(0);
    assert.equal(await (await ranged.ask(1)).text(), 'bcd');
    assert.equal(ranged.asked[1]?.headers['range'], 'bytes=1-3');
  });

  it('ends a playlist or a part that is longer than it may be', async () => {
    const long = over({ [source.url]: () => ({ text: `#EXTM3U\n${' '.repeat(5 * 2 ** 20)}` }) });
    assert.equal((await long.ask(0)).status, 413);
    const text = playlist('#EXT-X-BYTERANGE:3@1\na.ts');
    const part = over({
      [source.url]: () => ({ text }),
      'https://tv.example/a.ts': () => ({ status: 206, text: 'more than three' }),
    });
    await part.ask(0);
    await assert.rejects((await part.ask(1)).text());
    assert.match(part.lines.join(), /"reason":"too-large"/);
  });

  it('refuses a part that is declared longer than a segment may be, before it asks', async () => {
    const text = playlist('#EXT-X-BYTERANGE:999999999999999@0\na.ts');
    const { ask, asked } = over({ [source.url]: () => ({ text }), 'https://tv.example/a.ts': () => ({ status: 206 }) });
    await ask(0);
    assert.equal((await ask(1)).status, 413);
    assert.equal(asked.length, 1);
  });

  it('refuses a redirect to an address that is longer than any, and forgets the oldest of too many long ones', async () => {
    const far = over({ [source.url]: () => ({ status: 302, location: `https://tv.example/${'a'.repeat(9_000)}` }) });
    assert.equal((await far.ask(0)).status, 403);
    assert.equal(far.asked.length, 1);
    let round = 0;
    const live = over({
      [source.url]: () => {
        round += 1;
        const names = Array.from({ length: 500 }, (_, at) => `${round}-${at}-${'x'.repeat(8_000)}.ts`);
        return { text: playlist(...names) };
      },
    });
    const numbers = async () => (await (await live.ask(0)).text()).match(/(?<=\/)\d+$/gm)?.map(Number) ?? [];
    const [first = 0] = await numbers();
    for (let at = 0; at < 4; at += 1) await numbers();
    const [last = 0] = await numbers();
    assert.equal((await live.ask(first)).status, 404, 'forgotten: 24 MB of addresses came after it');
    assert.equal((await live.ask(last)).status, 502, 'asked for');
    assert.equal((await live.ask(0)).status, 200, 'the first playlist stays');
  });

  it('answers in words that the page knows, and never with a text of the server’s', async () => {
    const answers: readonly (readonly [Answer, number])[] = [
      [() => ({ status: 404, text: 'secret' }), 404],
      [() => ({ status: 500, text: 'secret' }), 404],
      [() => ({ text: '<html>secret' }), 415],
      [() => ({ text: `#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n#EXTINF:6,\na.ts` }), 451],
      [() => ({ text: playlist('http://tv.example/a.ts') }), 403],
    ];
    for (const [answer, status] of answers) {
      const reply = await over({ [source.url]: answer }).ask(0);
      assert.equal(reply.status, status);
      assert.equal(await reply.text(), '');
    }
    assert.equal((await over({}).ask(0)).status, 502);
  });
});
