import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import type { MediaAsset } from '../../../electron/playlist/playlist.ts';
import { parsePlaylist, unsupportedItems } from '../../../electron/playlist/schema.ts';
import { boundedText } from '../../../electron/sanitize/text.ts';
import { timetable } from '../../../electron/schedule/timetable.ts';

const folder = (name: string) => join(process.cwd(), 'test/fixtures/hostile', name);
const options = { allowHttpFor: ['http://media.lan'] };
const read = (name: string) => readFileSync(join(folder('playlists-harmless'), name), 'utf8');
const plain = JSON.parse(read('unknown-fields.json'));

/** A good document with one value replaced. */
function withValue(path: readonly (string | number)[], value: unknown): string {
  const document = structuredClone(plain);
  let at = document;
  for (const key of path.slice(0, -1)) at = at[key];
  at[path.at(-1) as string] = value;
  return JSON.stringify(document);
}

const itemPath = ['playlists', 0, 'items', 0];
const assetPath = [...itemPath, 'asset'];

function refusal(text: string): PlayerError {
  try {
    parsePlaylist(text, options);
  } catch (thrown) {
    assert.ok(thrown instanceof PlayerError);
    return thrown;
  }
  return assert.fail('the document was accepted');
}

function firstItem(text: string) {
  const item = parsePlaylist(text, options).playlists[0]?.items[0];
  assert.ok(item);
  return item;
}

