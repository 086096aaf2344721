import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ViewChange } from '../../../electron/ipc/contract.ts';
import type { WebPage } from '../../../electron/shell/page-session.ts';
import type { PageView } from '../../../electron/shell/page-view.ts';
import { createPageViews, type ViewsPorts } from '../../../electron/shell/page-views.ts';

const pageOf = (assetId: string, refreshMs: number | null = null): WebPage => ({
  assetId,
  url: `https://${assetId}.example/`,
  headers: {},
  allowedOrigins: [],
  refreshMs,
  zoom: 1,
  scrollTop: 0,
  scrollSpeed: 0,
  sound: false,
});

/** A view that is ready at once and remembers what was done to it. */
function viewOf(assetId: string, isReady: boolean) {
  const deeds: string[] = [];
  let place = { x: -1, y: -1 };
  const view = {
    setBounds: ({ x, y }: { x: number; y: number }) => {
      place = { x, y };
    },
    webContents: { on: () => {}, getOSProcessId: () => 7 },
  };
  const told = (deed: string) => () => void deeds.push(deed);
  return {
    assetId,
    deeds,
    isInSight: () => place.x === 0 && place.y === 0,
    fail: (_reason: string) => {},
    opened: {
      view: view as unknown as PageView['view'],
      loadedAtMs: performance.now(),
      ready: isReady ? Promise.resolve() : new Promise(() => {}),
      painted: async () => true,
      begin: told('begun'),
      sleep: told('asleep'),
      wake: told('woken'),
      close: told('closed'),
    } satisfies PageView,
  };
}

type Limits = Partial<Pick<ViewsPorts, 'page' | 'memoryKib' | 'freeBytes' | 'recycleAfterMs'>> & {
  /** Whether the page that is opened as this one is ready at once; another one never is. */
  readonly ready?: (at: number) => boolean;
};

/** The product's own views over a window and pages that a test makes up. */
function setUp({ ready = () => true, ...limits }: Limits = {}) {
  const children: unknown[] = [];
  const window = {
    contentView: {
      children,
      addChildView: (view: unknown) => {
        if (children.includes(view)) children.splice(children.indexOf(view), 1);
        children.push(view);
      },
      removeChildView: (view: unknown) => void children.splice(children.indexOf(view), 1),
    },
    getContentBounds: () => ({ height: 720 }),
    on: () => {},
  };
  const made: ReturnType<typeof viewOf>[] = [];
  const changes: ViewChange[] = [];
  let owners = [1];
  const views = createPageViews({
    window: () => ({ window, width: 1280, height: 720 }) as unknown as ReturnType<ViewsPorts['window']>,
    page: (itemId) => pageOf(itemId),
    open: (page, _session, place, { failed }) => {
      const one = viewOf(page.assetId, ready(made.length));
      one.fail = failed;
      made.push(one);
      place(one.opened.view);
      return one.opened;
    },
    session: async () => ({}) as Awaited<ReturnType<ViewsPorts['session']>>,
    owners: () => owners,
    changed: (change) => void changes.push(change),
    failed: () => {},
    audible: true,
    focusPage: () => {},
    memoryKib: () => 1,
    waitedMs: () => 0,
    freeBytes: () => 2 ** 33,
    recycleAfterMs: Infinity,
    ...limits,
  });
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
  return {
    made,
    changes,
    children,
    views,
    /** Only these may still have showings. */
    own: (...ids: number[]) => {
      owners = ids;
    },
    async prepare(playId: string, assetId: string, owner = 1) {
      views.prepare(playId, assetId, owner);
      await settled();
    },
    /** One whole showing. */
    async showing(playId: string, assetId: string) {
      views.prepare(playId, assetId, 1);
      await settled();
      await views.reveal(playId);
      views.release(playId);
    },
  };
}

test('a page that is shown again was kept asleep meanwhile', async () => {
  const { made, showing } = setUp();
  await showing('1', 'a');
  await showing('2', 'a');
  assert.deepEqual(
    made.map(({ deeds }) => deeds),
    [['begun', 'asleep', 'woken', 'begun', 'asleep']],
  );
});

