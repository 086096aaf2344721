import { expect } from 'playwright/test';
import { PlayerError, recoveries } from '../../../electron/errors.ts';
import { troubleOf } from '../../../electron/ipc/trouble.ts';
import { languages } from '../../support/languages.ts';
import { dressed, misplaced, overlays, screens, settleMotion } from './catalogue.ts';
import { device, test } from './kiosk.ts';

const sizes = [
  { width: 1280, height: 720 },
  { width: 1080, height: 1920 },
] as const;

const codes = Object.keys(recoveries) as (keyof typeof recoveries)[];

for (const [language, words] of Object.entries(languages)) {
  test(`no text of any screen leaves its place in ${language}`, async ({ kiosk }) => {
    test.slow();
    const { page } = kiosk;
    // The fault with the longest words of this language.
    const length = (code: string) => (words.troubles[code] ?? ['', '']).join('').length;
    const longest = codes.toSorted((one, other) => length(other) - length(one))[0] ?? 'INTERNAL';
    const trouble = troubleOf(new PlayerError(longest, ''));
    const looked = {
      ...screens,
      'trouble-longest': () => ({ ...device, state: 'trouble', trouble, notice: trouble }) as const,
      'registering-longest': () => ({ ...screens['registering-software']?.(), notice: trouble }) as const,
    };
    for (const { width, height } of sizes) {
      await kiosk.resize(width, height);
      for (const [name, snapshot] of Object.entries(looked)) {
        await kiosk.push(dressed(snapshot() as never, { language: language as never }));
        await expect(page.locator(`html[lang="${language}"] .screen`)).toBeVisible();
        await page.evaluate(() => document.fonts.ready);
        await settleMotion(page, 1);
        expect(await page.evaluate(misplaced, '#root > .screen'), `${name} at ${width} × ${height}`).toEqual([]);
      }
      await kiosk.push(dressed({ ...device, state: 'starting' }, { language: language as never }));
      for (const [name, view] of Object.entries(overlays)) {
        await kiosk.pushOperator(view());
        await expect(page.getByTestId('operator-layer')).toBeVisible();
        expect(await page.evaluate(misplaced, '.operator-layer'), `${name} at ${width} × ${height}`).toEqual([]);
      }
      await kiosk.screenshot(`language-${language}-${width}`);
      await kiosk.pushOperator({ state: 'closed' });
    }
    expect(kiosk.complaints).toEqual([]);
  });
}

test('every error code has words in every language, and no language has words for another', () => {
  for (const [language, words] of Object.entries(languages)) {
    if (language === 'en') continue;
    expect(Object.keys(words.troubles).sort(), language).toEqual([...codes].sort());
    for (const [code, [summary, remedy]] of Object.entries(words.troubles)) {
      expect(summary.length, `${language} ${code}`).toBeGreaterThan(4);
      expect(remedy.length, `${language} ${code}`).toBeGreaterThan(4);
    }
  }
});

test('Arabic runs from right to left, and PIN, fingerprint, clock and codes do not', async ({ kiosk }) => {
  const { page } = kiosk;
  const arabic = { language: 'ar' } as const;
  await kiosk.push(dressed(screens['registering']?.() as never, arabic));
  const [title, code] = [page.getByRole('heading', { level: 1 }), page.locator('.qr')];
  await expect(page.getByTestId('pin')).toHaveCSS('direction', 'ltr');
  await expect(page.getByTestId('fingerprint')).toHaveCSS('direction', 'ltr');
  await expect(title).toHaveCSS('direction', 'rtl');
  const left = async (locator: typeof title) => (await locator.boundingBox())?.x ?? Number.NaN;
  expect(await left(title)).toBeGreaterThan(await left(code));
  await expect(page.getByTestId('time-left')).toContainText(/1?\d:\d\d/);
  await kiosk.push(dressed(screens['standby']?.() as never, arabic));
  await expect(page.locator('.clock')).toHaveText(/^\d\d:\d\d$/);
  await kiosk.push(dressed(screens['trouble']?.() as never, arabic));
  await expect(page.locator('.code strong')).toHaveCSS('direction', 'ltr');
});

test('in Arabic the chip stands behind the word and a space, not against it', async ({ kiosk }) => {
  const { page } = kiosk;
  await kiosk.push(dressed(screens['standby']?.() as never, { language: 'ar' }));
  await kiosk.pushOperator(overlays['operator']?.() as never);
  const hardware = page.locator('.operator-layer').getByTestId('hardware');
  await expect(hardware).toContainText('IFX');
  const gap = await hardware.evaluate((element) => {
    const word = document.createRange();
    word.selectNode(element.firstChild as Node);
    const chip = (element.querySelector('bdi') as Element).getBoundingClientRect();
    const space = Number.parseFloat(getComputedStyle(element).fontSize) / 5;
    return (word.getBoundingClientRect().left - chip.right) / space;
  });
  expect(gap).toBeGreaterThan(1);
  await kiosk.pushOperator({ state: 'closed' });
});

test('Japanese and Arabic are set in a typeface that the player brings', async ({ kiosk }) => {
  for (const [language, family] of [
    ['ja', 'Noto Sans JP Variable'],
    ['ar', 'Noto Sans Arabic Variable'],
  ] as const) {
    await kiosk.push(dressed(screens['trouble']?.() as never, { language }));
    await expect(kiosk.page.locator(`html[lang="${language}"] .screen`)).toBeVisible();
    const loaded = () =>
      kiosk.page.evaluate(
        (name) => [...document.fonts].some((face) => face.family.includes(name) && face.status === 'loaded'),
        family,
      );
    await expect.poll(loaded).toBe(true);
  }
});
