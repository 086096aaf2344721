import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import type { App, Session, WebContents } from 'electron';
import { isAllowedRequest, lockDown } from '../../../electron/shell/lockdown.ts';
import { recordedLog } from '../../support/recorded-log.ts';

test('denies every request but those of the player’s own scheme', () => {
  for (const url of [
    'https://example.com/',
    'http://127.0.0.1/',
    'file:///etc/passwd',
    'data:text/html,x',
    'blob:player://app/1',
    'ws://app/',
    'devtools://devtools/bundled/inspector.html',
    'chrome://gpu',
    'about:blank',
    'view-source:player://app/',
    'players://app/',
    'filesystem:player://app/x',
    '',
    'player',
    '//app/index.html',
  ])
    assert.equal(isAllowedRequest(url), false, url);
  for (const url of ['player://app/index.html', 'player://media/0', 'PLAYER://app/'])
    assert.equal(isAllowedRequest(url), true);
});

/** An object that remembers the handler given to each of its setters. */
function withSetters<T>(): T & EventEmitter & { readonly handlers: Map<string, (...args: never[]) => unknown> } {
  const handlers = new Map<string, (...args: never[]) => unknown>();
  const emitter = Object.assign(new EventEmitter(), { handlers });
  return new Proxy(emitter, {
    get: (target, name) => {
      if (name in target) return Reflect.get(target, name, target);
      if (name === 'webRequest')
        return { onBeforeRequest: (handler: () => unknown) => handlers.set('onBeforeRequest', handler) };
      return (handler: () => unknown) => handlers.set(String(name), handler);
    },
  }) as never;
}

function locked() {
  const app = new EventEmitter();
  const { log, events } = recordedLog();
  lockDown(app as unknown as App, log);
  const session = withSetters<Session>();
  const contents = withSetters<WebContents>();
  app.emit('session-created', session);
  app.emit('web-contents-created', {}, contents);
  return { app, session, contents, events };
}

/** Emits an event that can be prevented. @returns whether it was */
function prevented(emitter: EventEmitter, name: string, ...args: unknown[]): boolean {
  let was = false;
  emitter.emit(name, { preventDefault: () => (was = true) }, ...args);
  return was;
}

/** What a handler calls back with. */
function calledBack(handler: ((...args: never[]) => unknown) | undefined, ...args: unknown[]): unknown {
  let answer: unknown = 'not called';
  (handler as (...given: unknown[]) => unknown)(...args, (given: unknown) => {
    answer = given;
  });
  return answer;
}

test('every session denies permissions, devices, screens and requests to anywhere', () => {
  const { session, events } = locked();
  const { handlers } = session;
  assert.equal(calledBack(handlers.get('setPermissionRequestHandler'), {}, 'media'), false);
  assert.equal((handlers.get('setPermissionCheckHandler') as () => unknown)(), false);
  assert.equal((handlers.get('setDevicePermissionHandler') as () => unknown)(), false);
  assert.deepEqual(calledBack(handlers.get('setDisplayMediaRequestHandler'), {}), {});
  const onBeforeRequest = handlers.get('onBeforeRequest');
  assert.deepEqual(calledBack(onBeforeRequest, { url: 'https://example.com/', resourceType: 'image' }), {
    cancel: true,
  });
  assert.deepEqual(calledBack(onBeforeRequest, { url: 'player://app/app.js', resourceType: 'script' }), {
    cancel: false,
  });
  assert.deepEqual(events(), ['permission-denied', 'request-denied']);
});

test('every session cancels downloads', () => {
  const { session } = locked();
  let cancelled = false;
  assert.equal(prevented(session, 'will-download', { cancel: () => (cancelled = true) }), true);
  assert.equal(cancelled, true);
});

test('every page is kept from navigating, opening windows, attaching webviews and asking before it is left', () => {
  const { contents } = locked();
  const names = ['will-navigate', 'will-frame-navigate', 'will-redirect', 'will-attach-webview', 'will-prevent-unload'];
  for (const name of names) assert.equal(prevented(contents, name), true, name);
  assert.deepEqual((contents.handlers.get('setWindowOpenHandler') as () => unknown)(), { action: 'deny' });
});

test('no certificate of the platform is offered, no bad one accepted and no password asked for', () => {
  const { app } = locked();
  let answer: unknown = 'not called';
  const keep = (...given: unknown[]) => {
    answer = given;
  };
  assert.equal(prevented(app, 'certificate-error', {}, 'https://x/', 'error', {}, keep), true);
  assert.deepEqual(answer, [false]);
  assert.equal(prevented(app, 'select-client-certificate', {}, 'https://x/', [{ subject: 'x' }], keep), true);
  assert.deepEqual(answer, []);
  for (const isProxy of [true, false]) {
    answer = 'not called';
    assert.equal(prevented(app, 'login', {}, {}, { isProxy, host: 'x', port: 1 }, keep), true);
    assert.deepEqual(answer, [], 'answered with nothing, so that the request fails');
  }
});
