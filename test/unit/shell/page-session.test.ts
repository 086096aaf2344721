import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  headersFor,
  isServiceWorker,
  mayNavigate,
  mayRequest,
  type WebPage,
} from '../../../electron/shell/page-session.ts';

const page: WebPage = {
  assetId: 'a',
  url: 'https://board.example/view?id=1',
  headers: { authorization: 'Bearer secret', 'x-wall': '7' },
  allowedOrigins: ['https://login.example'],
  refreshMs: null,
  zoom: 1,
  scrollTop: 0,
  scrollSpeed: 0,
  sound: false,
};
const rules = {
  allowHttpFor: ['http://board.lan'],
  apiOrigin: 'https://signage.example',
  proxy: { proxyRules: '', proxyBypassRules: '' },
  denied: () => {},
};

test('the top frame stays on its origin and on those that the item allows', () => {
  for (const url of ['https://board.example/', 'https://board.example/other#x', 'https://login.example/sign-in'])
    assert.equal(mayNavigate(page, url), true, url);
  for (const url of [
    ...['http://board.example/', 'https://board.example:8443/', 'https://evil.board.example/', 'https://evil.example/'],
    ...[
      'https://board.example@evil.example/',
      'file:///etc/passwd',
      'player://app/',
      'data:text/html,x',
      'about:blank',
    ],
    ...['blob:https://evil.example/1', 'javascript:0', 'chrome://gpu', ''],
  ])
    assert.equal(mayNavigate(page, url), false, url);
});

test('a page asks for https and for the plain origins that the settings allow, and never the management server', () => {
  const may = (url: string, resourceType = 'xhr') => mayRequest(page, { url, resourceType }, rules);
  for (const url of ['https://cdn.example/x.js', 'wss://feed.example/', 'http://board.lan/x', 'ws://board.lan/x'])
    assert.equal(may(url), true, url);
  for (const url of [
    ...['http://cdn.example/', 'ws://feed.example/', 'https://signage.example/api', 'wss://signage.example/'],
    ...['https://signage.example./api', 'wss://SIGNAGE.example.:443/'],
    ...['file:///etc/passwd', 'player://media/0', 'chrome://gpu', 'devtools://devtools/', 'ftp://a.example/', 'x', ''],
  ])
    assert.equal(may(url), false, url);
  assert.equal(may('data:image/png;base64,', 'image'), true);
  assert.equal(may('data:text/html,x', 'mainFrame'), false);
  assert.equal(may('https://cdn.example/', 'mainFrame'), false);
});

test('headers go to exactly the page’s origin, asked for by itself, and are taken off a redirect to another', () => {
  const own = headersFor(page, 'https://board.example/data', true, { Accept: '*/*', Authorization: 'of the page' });
  assert.deepEqual(own, { Accept: '*/*', authorization: 'Bearer secret', 'x-wall': '7' });
  for (const url of ['https://cdn.example/', 'http://board.example/', 'https://board.example:444/', 'x'])
    assert.deepEqual(headersFor(page, url, true, { Accept: '*/*', Authorization: 'Bearer secret', 'X-Wall': '7' }), {
      Accept: '*/*',
    });
  assert.deepEqual(headersFor(page, 'https://board.example/', false, { 'x-wall': '7' }), {});
  assert.deepEqual(headersFor(page, 'https://cdn.example/', true, { authorization: 'its own' }), {
    authorization: 'its own',
  });
});

test('the script of a service worker is known by its header, however it is written', () => {
  assert.equal(isServiceWorker({ Accept: '*/*', 'Service-Worker': 'script' }), true);
  assert.equal(isServiceWorker({ 'service-worker': 'script' }), true);
  assert.equal(isServiceWorker({ Accept: '*/*', 'Service-Worker-Navigation-Preload': 'true' }), false);
});
