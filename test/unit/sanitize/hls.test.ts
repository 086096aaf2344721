import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RewritePorts, rewritePlaylist, type StreamReference } from '../../../electron/sanitize/hls.ts';

const base = 'https://secret.example/live/index.m3u8?token=hunter2';

/** Rewrites with places numbered as they are asked for. */
function rewrite(text: string, more: Partial<RewritePorts> = {}) {
  const asked: StreamReference[] = [];
  const place = (reference: StreamReference) => `player://stream/ab/${asked.push(reference)}`;
  return { rewritten: rewritePlaylist(text, { base, place, ...more }), asked };
}

function refused(text: string, reason: string, more: Partial<RewritePorts> = {}) {
  assert.deepEqual(rewrite(text, more).rewritten, { ok: false, reason });
}

function textOf(text: string): string {
  const { rewritten } = rewrite(text);
  assert.ok(rewritten.ok, JSON.stringify(rewritten));
  return rewritten.text;
}

const media = (...lines: string[]) => ['#EXTM3U', '#EXT-X-TARGETDURATION:6', ...lines, '#EXT-X-ENDLIST'].join('\n');

describe('rewritePlaylist', () => {
  it('refuses what is no playlist', () => {
    for (const text of [
      '',
      '<html></html>',
      'EXTM3U',
      '#EXTM3U8\na.ts',
      '\n#EXTM3U',
      '#EXTM3U',
      '#EXTM3U\n#EXT-X-ENDLIST',
    ])
      refused(text, 'not-a-stream');
  });

  it('refuses an address that stands where none belongs, and one that is no address', () => {
    refused('#EXTM3U\na.ts', 'not-a-stream');
    refused(media('#EXTINF:6,', 'https://[broken'), 'not-a-stream');
    refused(media('#EXT-X-DEFINE:NAME="a",VALUE="b"', '#EXTINF:6,', '{$a}.ts'), 'not-a-stream');
  });

  it('refuses a playlist when one of its addresses must not be asked', () => {
    const place = ({ url }: StreamReference) => (url.startsWith('https:') ? 'player://stream/ab/1' : null);
    refused(media('#EXTINF:6,', 'a.ts', '#EXTINF:6,', 'file:///etc/passwd'), 'address-refused', { place });
    refused(media('#EXT-X-MAP:URI="data:text/plain,a"', '#EXTINF:6,', 'a.ts'), 'address-refused', { place });
  });

  it('refuses copy protection', () => {
    for (const key of [
      'METHOD=SAMPLE-AES,URI="k"',
      'METHOD=AES-128,URI="k",KEYFORMAT="com.apple.streamingkeydelivery"',
      'URI="k"',
    ])
      refused(media(`#EXT-X-KEY:${key}`, '#EXTINF:6,', 'a.ts'), 'encrypted');
  });

  it('refuses more lines and references than any stream needs', () => {
    refused(media('#EXTINF:6,', 'a.ts'.repeat(5_000)), 'not-a-stream');
    refused(media(...Array.from({ length: 20_001 }, () => '#EXTINF:6,\na.ts')), 'too-large');
    refused(`#EXTM3U\n${'#\n'.repeat(2 ** 21)}`, 'too-large');
  });

  it('refuses addresses that are made long by the one that they are relative to, each and together', () => {
    const under = (length: number) => ({ base: `https://a.example/${'b'.repeat(length)}/index.m3u8` });
    refused(media('#EXTINF:6,', 'a.ts'), 'too-large', under(9_000));
    const many = media(...Array.from({ length: 5_000 }, (_, at) => `#EXTINF:6,\n${at}.ts`));
    refused(many, 'too-large', under(4_000));
    assert.ok(rewrite(many, under(400)).rewritten.ok);
  });

  it('leaves out variants whose pictures are larger than any that is shown, and refuses a stream of those alone', () => {
    const huge = ['#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=100000x100000', 'huge.m3u8'];
    refused(['#EXTM3U', ...huge].join('\n'), 'not-a-stream');
    const fine = ['#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=1920x1080', 'fine.m3u8'];
    const { rewritten, asked } = rewrite(['#EXTM3U', ...huge, ...fine].join('\n'));
    assert.ok(rewritten.ok);
    assert.deepEqual(
      asked.map(({ url }) => url),
      ['https://secret.example/live/fine.m3u8'],
    );
  });

  it('writes a playlist of ffmpeg’s anew, each address by its place', () => {
    const { rewritten, asked } = rewrite(readFileSync('test/fixtures/marks/stream-7.m3u8', 'utf8'));
    assert.ok(rewritten.ok);
    assert.equal(
      rewritten.text,
      [
        '#EXTM3U',
        '#EXT-X-VERSION:7',
        '#EXT-X-TARGETDURATION:3',
        '#EXT-X-MEDIA-SEQUENCE:0',
        '#EXT-X-PLAYLIST-TYPE:VOD',
        '#EXT-X-MAP:URI="player://stream/ab/1"',
        '#EXTINF:2.8,\nplayer://stream/ab/2',
        '#EXTINF:1.933333,\nplayer://stream/ab/3',
        '#EXTINF:1.266667,\nplayer://stream/ab/4',
        '#EXT-X-ENDLIST\n',
      ].join('\n'),
    );
    assert.deepEqual(asked[1], { url: 'https://secret.example/live/stream-7-00.m4s', kind: 'bytes', range: null });
  });

  it('makes parts of a file references of their own, each behind the one before', () => {
    const { asked } = rewrite(
      media(
        '#EXT-X-MAP:URI="a.mp4",BYTERANGE="700@0"',
        ...['#EXTINF:2,', '#EXT-X-BYTERANGE:100@700', 'a.mp4'],
        ...['#EXTINF:2,', '#EXT-X-BYTERANGE:50', 'a.mp4'],
        ...['#EXTINF:2,', 'b.mp4'],
      ),
    );
    assert.deepEqual(
      asked.map(({ range }) => range),
      [[0, 699], [700, 799], [800, 849], null],
    );
    refused(media('#EXTINF:2,', '#EXT-X-BYTERANGE:0', 'a.mp4'), 'not-a-stream');
  });

  it('keeps variants, their sound and keys, and tells no name in the clear', () => {
    const text = textOf(
      [
        '#EXTM3U',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="hifi",NAME="Français, \'live\'",LANGUAGE="fr",DEFAULT=YES,URI="fr.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="x",URI="s.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="hifi",NAME="x"',
        'low.m3u8',
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"',
        '#EXT-X-SESSION-DATA:DATA-ID="com.example",URI="https://secret.example/x"',
      ].join('\n'),
    );
    assert.equal(
      text,
      [
        '#EXTM3U',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="68696669",NAME="4672616ec3a76169732c20276c69766527",LANGUAGE="fr",DEFAULT=YES,URI="player://stream/ab/1"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="68696669"',
        'player://stream/ab/2\n',
      ].join('\n'),
    );
    const locked = textOf(
      media('#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/1",IV=0x0f', '#EXTINF:6,title', 'a.ts'),
    );
    assert.ok(locked.includes('#EXT-X-KEY:METHOD=AES-128,URI="player://stream/ab/1",IV=0x0f\n#EXTINF:6,\n'));
  });

  it('whatever a server sends, the page gets lines of a list with numbers, words and its own addresses', () => {
    const names = [
      'EXTINF',
      'EXT-X-KEY',
      'EXT-X-MAP',
      'EXT-X-MEDIA',
      'EXT-X-STREAM-INF',
      'EXT-X-BYTERANGE',
      'EXT-X-DATERANGE',
      'EXT-X-PART',
      'EXT-X-PROGRAM-DATE-TIME',
      'EXT-X-VERSION',
      'EXT-X-SESSION-DATA',
      'EXT-X-ENDLIST',
      'EXT-X-SKIP',
    ];
    const attribute = fc
      .tuple(
        fc.constantFrom(
          'URI',
          'METHOD',
          'IV',
          'CODECS',
          'NAME',
          'GROUP-ID',
          'TYPE',
          'BANDWIDTH',
          'RESOLUTION',
          'AUDIO',
          'BYTERANGE',
          'LANGUAGE',
          'X-ASSET-URI',
        ),
        fc.oneof(
          fc.constantFrom(
            'AES-128',
            'AUDIO',
            'NONE',
            '5@3',
            '0x1',
            '1x1',
            'https://evil.example/"',
            '\u2028',
            'a\nb',
            '"',
            '1e9',
          ),
          fc.string(),
        ),
        fc.boolean(),
      )
      .map(([name, value, inQuotes]) => (inQuotes ? `${name}="${value}"` : `${name}=${value}`));
    const line = fc.oneof(
      fc
        .tuple(fc.constantFrom(...names), fc.array(attribute, { maxLength: 5 }))
        .map(([name, list]) => `#${name}:${list.join(',')}`),
      fc.tuple(fc.constantFrom(...names), fc.string()).map(([name, value]) => `#${name}:${value}`),
      fc.constantFrom(
        '#EXTINF:6,',
        '#EXTINF:2.5,https://evil.example/',
        '#EXT-X-STREAM-INF:BANDWIDTH=1',
        'https://evil.example/a.ts',
        '../a b.ts',
        '#EXT-X-BYTERANGE:9@1',
      ),
      fc.webUrl(),
      fc.string(),
    );
    const mark = 'player://stream/ab/1';
    const known =
      /^#(?:EXTM3U|EXT-X-(?:DISCONTINUITY|ENDLIST|GAP|INDEPENDENT-SEGMENTS)|EXT-X-(?:VERSION|TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE):\d+|EXTINF:[\d.]+,|EXT-X-PLAYLIST-TYPE:(?:VOD|EVENT)|EXT-X-PROGRAM-DATE-TIME:[+\dTZ:.-]+|EXT-X-MAP:URI="@"|EXT-X-KEY:METHOD=(?:NONE|AES-128,URI="@"(?:,IV=0x[0-9a-fA-F]+)?)|EXT-X-STREAM-INF:BANDWIDTH=\d+(?:,CODECS="[A-Za-z0-9., _-]+")?(?:,RESOLUTION=\d+x\d+)?(?:,FRAME-RATE=[\d.]+)?(?:,AUDIO="[0-9a-f]*")?|EXT-X-MEDIA:TYPE=AUDIO(?:,GROUP-ID="[0-9a-f]*")?(?:,NAME="[0-9a-f]*")?(?:,LANGUAGE="[A-Za-z0-9-]+")?(?:,DEFAULT=YES)?(?:,AUTOSELECT=YES)?(?:,CHANNELS="\d+")?(?:,URI="@")?)$/;
    let through = 0;
    const property = fc.property(
      // Short ones come through more often.
      fc.oneof(fc.array(line, { maxLength: 4 }), fc.array(line, { maxLength: 25 })),
      fc.constantFrom('\n', '\r\n', '\r'),
      (lines, end) => {
        const rewritten = rewritePlaylist(['#EXTM3U', ...lines].join(end), { base, place: () => mark });
        if (!rewritten.ok) return;
        through += 1;
        for (const one of rewritten.text.trimEnd().split('\n')) {
          const shape = one.replaceAll(mark, '@');
          assert.ok(shape === '@' || known.test(shape), JSON.stringify(one));
        }
      },
    );
    fc.assert(property, { numRuns: 3_000 });
    assert.ok(through > 40, `${through} of 3,000 came through`);
  });
});
