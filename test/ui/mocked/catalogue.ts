/** Every screen of the player in the states that stretch it most, and how to look at one. */
import type { Page } from 'playwright/test';
import type { Look, OperatorView, Overview, RegistrationCard, Snapshot } from '../../../electron/ipc/contract.ts';
import { device, item, playing } from './kiosk.ts';

export const claimUrl = 'https://console.example.org/claim?pin=K7M4QX&screen=2f6c1a90';

export const card = (leftMs: number): RegistrationCard => ({
  pin: 'K7M4QX',
  fingerprint: '9f3ac2e17b40d856',
  claimUrl,
  expiresAtMs: Date.now() + leftMs,
  hardware: null,
});

const verified = { verified: true, manufacturer: 'id:00001014', model: 'WWWWWWWWWWWW' } as const;

export const notice = {
  code: 'CONNECTION_TIMEOUT',
  summary: 'The server does not answer. The screen goes on with what it has.',
  remedy: 'Check the network.',
};

export const trouble = {
  code: 'TPM_ACCESS_DENIED',
  summary: 'The player may not use the TPM of this computer.',
  remedy: 'Add the account of the player to the group “tss”, then restart the player.',
};

export const screens: Readonly<Record<string, () => Snapshot>> = {
  starting: () => ({ ...device, state: 'starting' }),
  'registering-asking': () => ({ ...device, screenName: null, state: 'registering', registration: null }),
  registering: () => ({ ...device, screenName: null, state: 'registering', registration: card(899_000), notice }),
  'registering-widest': () => ({
    ...device,
    state: 'registering',
    registration: { ...card(899_000), pin: 'WWWWWW', hardware: verified },
  }),
  'registering-software': () => ({
    ...device,
    state: 'registering',
    registration: { ...card(61_000), hardware: { verified: false, reason: 'none' } },
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

/** A program of one sound, for its card. */
export async function heard(title = 'Gymnopédie No. 1', changes: Partial<Look> = {}): Promise<Snapshot> {
  const sound = await item('sound', 'matrix/silence.flac', { title, durationSeconds: 600 });
  const look = { ...device.look, ...changes };
  return { ...playing(`heard ${title} ${JSON.stringify(look)}`, [sound, await item('picture', 'red.png')]), look };
}

export const sizes = [
  { name: '720p', width: 1280, height: 720 },
  { name: '1080p', width: 1920, height: 1080 },
  { name: 'portrait', width: 1080, height: 1920 },
] as const;

/** Texts that leave the display, their box or each other's space; a paused animation stands where it is farthest out. */
export function misplaced(within = '#root > .screen'): string[] {
  const texts = [...document.querySelectorAll<HTMLElement>(`${within} *`)].filter((element) =>
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

/** The smallest size of any text, in hundredths of the shorter side of the 16:9 picture (`--u` of base.css). */
export function smallestText(within: string): number {
  const unit = Math.min(innerWidth, innerHeight, 0.5625 * Math.max(innerWidth, innerHeight)) / 100;
  const texts = [...document.querySelectorAll<HTMLElement>(`${within} *`)].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim()),
  );
  return Math.min(...texts.map((element) => Number.parseFloat(getComputedStyle(element).fontSize) / unit));
}

/** What good eyes read from five metres on a 55-inch display, as base.css reckons; less what rounding takes. */
export const legible = 2.7 - 0.01;

/** Puts every endless animation at its end, where a moving text is farthest from its place. */
export async function settleMotion(page: Page, at: 0 | 1) {
  await page.evaluate((share) => {
    for (const animation of document.getAnimations()) {
      animation.pause();
      const { duration } = animation.effect?.getComputedTiming() ?? {};
      animation.currentTime = Number(duration) * share * 0.9999;
    }
  }, at);
}

export const overview: Overview = {
  state: 'playing',
  startedAtMs: Date.UTC(2026, 10, 19, 6, 42),
  fault: null,
  fingerprint: '9f3ac2e17b40d856',
  keyProtection: 'tpm',
  hardware: { verified: true, manufacturer: 'IFX', model: 'SLB9672' },
  certificateUntilMs: Date.UTC(2027, 4, 30, 12),
  identityEvent: { event: 'certificate-stored', atMs: Date.UTC(2026, 10, 24, 3, 12) },
  tpm: { maker: 'IFX', firmware: '7.85.4555.0', lockout: false },
  now: 'Welcome to Meridian House',
  next: 'Autumn exhibition: Strata, until 31 January in the north gallery',
  items: 12,
  playlistVersion: 4127,
  server: 'signage.example.org',
  lastAnswerAtMs: Date.UTC(2026, 10, 26, 12, 3),
  addresses: ['192.0.2.47', '2001:db8:31::a4c7'],
  storeBytes: 2.31e9,
  budgetBytes: 8 * 2 ** 30,
  freeBytes: 41.8e9,
  versions: {
    player: '0.1.0',
    electron: '45.4.1',
    chromium: '152.0.7812.44',
    openssl: '3.0.17',
    system: 'Linux 6.1.0-41-amd64',
  },
};

/** The operator's overlay in the states that stretch it most; it lies over a screen or over content. */
export const overlays: Readonly<Record<string, () => Exclude<OperatorView, { state: 'closed' }>>> = {
  'operator-asking': () => ({ state: 'asking', leavesAtMs: Date.now() + 29_500, attempts: 0 }),
  'operator-refused': () => ({ state: 'asking', leavesAtMs: Date.now() + 29_500, attempts: 1 }),
  operator: () => ({ state: 'open', leavesAtMs: Date.now() + 89_500, overview }),
  'operator-fault': () => ({
    state: 'open',
    leavesAtMs: Date.now() + 89_500,
    overview: {
      ...overview,
      state: 'trouble',
      fault: trouble,
      tpm: null,
      hardware: { verified: false, reason: 'unknown-chip' },
      now: null,
      next: null,
      keyProtection: 'software',
    },
  }),
};

/** A snapshot in another language, theme or rotation. */
export const dressed = (snapshot: Snapshot, look: Partial<Look>): Snapshot => ({
  ...snapshot,
  look: { ...snapshot.look, ...look },
});