test('two pages are kept, those that were shown last', async () => {
  const { made, showing } = setUp();
  for (const [at, asset] of ['a', 'b', 'c'].entries()) {
    await showing(String(at), asset);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(
    made.map(({ assetId, deeds }) => [assetId, deeds.includes('closed')]),
    [
      ['a', true],
      ['b', false],
      ['c', false],
    ],
  );
});

for (const [what, limits] of [
  ['while the machine is short of memory', { freeBytes: () => 511 * 2 ** 20 }],
  ['that takes much memory', { memoryKib: () => 385 * 1024 }],
  ['that has grown old', { recycleAfterMs: 0 }],
] as const)
  test(`a page ${what} is not kept: its next showing is by a fresh process`, async () => {
    const { made, children, showing } = setUp(limits);
    await showing('1', 'a');
    assert.equal(made[0]?.deeds.at(-1), 'closed');
    assert.deepEqual(children, []);
    await showing('2', 'a');
    assert.equal(made.length, 2);
  });

test('a page on the display is exchanged at its refresh interval for one that is awake', async () => {
  const { made, prepare, views } = setUp({ page: (itemId) => pageOf(itemId, 20) });
  await prepare('1', 'a');
  await views.reveal('1');
  while (made[0]?.deeds.includes('closed') !== true) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(made[1]?.deeds, ['begun']);
  assert.equal(made[1]?.isInSight(), true);
  views.release('1');
});

const until = async (happened: () => boolean) => {
  for (const endMs = performance.now() + 10_000; !happened(); await new Promise((resolve) => setTimeout(resolve, 2)))
    if (performance.now() > endMs) throw new Error('did not happen');
};

test('a page that is exchanged on the display is so for its next showing, too', async () => {
  const { made, changes, prepare, views } = setUp({ page: (itemId) => pageOf(itemId, 60) });
  await prepare('1', 'a');
  await views.reveal('1');
  // Alone in its program: its next turn is prepared as soon as it is shown.
  await prepare('2', 'a');
  await until(() => made[0]?.deeds.includes('closed') === true);
  assert.deepEqual(made.map(({ isInSight }) => isInSight()).slice(1, 2), [true]);
  assert.deepEqual(changes.at(-1), { playId: '2', state: 'ready' });
  const count = made.length;
  await views.reveal('2');
  views.release('1');
  assert.equal(made[count - 1]?.isInSight(), true);
  assert.equal(made[count - 1]?.deeds.includes('closed'), false);
  assert.equal(made[0]?.deeds.at(-1), 'closed');
  views.release('2');
});

test('a page that could not be exchanged on the display is tried again, and stays meanwhile', async () => {
  const { made, prepare, views } = setUp({ page: (itemId) => pageOf(itemId, 20), ready: (at) => at !== 1 && at !== 2 });
  await prepare('1', 'a');
  await views.reveal('1');
  await until(() => made.length === 2);
  made[1]?.fail('unreachable');
  assert.deepEqual(made[1]?.deeds, ['closed']);
  await until(() => made.length === 3);
  made[2]?.fail('load-deadline');
  assert.equal(made[0]?.isInSight(), true);
  await until(() => made[0]?.deeds.includes('closed') === true);
  assert.equal(made[3]?.isInSight(), true);
  views.release('1');
});

test('a page that is to take another’s place on the display is the next showing’s, where that comes before it is there', async () => {
  const { made, changes, prepare, views } = setUp({ page: (itemId) => pageOf(itemId, 150), ready: (at) => at === 0 });
  await prepare('1', 'a');
  await views.reveal('1');
  await until(() => made.length === 2);
  await prepare('2', 'a');
  assert.equal(made.length, 2);
  views.release('1');
  assert.equal(made[1]?.deeds.includes('closed'), false);
  made[1]?.fail('unreachable');
  assert.deepEqual(changes.at(-1), { playId: '2', state: 'failed', reason: 'unreachable' });
});

test('a page that fails on the display leaves it to the page that is ready next', async () => {
  const { made, changes, prepare, views } = setUp();
  await prepare('1', 'a');
  await views.reveal('1');
  await prepare('2', 'b');
  assert.deepEqual(
    made.map(({ isInSight }) => isInSight()),
    [true, false],
  );
  made[0]?.fail('crashed');
  assert.equal(made[1]?.isInSight(), true);
  assert.deepEqual(made[0]?.deeds, ['begun', 'closed']);
  assert.deepEqual(changes.at(-1), { playId: '1', state: 'failed', reason: 'crashed' });
});

test('a page that fails beside the display changes nothing on it', async () => {
  const { made, prepare, views } = setUp();
  await prepare('1', 'a');
  await views.reveal('1');
  await prepare('2', 'b');
  await prepare('3', 'c');
  made[1]?.fail('crashed');
  assert.deepEqual(
    made.map(({ isInSight }) => isInSight()),
    [true, false, false],
  );
});

test('what a page had raised is lowered as soon as the page is gone, though another holds it for later', async () => {
  const { made, prepare, own, views } = setUp();
  own(2, 1);
  await prepare('old', 'a');
  await views.reveal('old');
  await prepare('new', 'a', 2);
  views.disown();
  assert.equal(made[0]?.isInSight(), true);
  own(2);
  views.disown();
  assert.equal(made[0]?.isInSight(), false);
  assert.deepEqual(made[0]?.deeds, ['begun']);
  await views.reveal('new');
  assert.equal(made[0]?.isInSight(), true);
  views.release('new');
  assert.deepEqual(made[0]?.deeds, ['begun', 'begun', 'asleep']);
  assert.equal(made[0]?.isInSight(), false);
});

test('a page that a successor shows as well stays when its predecessor is gone', async () => {
  const { made, prepare, own, views } = setUp();
  own(2, 1);
  await prepare('old', 'a');
  await views.reveal('old');
  await prepare('new', 'a', 2);
  await views.reveal('new');
  own(2);
  views.disown();
  assert.equal(made[0]?.isInSight(), true);
  views.release('new');
  assert.equal(made[0]?.isInSight(), false);
});
