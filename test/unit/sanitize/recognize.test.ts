import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ByteSource } from '../../../electron/cache/media.ts';
import { recognize } from '../../../electron/sanitize/recognize.ts';

const fixtures = join(process.cwd(), 'test/fixtures');
const hostile = (folder: string) => join(fixtures, 'hostile', folder);

class Bytes implements ByteSource {
  readonly sizeBytes: number;
  bytesRead = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.sizeBytes = bytes.length;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const part = this.#bytes.subarray(offset, offset + length);
    this.bytesRead += part.length;
    return part;
  }
}

const recognizeFile = (path: string) => recognize(new Bytes(readFileSync(path)));

describe('recognize', () => {
  const files = readdirSync(hostile('media-refused'));
  assert.ok(files.length >= 40);
  for (const file of files) {
    it(`refuses ${file}`, async () => {
      const recognition = await recognizeFile(join(hostile('media-refused'), file));
      assert.ok(!recognition.ok);
      assert.match(recognition.reason, /\b(it|its|HEIF)\b/);
    });
  }

  it('says of HEVC and of markup what they are', async () => {
    const reason = async (file: string) => {
      const recognition = await recognizeFile(join(hostile('media-refused'), file));
      return recognition.ok ? '' : recognition.reason;
    };
    assert.match(await reason('html-named.png'), /markup/);
    assert.match(await reason('hevc.mp4'), /hvc1/);
  });

  const bombs = [
    ['frame-larger-than-screen.gif', /larger than/],
    ['frame-far-off-screen.gif', /larger than/],
    ['blocks-without-end.gif', /too many blocks/],
    ['picture-of-256-megapixels.webm', /larger than/],
    ['second-size-of-256-megapixels.webm', /larger than/],
    ['second-track-of-256-megapixels.webm', /larger than/],
    ['second-list-of-tracks.webm', /two lists of tracks/],
    ['tracks-of-unknown-length.webm', /too long a list/],
    ['clusters-before-tracks.webm', /no list of tracks/],
    ['track-of-256-megapixels.avif', /larger than/],
    ['second-track-of-256-megapixels.avif', /larger than/],
    ['sound-alone.webm', /neither video nor sound/],
    ['sequence-without-track.avif', /no moov/],
    ['gif-of-6000-pictures.gif', /more than 5000 pictures/],
    ['webp-of-6000-pictures.webp', /more than 5000 pictures/],
    ['second-frame-of-3600-megapixels.gif', /larger than/],
    ['picture-beyond-the-edge.webp', /beyond its edge/],
    ['svg-with-entities.svg', /entities/],
    ['svg-with-external-entity.svg', /entities/],
    ['svg-without-namespace.svg', /namespace/],
    ['svg-within-html.svg', /root/],
    ['mp3-of-two-bytes.mp3', /not in a row/],
    ['tag-without-sound.mp3', /not in a row/],
    ['ogg-of-pictures.ogg', /no sound/],
    ['wav-of-a-codec.wav', /no sound/],
  ] as const;
  for (const [file, expected] of bombs)
    it(`refuses ${file} for what it attacks with, and not for another fault`, async () => {
      const recognition = await recognizeFile(join(hostile('media-refused'), file));
      assert.match(recognition.ok ? 'accepted' : recognition.reason, expected);
    });

  it('takes a picture with a script behind it for a picture: it is served as one and nothing else', async () => {
    const path = join(hostile('media-harmless'), 'script-behind-a-picture.gif');
    assert.deepEqual(await recognizeFile(path), { ok: true, format: 'gif' });
  });

  it('takes SVG with scripts for SVG, which is shown as a picture, whatever it is called; and sound alone for sound', async () => {
    const table = {
      'svg-with-script.svg': 'svg',
      'svg-with-script-named.png': 'svg',
      'sound-alone.mp4': 'm4a',
    };
    for (const [file, format] of Object.entries(table))
      assert.deepEqual(await recognizeFile(join(hostile('media-harmless'), file)), { ok: true, format }, file);
  });

  it('is done with a root element that is sought in vain before long', async () => {
    for (const text of [
      `<!--${'<!--'.repeat(30_000)}`,
      `<svg${' '.repeat(100_000)}`,
      `<?xml ${'?'.repeat(60_000)}<svg `,
      `<!--<svg >-->${' '.repeat(60_000)}x`,
      `<!--<svg >-->${'<!---->'.repeat(9_000)}x`,
      `<!DOCTYPE svg>${'<svg'.repeat(2)}${' \n<!-- -->'.repeat(6_000)}x`,
    ]) {
      const beganMs = performance.now();
      assert.ok(!(await recognize(new Bytes(Buffer.from(text)))).ok);
      assert.ok(performance.now() - beganMs < 2_000);
    }
  });

  it('knows every format by its content, whatever it is called', async () => {
    const table = {
      'picture.jpg': 'jpeg',
      'picture.png': 'png',
      'picture.gif': 'gif',
      'picture.avif': 'avif',
      'lossy.webp': 'webp',
      'lossless.webp': 'webp',
      'moving.webp': 'webp',
      'clip.mp4': 'mp4',
      'fragmented.mp4': 'mp4',
      'clip.webm': 'webm',
      // Written as a stream: its segment has no known length.
      'live.webm': 'webm',
      'moving.avif': 'avif',
      'drawing.svg': 'svg',
      'tone.mp3': 'mp3',
      'tone.m4a': 'm4a',
      'tone.weba': 'weba',
      'tone.ogg': 'ogg',
      'vorbis.ogg': 'ogg',
      'tone.flac': 'flac',
      'tone.wav': 'wav',
    };
    for (const [file, format] of Object.entries(table))
      assert.deepEqual(await recognizeFile(join(fixtures, 'pictures', file)), { ok: true, format }, file);
  });

  it('knows the media of the demo and of the page’s tests', async () => {
    const table = {
      'media/welcome.jpg': 'jpeg',
      'media/strata.jpg': 'jpeg',
      'media/meridian.jpg': 'jpeg',
      'media/wayfinding.jpg': 'jpeg',
      'media/tide.mp4': 'mp4',
      'media/orbit.webm': 'webm',
      'clips/red.png': 'png',
      'clips/square.jpg': 'jpeg',
      'clips/cyan.mp4': 'mp4',
      'clips/yellow.webm': 'webm',
    };
    for (const [file, format] of Object.entries(table))
      assert.deepEqual(await recognizeFile(join(fixtures, file)), { ok: true, format }, file);
  });

  it('refuses whatever is cut before its frame', async () => {
    for (const file of readdirSync(join(fixtures, 'pictures'))) {
      const whole = readFileSync(join(fixtures, 'pictures', file));
      for (const length of [1, 4, 8, 12, 15])
        assert.ok(!(await recognize(new Bytes(whole.subarray(0, length)))).ok, `${file} cut to ${length}`);
    }
  });

  it('reads a bounded part of a long file', async () => {
    const head = readFileSync(join(fixtures, 'pictures/clip.webm'));
    const long = new Bytes(Buffer.concat([head, Buffer.alloc(8 * 2 ** 20)]));
    assert.ok((await recognize(long)).ok);
    assert.ok(long.bytesRead < 64 * 1024);
  });

  it('never throws, whatever happens to the bytes', async () => {
    const names = readdirSync(join(fixtures, 'pictures'));
    const originals = names.map((name) => readFileSync(join(fixtures, 'pictures', name)));
    const flips = fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...originals), flips, async (original, changes) => {
        const bytes = new Uint8Array(original);
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        const recognition = await recognize(new Bytes(bytes));
        assert.equal(typeof recognition.ok, 'boolean');
      }),
      { numRuns: 2_000 },
    );
  });
});