describe('parsePlaylist', () => {
  const refused = readdirSync(folder('playlists-refused'));
  assert.ok(refused.length >= 60);
  for (const file of refused) {
    it(`refuses ${file}`, () => {
      const error = refusal(readFileSync(join(folder('playlists-refused'), file), 'utf8'));
      assert.equal(error.code, 'PLAYLIST_INVALID');
      assert.ok(error.message.length < 400, 'the reason is short, whatever the document');
    });
  }

  it('refuses a document above 16 MiB before looking at it', () => {
    assert.match(refusal(`{"a":"${'x'.repeat(16 * 2 ** 20)}"}`).message, /longer than/);
  });

  it('names the place and the reason', () => {
    assert.match(
      refusal(withValue([...assetPath, 'asset_url'], 'file:///x')).message,
      /^playlists\.0\.items\.0\.asset\.asset_url: must be https/,
    );
    assert.match(refusal(withValue([...itemPath, 'duration'], -1)).message, /^playlists\.0\.items\.0\.duration: /);
    assert.match(
      refusal(withValue([...assetPath, 'headers'], { Host: 'x' })).message,
      /^playlists\.0\.items\.0\.asset\.headers: .*host/,
    );
  });

  it('refuses a field that is not what it must be, each at its place', () => {
    const [text, number] = ['a', 1];
    const table: readonly (readonly [field: string, ...refused: unknown[]])[] = [
      ['id', number, '', 'a b', '.a', 'a'.repeat(65), null, undefined],
      ['type', number, null, undefined, 'a'.repeat(65)],
      ['title', number, null, undefined, 'a'.repeat(4_097)],
      ['status', number, 'a'.repeat(257)],
      ['asset_url', number, null, undefined, '', '/a.png', 'https://a b/', 'https://u:p@a/'],
      ['headers', text, number, [], { a: 1 }],
      ['sha256', text, number, 'g'.repeat(64), 'a'.repeat(65)],
      ['md5', text, number, 'g'.repeat(32)],
      ['size', text, -1, 0.5, 2 ** 53],
      ['width', text, -1],
      ['height', text, 0.5],
      ['duration', text, 0, -1],
      ['allowed_origins', text, [number], ['http://a.example'], ['https://a.example/b'], Array(17).fill('https://a')],
      ['refresh_interval', text, 9, 86_401],
      ['zoom', text, 0.2, 5.1],
      ['scroll_top', text, -1, 100_001],
      ['scroll_speed', text, -1, 1_001],
      ['sound', text, 0],
    ];
    for (const [field, ...values] of table)
      for (const value of values) {
        const { message } = refusal(withValue([...assetPath, field], value));
        assert.ok(message.startsWith(`playlists.0.items.0.asset.${field}`), `${JSON.stringify(value)}: ${message}`);
      }
    for (const [field, ...values] of [
      ['id', number, 'a b', undefined],
      ['position', text, null, undefined],
      ['duration', text, 0],
      ['asset', text, null, [], undefined],
    ] as const)
      for (const value of values)
        assert.match(
          refusal(withValue([...itemPath, field], value)).message,
          new RegExp(`^playlists.0.items.0.${field}`),
        );
    for (const value of [null, text, []])
      assert.match(refusal(withValue(itemPath, value)).message, /^playlists\.0\.items\.0: must be an object/);
    const nothing = { status: null, headers: null, sha256: null, md5: null, size: null, duration: null, sound: null };
    assert.equal(
      firstItem(withValue(assetPath, { ...plain.playlists[0].items[0].asset, ...nothing })).asset.kind,
      'image',
    );
  });

  for (const file of readdirSync(folder('playlists-harmless'))) {
    it(`takes ${file} without harm`, () => {
      const playlist = parsePlaylist(read(file), options);
      assert.equal(playlist.playlists.length, 1);
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
      assert.doesNotMatch(JSON.stringify(playlist), /polluted|onload|constructor"/);
      const { title } = firstItem(read(file)).asset;
      assert.doesNotMatch(boundedText(title), /[\p{Cc}\u202e\u2066]/u);
    });
  }

  it('clamps durations to what a timer can hold', () => {
    assert.equal(firstItem(read('duration-1e300.json')).durationSeconds, 86_400);
    assert.equal(firstItem(read('duration-1e-300.json')).durationSeconds, 0.1);
  });

  it('takes transitions by name, or true and false for the usual ones', () => {
    const transitions = (value: unknown) =>
      parsePlaylist(withValue(['playlists', 0, 'transitions'], value), options).playlists[0]?.transitions;
    assert.deepEqual([true, false, undefined, 'cut', 'fade', 'slide'].map(transitions), [
      ...['fade', 'cut', 'cut'],
      ...['cut', 'fade', 'slide'],
    ]);
    for (const unknown of ['zoom', '', 1, null])
      assert.match(
        refusal(withValue(['playlists', 0, 'transitions'], unknown)).message,
        /^playlists\.0\.transitions: /,
      );
  });

  it('keeps assets that it cannot show and reports them', () => {
    for (const [file, reason] of [
      ['type-unknown.json', 'type'],
      ['type-constructor.json', 'type'],
      ['status-processing.json', 'status'],
    ] as const) {
      const playlist = parsePlaylist(read(file), options);
      assert.deepEqual(unsupportedItems(playlist), [{ itemId: 'item-1', reason }]);
    }
  });

  it('leaves a predicate that is none to the timetable, which reports it', () => {
    for (const file of ['predicate-code.json', 'predicate-nested.json']) {
      const { playlists, screen } = parsePlaylist(read(file), options);
      const { playing, problems } = timetable(playlists, screen.timezone, 0);
      assert.deepEqual([playing.length, problems.length], [0, 1], file);
    }
  });

  it('takes http from origins allowed by name only', () => {
    const url = (text: string) => withValue([...assetPath, 'asset_url'], text);
    assert.equal((firstItem(url('http://media.lan/a.png')).asset as MediaAsset).url, 'http://media.lan/a.png');
    for (const other of ['http://media.lan:8080/a', 'http://media.lan.example/a', 'http://media.lan@evil.example/'])
      refusal(url(other));
  });

  it('reads the whole of a good document', () => {
    const playlist = parsePlaylist(read('unknown-fields.json'), options);
    assert.deepEqual(playlist, {
      nowMs: Date.parse('2026-11-22T12:00:00.000Z'),
      deadlineMs: Date.parse('2026-11-22T12:05:00.000Z'),
      version: 42,
      screen: {
        id: 'screen-1',
        name: 'Lobby',
        hostname: 'srly-4shnfrdc5cd2p0p',
        timezone: 'Europe/London',
        displayRotate: 0,
        shufflePlaylist: false,
        audioOutput: 'hdmi',
        playHistoryEnabled: true,
      },
      playlists: [
        {
          id: 'playlist-1',
          title: 'Best',
          predicate: 'TRUE',
          priority: false,
          isEnabled: true,
          transitions: 'fade',
          items: [
            {
              id: 'item-1',
              durationSeconds: 10,
              asset: {
                kind: 'image',
                id: 'asset-1',
                title: 'Welcome',
                url: 'https://media.example/a.png',
                headers: {},
                durationSeconds: 33.07,
                sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
                md5: 'd41d8cd98f00b204e9800998ecf8427e',
                sizeBytes: 1234,
              },
            },
          ],
        },
      ],
    });
  });

  it('takes what the wire leaves optional as absent or null', () => {
    const asset = { id: 'a', type: 'video', title: '', asset_url: 'https://media.example/a.mp4' };
    for (const extra of [{}, { sha256: null, md5: 'skip_md5', size: null, duration: null, headers: null }]) {
      const { asset: parsed } = firstItem(withValue(assetPath, { ...asset, ...extra }));
      assert.deepEqual(parsed, {
        kind: 'video',
        id: 'a',
        title: '',
        url: 'https://media.example/a.mp4',
        headers: {},
        durationSeconds: null,
        sha256: null,
        md5: null,
        sizeBytes: null,
      });
    }
    assert.equal(firstItem(withValue([...itemPath, 'duration'], null)).durationSeconds, null);
  });

  it('takes priority as a boolean or as 0 and 1, and headers in lower case', () => {
    const priority = (value: unknown) =>
      parsePlaylist(withValue(['playlists', 0, 'priority'], value), options).playlists[0]?.priority;
    assert.deepEqual([priority(0), priority(1), priority(true), priority(false)], [false, true, true, false]);
    const { asset } = firstItem(withValue([...assetPath, 'headers'], { Authorization: 'Bearer x' }));
    assert.deepEqual((asset as MediaAsset).headers, { authorization: 'Bearer x' });
  });

  it('shows appweb and edge-app as web pages', () => {
    for (const type of ['web', 'appweb', 'edge-app'])
      assert.equal(firstItem(withValue([...assetPath, 'type'], type)).asset.kind, 'web');
  });

  it('takes an HLS stream, and leaves other kinds of streams out instead of refusing the document', () => {
    const of = (asset_url: string) => {
      const asset = { id: 'tv', type: 'streaming', title: '', asset_url, allowed_origins: ['https://b.example'] };
      return firstItem(withValue(assetPath, asset)).asset;
    };
    assert.deepEqual(of('https://a.example/tv.m3u8'), {
      ...{ kind: 'stream', id: 'tv', title: '', url: 'https://a.example/tv.m3u8', headers: {} },
      ...{ durationSeconds: null, allowedOrigins: ['https://b.example'] },
    });
    for (const address of ['rtsp://a.example/1', 'RTMP://a.example/1', 'udp://239.0.0.1:1234'])
      assert.deepEqual(of(address), { kind: 'unsupported', id: 'tv', title: '', reason: 'type' });
    assert.throws(() => of('file:///etc/passwd'), { code: 'PLAYLIST_INVALID' });
  });

  it('orders items by position, equal ones as they came', () => {
    const item = (id: string, position: number) => ({ ...plain.playlists[0].items[0], id, position });
    const text = withValue(['playlists', 0, 'items'], [item('c', 3), item('a', -1), item('b1', 2), item('b2', 2)]);
    const ids = parsePlaylist(text, options).playlists[0]?.items.map(({ id }) => id);
    assert.deepEqual(ids, ['a', 'b1', 'b2', 'c']);
  });

  it('takes as many playlists and items as the limits allow', () => {
    const items = (playlist: number) =>
      Array.from({ length: 10 }, (_, index) => ({ ...plain.playlists[0].items[0], id: `i${playlist}-${index}` }));
    const playlists = Array.from({ length: 1_000 }, (_, index) => ({
      ...plain.playlists[0],
      id: `p${index}`,
      items: items(index),
    }));
    assert.equal(parsePlaylist(withValue(['playlists'], playlists), options).playlists.length, 1_000);
  });
});
