/** Every kind and coding that the README names, played by the real engine from real files. */
import { expect } from 'playwright/test';
import { heard, legible, misplaced, sizes, smallestText } from './catalogue.ts';
import { contrasts } from './contrast.ts';
import { item, playing, test, told } from './kiosk.ts';
import { type Sight, sightOf } from './observer.ts';

/** In playing order, each of other colours than the one before; what moves has more than one. */
const matrix: readonly (readonly [file: string, ...sights: Sight[]])[] = [
  ['h264-aac.mp4', 'red'],
  ['h264-silent.mp4', 'yellow'],
  ['h264-4k.mp4', 'blue'],
  ['h264-ac3.mp4', 'cyan'],
  ['h264-one-frame.mp4', 'yellow'],
  ['h264-variable-rate.mp4', 'red'],
  ['vp8-vorbis.webm', 'cyan'],
  ['vp9-opus.webm', 'yellow'],
  ['av1-opus.webm', 'blue'],
  ['av1.mp4', 'red'],
  ['moving.gif', 'yellow', 'blue'],
  ['moving.webp', 'cyan', 'red'],
  ['still.avif', 'blue'],
  ['inert.svg', 'yellow'],
  ['lossless.webp', 'red'],
  ['lossy.webp', 'yellow'],
];

test('plays every kind and coding, once to its end, without a dark frame between them', async ({ kiosk }) => {
  test.slow();
  const isVideo = (file: string) => /\.(mp4|webm)$/.test(file);
  const items = matrix.map(([file, ...sights]) => {
    const seconds = sights.length > 1 ? 2 : 0.7;
    return item(file, `matrix/${file}`, { durationSeconds: isVideo(file) ? null : seconds });
  });
  await kiosk.push(playing('p1', await Promise.all(items)));
  await kiosk.reported('shown h264-aac.mp4');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.reported(...matrix.map(([file]) => `shown ${file}`), 'shown h264-aac.mp4');
  observer.stop();
  const story = (await kiosk.reports()).map(told);
  expect(story.filter((line) => !line.startsWith('shown'))).toEqual([]);
  // A moving picture may be revealed in any of its frames, and shows them all.
  const seen = observer.clear();
  for (const [file, ...sights] of matrix) {
    const other = [...seen, null].findIndex((sight) => sight === null || !sights.includes(sight));
    expect(new Set(seen.splice(0, other)), file).toEqual(new Set(sights));
  }
  expect(observer.sights).not.toContain('dark');
});

test('turns a video that says that it is to be turned', async ({ kiosk }) => {
  const rotated = await item('r', 'matrix/h264-rotated.mp4', { durationSeconds: 60, fit: 'fill' });
  await kiosk.push(playing('p1', [rotated]));
  await kiosk.reported('shown r');
  // Stored with blue above cyan; the quarter turn that the file asks for brings blue to the left.
  const halves = () => [320, 960].map((x) => sightOf(kiosk.display.pixel(x, 360)));
  await expect.poll(halves).toEqual(['blue', 'cyan']);
});

test('passes over a coding that the engine lacks, with a reason and without a dark frame', async ({ kiosk }) => {
  const items = [
    await item('a', 'red.png'),
    // What the border lets through must not be black either: these two it refuses, should they come all the same.
    await item('m', 'matrix/mpeg4-part2.mp4', { durationSeconds: null }),
    await item('s', 'audio-only.mp4', { durationSeconds: null }),
  ];
  await kiosk.push(playing('p1', items));
  await kiosk.reported('shown a');
  await kiosk.painted('red');
  const observer = kiosk.observe();
  await kiosk.reported('shown a', 'failed m unsupported', 'failed s no-picture', 'shown a');
  observer.stop();
  expect(observer.sights).toEqual(['red']);
});

test('an SVG is a picture: no script of it runs, and it leads nowhere', async ({ kiosk }) => {
  const asked: string[] = [];
  kiosk.page.on('request', (request) => asked.push(request.url()));
  await kiosk.push(playing('p1', [await item('s', 'matrix/inert.svg', { durationSeconds: 60 })]));
  await kiosk.reported('shown s');
  await expect.poll(() => sightOf(kiosk.display.pixel(640, 360))).toBe('yellow');
  expect(await kiosk.page.evaluate(() => document.documentElement.style.background)).toBe('');
  const foreign = () => asked.filter((address) => /canary|index\.html|app\.css/.test(address));
  expect(foreign()).toEqual([]);
  // That this could be seen:
  await kiosk.page.evaluate(() => {
    new Image().src = 'player://app/canary.png';
  });
  await expect.poll(foreign).toEqual(['player://app/canary.png']);
});

test('a sound plays with its card: title, and how far it is by its own clock', async ({ kiosk }) => {
  const sound = await item('s', 'matrix/tone.mp3', { title: 'Nocturne in E-flat major', durationSeconds: null });
  await kiosk.push(playing('p1', [sound, await item('a', 'red.png')]));
  await kiosk.reported('shown s');
  const card = kiosk.page.getByTestId('now-playing');
  await expect(card).toContainText('Now playing');
  await expect(card.getByRole('heading')).toHaveText('Nocturne in E-flat major');
  await expect(card).toContainText('0:01');
  await kiosk.reported('shown s', 'shown a', 'shown s');
  expect((await kiosk.reports()).map(told).filter((line) => line.startsWith('failed'))).toEqual([]);
});

test('the card of a sound keeps every text in its place and legible, at every size, in both themes and directions', async ({
  kiosk,
}) => {
  const longest =
    'Die Kunst der Fuge, BWV 1080: Contrapunctus XIV (Fuga a 3 soggetti), aufgenommen in der Marienkirche '
      .repeat(2)
      .trim();
  const arabic = 'مقطوعة موسيقية طويلة للبيانو والأوركسترا سُجّلت في قاعة المدينة القديمة '.repeat(3).trim();
  for (const { width, height } of sizes) {
    await kiosk.resize(width, height);
    for (const look of [{ theme: 'dark' }, { theme: 'light' }, { theme: 'dark', language: 'ar' }] as const) {
      await kiosk.restart(await heard('language' in look ? arabic : longest, look));
      await kiosk.reported('shown sound');
      await kiosk.page.evaluate(() => document.fonts.ready);
      const where = `${width} × ${height} ${JSON.stringify(look)}`;
      expect(await kiosk.page.evaluate(misplaced, '.card'), where).toEqual([]);
      expect(await kiosk.page.evaluate(smallestText, '.card'), where).toBeGreaterThanOrEqual(legible);
      await kiosk.screenshot(`now-playing-${look.theme}${'language' in look ? '-ar' : ''}-${width}x${height}`);
      const weak = async () => {
        const measured = await contrasts(kiosk.page, kiosk.display, '.card');
        return measured.length > 2 ? measured.filter(([, ratio]) => ratio < 4.5) : 'no texts';
      };
      await expect.poll(weak, { message: where }).toEqual([]);
    }
  }
});

test('moves on when a sound stands still, and passes over one that is none', async ({ kiosk }) => {
  const broken = await item('b', 'broken.png', { kind: 'audio' });
  const sound = await item('s', 'matrix/tone.mp3', { durationSeconds: 60 });
  await kiosk.push(playing('p1', [sound, broken, await item('a', 'red.png')]));
  await kiosk.reported('shown s');
  await kiosk.page.evaluate(() => document.querySelector('audio')?.pause());
  await kiosk.reported('failed b unsupported', 'failed s stalled', 'shown a');
  await kiosk.push(playing('p2', [await item('c', 'green.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown c');
  await expect(kiosk.page.locator('audio')).toHaveCount(0);
});
