import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { softwareKey, undiciConnector } from 'node-tss';
import { createOriginClient } from '../../../electron/mtls/client.ts';
import { openMedia } from '../../../electron/mtls/media.ts';
import { createRests } from '../../../electron/mtls/rests.ts';
import { createKey, keyPem } from '../../support/certificates.ts';
import { plainClient, startHttpsOrigin } from '../../support/https-origin.ts';
import { authorities, clientCertificate } from '../../support/tls-identities.ts';

const { servers, clients } = authorities();
const key = softwareKey(keyPem(createKey().privateKey));
const shown: string[] = [];
let begun: ServerResponse | undefined;

/** Note down which name the client showed, empty for none. */
function note(at: string, request: IncomingMessage): void {
  const { subject } = (request.socket as TLSSocket).getPeerCertificate();
  shown.push(`${at} ${request.url} ${subject?.CN ?? 'nobody'} ${request.headers.authorization ?? 'no secret'}`);
}

const foreign = await startHttpsOrigin(servers, (request, response) => {
  note('foreign', request);
  response.writeHead(200, { 'content-length': '5' }).end('media');
});
const api = await startHttpsOrigin(servers, (request, response) => {
  note('api', request);
  if (request.url === '/begun') {
    begun = response.writeHead(200);
    begun.write('beginning, ');
  } else if (request.url === '/away') response.writeHead(307, { location: `${foreign.origin}/b` }).end('gone');
  else response.writeHead(200, { 'content-length': '5' }).end('media');
});

let chainPem = clientCertificate(clients, key, 'screen-1');
const apiClient = createOriginClient(
  api.origin,
  undiciConnector({
    credentials: () => ({ ca: servers.certificatePem, identity: { key, certificateChain: chainPem } }),
  }),
);
const foreignClient = plainClient(foreign.origin, servers);
after(async () => {
  await Promise.all([apiClient.close(), foreignClient.close()]);
  await Promise.all([api.close(), foreign.close()]);
});

async function fetched(url: string): Promise<string> {
  const ports = {
    api: apiClient,
    foreign: () => foreignClient,
    allowHttpFor: [],
    rests: createRests(() => performance.now()),
  };
  const request = { url, headers: { authorization: 'secret' }, offset: 0 };
  const { body } = await openMedia(ports, request, new AbortController().signal);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test('the device certificate is shown to the API origin and to nobody behind a redirect', async () => {
  shown.length = 0;
  assert.equal(await fetched(`${api.origin}/a`), 'media');
  assert.equal(await fetched(`${api.origin}/away`), 'media');
  assert.deepEqual(shown, ['api /a screen-1 secret', 'api /away screen-1 secret', 'foreign /b nobody no secret']);
});

test('a foreign origin that asks for a certificate gets none', async () => {
  shown.length = 0;
  await fetched(`${foreign.origin}/c`);
  assert.deepEqual(shown, ['foreign /c nobody secret']);
});

test('a renewed certificate is shown on the next connection', async () => {
  shown.length = 0;
  chainPem = clientCertificate(clients, key, 'screen-1-renewed');
  const next = createOriginClient(
    api.origin,
    undiciConnector({
      credentials: () => ({ ca: servers.certificatePem, identity: { key, certificateChain: chainPem } }),
    }),
  );
  await next.call({ method: 'GET', path: '/a' });
  await next.close();
  assert.deepEqual(shown, ['api /a screen-1-renewed no secret']);
});

test('a client that is told so shows the renewed certificate, while what is under way ends as it began', async () => {
  const before = 'screen-1-before';
  chainPem = clientCertificate(clients, key, before);
  const kept = createOriginClient(
    api.origin,
    undiciConnector({
      credentials: () => ({ ca: servers.certificatePem, identity: { key, certificateChain: chainPem } }),
    }),
  );
  shown.length = 0;
  const { body } = await kept.open('/begun', {}, new AbortController().signal);
  await kept.call({ method: 'GET', path: '/a' });
  chainPem = clientCertificate(clients, key, 'screen-1-after');
  kept.renew();
  await kept.call({ method: 'GET', path: '/b' });
  begun?.end('end');
  assert.equal(Buffer.concat(await body.toArray()).toString(), 'beginning, end');
  await kept.call({ method: 'GET', path: '/c' });
  const seen = [`begun ${before}`, `a ${before}`, 'b screen-1-after', 'c screen-1-after'];
  assert.deepEqual(
    shown,
    seen.map((line) => `api /${line} no secret`),
  );
  await kept.close();
});

test('a client that is closed ends also what began before it was told to connect anew', async () => {
  const closing = createOriginClient(
    api.origin,
    undiciConnector({
      credentials: () => ({ ca: servers.certificatePem, identity: { key, certificateChain: chainPem } }),
    }),
  );
  const { body } = await closing.open('/begun', {}, new AbortController().signal);
  closing.renew();
  const begunMs = performance.now();
  await closing.close();
  await assert.rejects(body.toArray());
  assert.ok(performance.now() - begunMs < 30_000, 'not by the time that a body may take');
});

test('refuses to show a certificate that was made for another key', async () => {
  const other = softwareKey(keyPem(createKey().privateKey));
  const wrong = createOriginClient(
    api.origin,
    undiciConnector({
      credentials: () => ({ ca: servers.certificatePem, identity: { key: other, certificateChain: chainPem } }),
    }),
  );
  await assert.rejects(wrong.call({ method: 'GET', path: '/a' }), { code: 'CERTIFICATE_INVALID' });
  await wrong.close();
});
