import type { Page } from 'playwright/test';
import { expect } from 'playwright/test';
import { encode } from 'uqr';
import type { RegistrationCard, Snapshot } from '../../../electron/ipc/contract.ts';
import { device, test } from './kiosk.ts';

const claimUrl = 'https://console.example.org/claim?pin=K7M4QX&screen=2f6c1a90';

const card = (leftMs: number): RegistrationCard => ({
  pin: 'K7M4QX',
  fingerprint: '9f3ac2e17b40d856',
  claimUrl,
  expiresAtMs: Date.now() + leftMs,
});

const notice = {
  code: 'CONNECTION_TIMEOUT',
  summary: 'The server does not answer. The screen goes on with what it has.',
  remedy: 'Check the network.',
};

const trouble = {
  code: 'TPM_ACCESS_DENIED',
  summary: 'The player may not use the TPM of this computer.',
  remedy: 'Add the account of the player to the group “tss”, then restart the player.',
};

const screens: Readonly<Record<string, () => Snapshot>> = {
  starting: () => ({ ...device, state: 'starting' }),
  'registering-asking': () => ({ ...device, screenName: null, state: 'registering', registration: null }),
  registering: () => ({ ...device, screenName: null, state: 'registering', registration: card(899_000), notice }),
  'registering-widest': () => ({ ...device, state: 'registering', registration: { ...card(899_000), pin: 'WWWWWW' } }),
  'registering-software': () => ({
    ...device,
    state: 'registering',
    registration: card(61_000),
    keyProtection: 'software',
  }),
  standby: () => ({ ...device, state: 'standby', reason: 'nothing-scheduled' }),
  'standby-notice': () => ({
    ...device,
    state: 'standby',
    reason: 'nothing-synced',
    notice,
    keyProtection: 'software',
  }),
  trouble: () => ({ ...device, state: 'trouble', trouble }),
  'trouble-software': () => ({ ...device, state: 'trouble', trouble, notice, keyProtection: 'software' }),
};

const sizes = [
  { name: '720p', width: 1280, height: 720 },
  { name: '1080p', width: 1920, height: 1080 },
  { name: 'portrait', width: 1080, height: 1920 },
] as const;

/** Texts that leave the display, their box or each other's space; a paused animation stands where it is farthest out. */
function misplaced(): string[] {
  const texts = [...document.querySelectorAll<HTMLElement>('.screen *')].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()),
  );
  const boxes = texts.map((element) => ({ element, box: element.getBoundingClientRect() }));
  const outside = boxes.filter(
    ({ box }) => box.left < 0 || box.top < 0 || box.right > innerWidth + 0.5 || box.bottom > innerHeight + 0.5,
  );
  const cut = texts.filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0);
  const apart = (a: DOMRect, b: DOMRect) =>
    a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  const crossing = boxes.filter((one) =>
    boxes.some(
      (other) =>
        !one.element.contains(other.element) && !other.element.contains(one.element) && !apart(one.box, other.box),
    ),
  );
  return [
    ...outside.map(({ element }) => `outside: ${element.textContent}`),
    ...cut.map((element) => `cut: ${element.textContent}`),
    ...crossing.map(({ element }) => `crossing: ${element.textContent}`),
  ];
}

/** Puts every endless animation at its end, where a moving text is farthest from its place. */
async function settleMotion(page: Page, at: 0 | 1) {
  await page.evaluate((share) => {
    for (const animation of document.getAnimations()) {
      animation.pause();
      const { duration } = animation.effect?.getComputedTiming() ?? {};
      animation.currentTime = Number(duration) * share * 0.9999;
    }
  }, at);
}

for (const { name: size, width, height } of sizes) {
  for (const [name, snapshot] of Object.entries(screens)) {
    test(`the screen ${name} keeps every text in its place at ${size}`, async ({ kiosk }) => {
      await kiosk.resize(width, height);
      await kiosk.push(snapshot());
      await expect(kiosk.page.getByTestId(`screen-${snapshot().state}`)).toBeVisible();
      await kiosk.page.evaluate(() => document.fonts.ready);
      for (const at of [0, 1] as const) {
        await settleMotion(kiosk.page, at);
        expect(await kiosk.page.evaluate(misplaced)).toEqual([]);
      }
      await kiosk.screenshot(`${name}-${size}`);
      expect(kiosk.complaints).toEqual([]);
    });
  }
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
  expect(await kiosk.page.evaluate(misplaced)).toContainEqual(expect.stringMatching(/^cut: The player may not/));
  await heading.evaluate((element) => {
    element.style.position = 'fixed';
    element.style.left = '-1em';
  });
  expect(await kiosk.page.evaluate(misplaced)).toContainEqual(expect.stringMatching(/^outside: The player may not/));
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

test('every text has a contrast of at least 4.5 to its ground', async ({ kiosk }) => {
  for (const snapshot of Object.values(screens)) {
    await kiosk.push(snapshot());
    await expect(kiosk.page.getByTestId(`screen-${snapshot().state}`)).toBeVisible();
    const colours = await kiosk.page.evaluate(() =>
      [...document.querySelectorAll('.screen *')]
        .filter((element) => !element.closest('.warning, svg'))
        .map((element) => getComputedStyle(element).color),
    );
    // The lightest ground that the screens have, where their two lights meet.
    for (const colour of new Set(colours)) expect(contrast(colour, 'rgb(38, 40, 54)'), colour).toBeGreaterThan(4.5);
  }
});

/** Contrast ratio of two `rgb()` colours (WCAG 2.2, relative luminance). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string) => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? [])
      .map((part) => Number(part) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
