import { expect } from 'playwright/test';
import { encode } from 'uqr';
import type { Snapshot } from '../../../electron/ipc/contract.ts';
import {
  card,
  claimUrl,
  dressed,
  legible,
  misplaced,
  notice,
  overlays,
  screens,
  settleMotion,
  sizes,
  smallestText,
  trouble,
} from './catalogue.ts';
import { contrasts } from './contrast.ts';
import { device, test } from './kiosk.ts';

for (const { name: size, width, height } of sizes) {
  for (const [name, snapshot] of Object.entries(screens)) {
    test(`the screen ${name} keeps every text in its place and legible from five metres at ${size}`, async ({
      kiosk,
    }) => {
      await kiosk.resize(width, height);
      await kiosk.push(snapshot());
      await expect(kiosk.page.getByTestId(`screen-${snapshot().state}`)).toBeVisible();
      await kiosk.page.evaluate(() => document.fonts.ready);
      for (const at of [0, 1] as const) {
        await settleMotion(kiosk.page, at);
        expect(await kiosk.page.evaluate(misplaced, '#root > .screen')).toEqual([]);
      }
      expect(await kiosk.page.evaluate(smallestText, '#root > .screen')).toBeGreaterThanOrEqual(legible);
      await kiosk.screenshot(`${name}-${size}`);
      expect(kiosk.complaints).toEqual([]);
    });
  }
}

for (const { name: size, width, height } of sizes) {
  test(`the operator’s overlay keeps every text in its place and legible from five metres at ${size}`, async ({
    kiosk,
  }) => {
    await kiosk.resize(width, height);
    await kiosk.push({ ...device, state: 'standby', reason: 'nothing-scheduled' });
    for (const [name, view] of Object.entries(overlays)) {
      await kiosk.pushOperator(view());
      await expect(kiosk.page.getByTestId('operator-layer')).toBeVisible();
      await kiosk.page.evaluate(() => document.fonts.ready);
      expect(await kiosk.page.evaluate(misplaced, '.operator-layer'), name).toEqual([]);
      expect(await kiosk.page.evaluate(smallestText, '.operator-layer'), name).toBeGreaterThanOrEqual(legible);
      await kiosk.screenshot(`${name}-${size}`);
    }
    expect(kiosk.complaints).toEqual([]);
  });
}

test('the look for misplaced texts finds one that is there', async ({ kiosk }) => {
  await kiosk.push(screens['trouble']?.() as Snapshot);
  const heading = kiosk.page.getByRole('heading', { level: 1 });
  await expect(heading).toBeVisible();
  await heading.evaluate((element) => {
    element.style.width = '3em';
    element.style.overflow = 'hidden';
    element.style.whiteSpace = 'nowrap';
  });
  expect(await kiosk.page.evaluate(misplaced, '#root > .screen')).toContainEqual(
    expect.stringMatching(/^cut: The player may not/),
  );
  await heading.evaluate((element) => {
    element.style.position = 'fixed';
    element.style.left = '-1em';
  });
  expect(await kiosk.page.evaluate(misplaced, '#root > .screen')).toContainEqual(
    expect.stringMatching(/^outside: The player may not/),
  );
});

test('nothing turns or fills up on a screen that waits: no progress is shown that nobody measures', async ({
  kiosk,
}) => {
  const promises = () =>
    kiosk.page.evaluate(() => {
      const marks = '.screen :is(progress, meter, canvas, img, video, animate, [role="progressbar"], [aria-busy])';
      const moving = document.getAnimations().map((animation) => (animation as CSSAnimation).animationName);
      return [...[...document.querySelectorAll(marks)].map(({ localName }) => localName), ...moving];
    });
  for (const name of ['starting', 'registering-asking', 'registering', 'trouble']) {
    const snapshot = screens[name]?.() as Snapshot;
    await kiosk.push(snapshot);
    await expect(kiosk.page.getByTestId(`screen-${snapshot.state}`)).toBeVisible();
    await expect.poll(promises, { message: name }).toEqual([]);
  }
  // That it could be seen: the clock of this screen drifts.
  await kiosk.push(screens['standby']?.() as Snapshot);
  await expect.poll(promises).toContain('drift');
});

test('shows PIN, fingerprint in groups of four, time left and the steps', async ({ kiosk }) => {
  await kiosk.push(screens['registering']?.() as Snapshot);
  const { page } = kiosk;
  await expect(page.getByTestId('pin')).toHaveText('K7M4QX');
  await expect(page.getByTestId('fingerprint').locator('span')).toHaveText(['9f3a', 'c2e1', '7b40', 'd856']);
  await expect(page.getByTestId('time-left')).toHaveText(/14:5\d/);
  await expect(page.getByRole('listitem')).toHaveCount(3);
  await expect(page.getByTestId('notice')).toHaveText(`${notice.summary} ${notice.remedy}`);
});

test('says that a PIN has expired instead of counting below zero', async ({ kiosk }) => {
  await kiosk.push({ ...device, state: 'registering', registration: card(-1) });
  await expect(kiosk.page.getByTestId('time-left')).toHaveText('The PIN has expired. A new one follows.');
});

