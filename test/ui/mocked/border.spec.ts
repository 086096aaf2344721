import { expect } from 'playwright/test';
import type { PlayerBridge } from '../../../electron/ipc/contract.ts';
import { item, playing, test } from './kiosk.ts';

test('the page has nothing of Node or Electron, and a bridge that cannot be changed', async ({ kiosk }) => {
  const found = await kiosk.page.evaluate(() => {
    const global = globalThis as unknown as Record<string, unknown>;
    const names = ['process', 'require', 'module', 'Buffer', 'global', '__dirname', 'ipcRenderer', 'electron'];
    const bridge = global['player'] as Record<string, unknown>;
    return {
      globals: names.filter((name) => name in global),
      actions: Object.keys(bridge).sort(),
      changed: Reflect.set(bridge, 'report', null) || Reflect.defineProperty(global, 'player', { value: null }),
    };
  });
  expect(found).toEqual({
    globals: [],
    actions: [
      ...['beat', 'enterPin', 'onOperator', 'onSnapshot', 'onView', 'prepareView', 'releaseView', 'report'],
      ...['resume', 'revealView', 'snapshot'],
      'veilViews',
    ],
    changed: false,
  });
});

test('a listener gets the snapshot alone, and nothing after it has left', async ({ kiosk }) => {
  await kiosk.page.evaluate(() => {
    const heard: unknown[][] = [];
    const leave = (window as unknown as { player: PlayerBridge }).player.onSnapshot((...given: unknown[]) => {
      heard.push(given);
      leave();
    });
    Object.assign(window, { heard });
  });
  await kiosk.push(playing('p1', [await item('a', 'red.png')]));
  await kiosk.push(playing('p2', [await item('b', 'green.png')]));
  await kiosk.reported('shown b');
  const heard = await kiosk.page.evaluate(() => (window as unknown as { heard: [{ state: string }][] }).heard);
  expect(heard.map((given) => given.map(({ state }) => state))).toEqual([['playing']]);
});

for (const { what, directive, attempt } of [
  { what: 'a request', directive: 'connect-src', attempt: () => void fetch('player://app/index.html').catch(() => {}) },
  { what: 'a frame', directive: 'frame-src', attempt: () => embed('iframe', { src: 'player://app/index.html' }) },
  { what: 'a foreign picture', directive: 'img-src', attempt: () => embed('img', { src: 'https://localhost/x.png' }) },
  { what: 'a data picture', directive: 'img-src', attempt: () => embed('img', { src: 'data:image/png;base64,AA==' }) },
  { what: 'an inline style', directive: 'style-src-elem', attempt: () => embed('style', { textContent: 'a{}' }) },
  {
    what: 'markup from a string',
    directive: 'require-trusted-types-for',
    attempt: () => {
      document.body.insertAdjacentHTML('beforeend', '<b>x</b>');
    },
  },
  {
    what: 'code from a string',
    directive: 'require-trusted-types-for',
    attempt: () => {
      setTimeout('globalThis.evaluated = true');
    },
  },
]) {
  test(`the policy of the page refuses ${what}`, async ({ kiosk }) => {
    await kiosk.page.evaluate(() => {
      const violations: string[] = [];
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
        violations.push(effectiveDirective),
      );
      const embed = (tag: string, attributes: object) =>
        document.body.append(Object.assign(document.createElement(tag), attributes));
      Object.assign(window, { violations, embed });
    });
    await kiosk.page.evaluate(attempt).catch(() => {});
    await expect
      .poll(() => kiosk.page.evaluate(() => (window as unknown as { violations: string[] }).violations))
      .toContain(directive);
    expect(await kiosk.page.evaluate(() => 'evaluated' in window)).toBe(false);
  });
}

/** Put on the page by the tests that use it. */
declare function embed(tag: string, attributes: object): void;

test('beats with a growing count of frames and the item that is shown', async ({ kiosk }) => {
  await kiosk.push(playing('p1', [await item('a', 'red.png', { durationSeconds: 60 })]));
  await kiosk.reported('shown a');
  await expect.poll(async () => (await kiosk.beats()).filter(({ itemId }) => itemId === 'a').length).toBeGreaterThan(2);
  const frames = (await kiosk.beats()).map((beat) => beat.frames);
  expect(frames).toEqual([...new Set(frames)].sort((a, b) => a - b));
});

test('stops beating when the page fails, so that main loads it anew', async ({ kiosk }) => {
  await expect.poll(async () => (await kiosk.beats()).length).toBeGreaterThan(1);
  await kiosk.page.evaluate(() => void setTimeout(() => Promise.reject(new Error('planted'))));
  await expect.poll(() => kiosk.complaints).toContain('planted');
  const beats = (await kiosk.beats()).length;
  // Frames go on being painted, for longer than three beats would take.
  await kiosk.page.evaluate(async () => {
    for (let frame = 0; frame < 60; frame += 1) await new Promise(requestAnimationFrame);
  });
  expect((await kiosk.beats()).length).toBeLessThanOrEqual(beats + 1);
});

test('is still under every hand: keys, menus, selection and dragging change nothing', async ({ kiosk }) => {
  await kiosk.page.evaluate(() => {
    const unprevented: string[] = [];
    for (const type of ['keydown', 'contextmenu', 'dragstart', 'wheel']) {
      document.addEventListener(type, (event) => event.defaultPrevented || unprevented.push(type));
    }
    Object.assign(window, { unprevented });
  });
  await kiosk.page.mouse.click(200, 200, { button: 'right' });
  await kiosk.page.mouse.dblclick(200, 360);
  await kiosk.page.mouse.wheel(0, 400);
  for (const key of ['F5', 'Tab', 'Space', 'Control+a', 'Control+Equal', 'Alt+ArrowLeft']) {
    await kiosk.page.keyboard.press(key);
  }
  const after = await kiosk.page.evaluate(() => ({
    unprevented: (window as unknown as { unprevented: string[] }).unprevented,
    selected: String(getSelection()),
    scrolled: scrollY,
    cursor: getComputedStyle(document.body).cursor,
    address: location.href,
  }));
  expect(after).toEqual({
    unprevented: [],
    selected: '',
    scrolled: 0,
    cursor: 'none',
    address: 'player://app/index.html',
  });
});
