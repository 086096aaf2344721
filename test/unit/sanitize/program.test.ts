import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MediaFormat } from '../../../electron/cache/media.ts';
import type { Asset, Item, MediaHash } from '../../../electron/playlist/playlist.ts';
import { buildProgram, type ProgramOptions } from '../../../electron/sanitize/program.ts';

const hash = 'ab'.repeat(32) as MediaHash;

function media(id: string, kind: 'image' | 'video' | 'audio', durationSeconds: number | null = null): Asset {
  const url = 'https://secret.example/path?token=1';
  return {
    kind,
    id,
    title: 'a \u202etitle',
    url,
    headers: { authorization: 'Bearer secret' },
    sha256: hash,
    md5: null,
    sizeBytes: 1,
    durationSeconds,
  };
}

const item = (id: string, asset: Asset, durationSeconds: number | null = null): Item => ({
  id,
  asset,
  durationSeconds,
});

function options(format: MediaFormat | null, more: Partial<ProgramOptions> = {}): ProgramOptions {
  return {
    find: () => (format === null ? null : { hash, format, sizeBytes: 1 }),
    streamId: () => 'f'.repeat(32),
    fit: 'contain',
    shuffleSeed: null,
    ...more,
  };
}

describe('buildProgram', () => {
  it('leaves out and reports what cannot be shown', () => {
    const playing = [
      {
        transitions: 'fade' as const,
        items: [
          item('a', { kind: 'unsupported', id: 'x', title: '', reason: 'type' }),
          item('b', { kind: 'unsupported', id: 'x', title: '', reason: 'status' }),
          item('d', media('d', 'image')),
        ],
      },
    ];
    const { program, omitted } = buildProgram(playing, options(null));
    assert.deepEqual(program.items, []);
    assert.deepEqual(
      omitted.map(({ itemId, reason }) => `${itemId} ${reason}`),
      ['a unsupported-type', 'b not-ready', 'd not-cached'],
    );
  });

  it('tells the page no address, header or asset id, and no unclean title', () => {
    const web: Asset = {
      kind: 'web',
      id: 'w',
      title: 'a\nb',
      url: 'https://secret.example/',
      headers: {},
      durationSeconds: null,
      allowedOrigins: ['https://secret.example'],
      refreshSeconds: null,
      zoom: 1,
      scrollTop: 0,
      scrollSpeed: 0,
      sound: false,
    };
    const { program } = buildProgram(
      [{ transitions: 'fade', items: [item('i', media('asset-9', 'image')), item('w', web)] }],
      options('png'),
    );
    assert.doesNotMatch(JSON.stringify(program), /secret|https|asset-9|\\u202e|\\n/);
    assert.deepEqual(program.items[1], {
      itemId: 'w',
      kind: 'web',
      source: null,
      title: 'a b',
      durationSeconds: 10,
      fit: 'contain',
      transition: 'fade',
    });
  });

  it('takes the kind from the content, not from the playlist', () => {
    const playing = [{ transitions: 'cut' as const, items: [item('i', media('i', 'image'))] }];
    const [built] = buildProgram(playing, options('mp4')).program.items;
    assert.deepEqual([built?.kind, built?.durationSeconds, built?.transition], ['video', null, 'cut']);
    assert.equal(built?.source, `player://media/${hash}`);
  });

  it('lets the item’s duration override the asset’s', () => {
    const seconds = (duration: number | null, assetDuration: number | null, format: MediaFormat) =>
      buildProgram(
        [{ transitions: 'fade', items: [item('i', media('i', 'image', assetDuration), duration)] }],
        options(format),
      ).program.items[0]?.durationSeconds;
    assert.equal(seconds(5, 33, 'mp4'), 5);
    assert.equal(seconds(null, 33, 'mp4'), 33);
    assert.equal(seconds(null, null, 'mp4'), null);
    assert.equal(seconds(null, null, 'jpeg'), 10);
  });

  it('changes its id exactly when its items change', () => {
    const build = (fit: 'contain' | 'cover') =>
      buildProgram([{ transitions: 'fade', items: [item('i', media('i', 'image'))] }], options('png', { fit })).program
        .programId;
    assert.equal(build('contain'), build('contain'));
    assert.notEqual(build('contain'), build('cover'));
    assert.match(build('cover'), /^[0-9a-f]{32}$/);
  });

  it('shuffles within a playlist, the same way for the same seed', () => {
    const items = Array.from({ length: 20 }, (_, index) => item(`i${index}`, media(`i${index}`, 'image')));
    const order = (shuffleSeed: string | null) =>
      buildProgram([{ transitions: 'fade', items }], options('png', { shuffleSeed })).program.items.map(
        ({ itemId }) => itemId,
      );
    assert.deepEqual(
      order(null),
      items.map(({ id }) => id),
    );
    assert.deepEqual(order('42'), order('42'));
    assert.notDeepEqual(order('42'), order('43'));
    assert.deepEqual(order('42').toSorted(), order(null).toSorted());
  });

  it('names a stream by an id alone, and leaves its end open unless a time is given', () => {
    const url = 'https://secret.example/live.m3u8?token=1';
    const asset: Asset = {
      ...{ kind: 'stream', id: 'tv', title: 'TV', url, headers: {} },
      ...{ durationSeconds: null, allowedOrigins: [] },
    };
    const { program } = buildProgram([{ transitions: 'cut', items: [item('s', asset)] }], options(null));
    assert.deepEqual(
      program.items.map(({ kind, source, durationSeconds }) => [kind, source, durationSeconds]),
      [['stream', `player://stream/${'f'.repeat(32)}/0`, null]],
    );
    assert.doesNotMatch(JSON.stringify(program), /secret|token/);
  });
});