test('the QR code on the display has exactly the modules of the claim address', async ({ kiosk }) => {
  await kiosk.resize(1920, 1080);
  await kiosk.push(screens['registering']?.() as Snapshot);
  const box = await kiosk.page.locator('.qr').boundingBox();
  if (box === null) throw new Error('no QR code');
  const { data, size } = encode(claimUrl, { ecc: 'M', border: 4 });
  const pixelsPerModule = box.width / size;
  expect(pixelsPerModule, 'a module must be large enough for a telephone some steps away').toBeGreaterThan(6);
  const seen = () =>
    data.map((row, y) =>
      row.map((_dark, x) => {
        const at = (place: number, origin: number) => Math.round(origin + (place + 0.5) * pixelsPerModule);
        return kiosk.display.pixel(at(x, box.x), at(y, box.y))[1] < 128;
      }),
    );
  await expect.poll(seen).toEqual(data);
});

test('shows that the key is not held by a TPM on every screen, and never over content', async ({ kiosk }) => {
  const software = { ...device, keyProtection: 'software' } as const;
  const warning = kiosk.page.getByTestId('software-key');
  await kiosk.push({ ...software, state: 'trouble', trouble });
  await expect(warning).toBeVisible();
  await kiosk.push({ ...software, state: 'standby', reason: 'suspended' });
  await expect(warning).toBeVisible();
  await kiosk.push({ ...device, state: 'standby', reason: 'suspended' });
  await expect(warning).toHaveCount(0);
});

test('trouble shows what is wrong, what to do and the code', async ({ kiosk }) => {
  await kiosk.push(screens['trouble']?.() as Snapshot);
  const screen = kiosk.page.getByTestId('screen-trouble');
  await expect(screen).toContainText(trouble.summary);
  await expect(screen).toContainText(trouble.remedy);
  await expect(screen).toContainText(trouble.code);
});

for (const { look, width, height, name: how } of [
  { name: 'dark', look: { theme: 'dark' }, width: 1280, height: 720 },
  { name: 'light', look: { theme: 'light' }, width: 1280, height: 720 },
  { name: 'dark Arabic', look: { theme: 'dark', language: 'ar' }, width: 1280, height: 720 },
  { name: 'light Japanese, upright', look: { theme: 'light', language: 'ja' }, width: 1080, height: 1920 },
] as const) {
  test(`every text on every screen (${how}) has a contrast of at least 4.5 to what lies beneath it`, async ({
    kiosk,
  }) => {
    test.slow();
    const { theme } = look;
    const language = 'language' in look ? look.language : 'en';
    await kiosk.resize(width, height);
    for (const [name, snapshot] of Object.entries(screens)) {
      await kiosk.push(dressed(snapshot(), { theme, language }));
      await expect(kiosk.page.getByTestId(`screen-${snapshot().state}`)).toBeVisible();
      await expect(kiosk.page.locator(`html[lang="${language}"]`)).toBeAttached();
      await kiosk.page.evaluate(() => document.fonts.ready);
      await settleMotion(kiosk.page, 0);
      // The display may still show the screen before: measured until it is this one.
      const weak = async () => {
        const measured = await contrasts(kiosk.page, kiosk.display);
        return measured.length > 2 ? measured.filter(([, ratio]) => ratio < 4.5) : 'no texts';
      };
      await expect.poll(weak, { message: name }).toEqual([]);
    }
    await kiosk.push(dressed({ ...device, state: 'starting' }, { theme, language }));
    for (const [name, view] of Object.entries(overlays)) {
      await kiosk.pushOperator(view());
      const weak = async () => {
        const measured = await contrasts(kiosk.page, kiosk.display, '.operator-layer');
        return measured.length > 2 ? measured.filter(([, ratio]) => ratio < 4.5) : 'no texts';
      };
      await expect.poll(weak, { message: name }).toEqual([]);
    }
  });
}

test('the look for weak contrast finds one that is there', async ({ kiosk }) => {
  await kiosk.push(screens['trouble']?.() as Snapshot);
  const heading = kiosk.page.getByRole('heading', { level: 1 });
  await heading.evaluate((element) => {
    element.style.color = '#333';
  });
  const weak = async () =>
    (await contrasts(kiosk.page, kiosk.display)).filter(([, ratio]) => ratio < 4.5).map(([words]) => words);
  await expect.poll(weak).toEqual([trouble.summary]);
});

test('a theme that follows the desktop is light where the desktop is', async ({ kiosk }) => {
  const ground = () => kiosk.display.pixel(640, 700)[0];
  await kiosk.page.emulateMedia({ colorScheme: 'light' });
  await kiosk.push(dressed({ ...device, state: 'starting' }, { theme: 'auto' }));
  await expect.poll(ground).toBeGreaterThan(200);
  await kiosk.page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(ground).toBeLessThan(60);
  await kiosk.page.emulateMedia({ colorScheme: null });
});
