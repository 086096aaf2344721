import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Call, OriginClient, Reply } from '../../../electron/mtls/client.ts';
import { requestRenewal } from '../../../electron/mtls/renewal.ts';

function clientThatAnswers(status: number, body: unknown): { readonly client: OriginClient; readonly calls: Call[] } {
  const calls: Call[] = [];
  const reply: Reply = { status, header: () => undefined, text: () => '', jsonText: () => '', json: () => body };
  const client: OriginClient = {
    origin: 'https://signage.example',
    call: async (call) => {
      calls.push(call);
      return reply;
    },
    open: () => Promise.reject(new Error('not used here')),
    close: async () => {},
    retire: async () => {},
  };
  return { client, calls };
}

test('refuses a reply that is not as agreed', async () => {
  const long = 'x'.repeat(16_385);
  for (const body of [
    null,
    [],
    {},
    { certificate: 'C' },
    { certificate: 1, chain: [] },
    { certificate: long, chain: [] },
    { certificate: 'C', chain: [long] },
    { certificate: 'C', chain: Array(9).fill('C') },
  ])
    await assert.rejects(requestRenewal(clientThatAnswers(200, body).client, 'R'), { code: 'SERVER_REPLY_INVALID' });
});

test('refuses any other status, whatever the body says', async () => {
  for (const status of [201, 204, 302, 401, 403, 500])
    await assert.rejects(requestRenewal(clientThatAnswers(status, { certificate: 'C', chain: [] }).client, 'R'), {
      code: 'SERVER_ERROR',
    });
});

test('sends the request and returns the leaf first', async () => {
  const { client, calls } = clientThatAnswers(200, { certificate: 'LEAF', chain: ['ISSUER'], more: 1 });
  assert.deepEqual(await requestRenewal(client, 'REQUEST'), ['LEAF', 'ISSUER']);
  assert.deepEqual(calls, [
    {
      method: 'POST',
      path: '/api/v2/screens/certificate',
      headers: { 'content-type': 'application/json' },
      body: '{"csr":"REQUEST"}',
    },
  ]);
});
