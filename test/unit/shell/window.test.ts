import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Display } from 'electron';
import { covers, kioskWindowOptions } from '../../../electron/shell/window.ts';

const bounds = { x: 0, y: 0, width: 1_920, height: 1_080 };

test('a window that leaves a part of the display free, or reaches beyond it, does not cover it', () => {
  for (const change of [
    { x: 1 },
    { y: 1 },
    { x: -1 },
    { width: 1_919 },
    { width: 1_921 },
    { height: 1_079 },
    { height: 1_083 },
  ])
    assert.equal(covers({ ...bounds, ...change }, bounds), false, JSON.stringify(change));
});

test('a window of the display’s size, or two rows more, covers it, wherever the display is', () => {
  for (const display of [bounds, { x: -1_280, y: 200, width: 1_280, height: 720 }]) {
    assert.equal(covers(display, display), true);
    assert.equal(covers({ ...display, height: display.height + 1 }, display), true);
    assert.equal(covers({ ...display, height: display.height + 2 }, display), true);
  }
});

test('the page has no Node, no DevTools, no webview and no way round the sandbox', () => {
  const { webPreferences } = kioskWindowOptions({ bounds } as Display, '/opt/preload.cjs');
  const expected = {
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    devTools: false,
    disableDialogs: true,
    navigateOnDragDrop: false,
    preload: '/opt/preload.cjs',
  };
  for (const [name, value] of Object.entries(expected))
    assert.equal((webPreferences as Record<string, unknown>)[name], value, name);
});

test('the window opens on the display’s bounds and is never white', () => {
  const options = kioskWindowOptions({ bounds: { ...bounds, x: 1_920 } } as Display, '/opt/preload.cjs');
  assert.deepEqual([options.x, options.width, options.kiosk, options.frame], [1_920, 1_920, true, false]);
  assert.match(String(options.backgroundColor), /^#0/);
});
