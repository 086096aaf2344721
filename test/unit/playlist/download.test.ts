import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlayerError } from '../../../electron/errors.ts';
import type { Call, OriginClient } from '../../../electron/mtls/client.ts';
import { downloadPlaylist } from '../../../electron/playlist/download.ts';

/** A client that gives one answer; `jsonText` fails as the real one does when the type is wrong. */
function clientThatAnswers(
  status: number,
  { text = '{}', etag = undefined as string | undefined, isJson = true } = {},
) {
  const calls: Call[] = [];
  const client: OriginClient = {
    origin: 'https://signage.example',
    call: async (call) => {
      calls.push(call);
      return {
        status,
        header: (name) => (name === 'etag' ? etag : undefined),
        text: () => text,
        jsonText: () => {
          if (!isJson) throw new PlayerError('SERVER_REPLY_INVALID', 'the reply is not application/json');
          return text;
        },
        json: () => assert.fail('a document is looked at before it is parsed'),
      };
    },
    open: () => Promise.reject(new Error('not used here')),
    close: async () => {},
    retire: async () => {},
  };
  return { client, calls };
}

test('refuses a login page in the place of a playlist', async () => {
  const { client } = clientThatAnswers(200, { text: '<html>', isJson: false });
  await assert.rejects(downloadPlaylist(client, undefined), { code: 'SERVER_REPLY_INVALID' });
});

test('refuses “unchanged” when nothing was known', async () => {
  await assert.rejects(downloadPlaylist(clientThatAnswers(304).client, undefined), { code: 'SERVER_REPLY_INVALID' });
});

for (const status of [201, 204, 206, 301, 302, 400, 404, 429, 500, 503])
  test(`an answer of ${status} is an error: the screen is neither revoked nor removed by it`, async () => {
    await assert.rejects(downloadPlaylist(clientThatAnswers(status).client, '"1"'), { code: 'SERVER_ERROR' });
  });

for (const [status, type] of [
  [304, 'unchanged'],
  [401, 'suspended'],
  [403, 'suspended'],
  [410, 'removed'],
] as const)
  test(`an answer of ${status} means ${type}`, async () => {
    assert.deepEqual(await downloadPlaylist(clientThatAnswers(status).client, '"1"'), { type });
  });

test('asks with the tag that is known and hands on text and tag', async () => {
  const { client, calls } = clientThatAnswers(200, { text: '{"version":1}', etag: '"2"' });
  assert.deepEqual(await downloadPlaylist(client, '"1"'), { type: 'document', text: '{"version":1}', etag: '"2"' });
  assert.deepEqual(
    [calls[0]?.path, calls[0]?.headers?.['if-none-match'], calls[0]?.maxBytes],
    ['/api/v2/screens/playlist', '"1"', 16 * 2 ** 20],
  );
});

test('a document is handed on unparsed: how deeply it is nested is looked at first', async () => {
  const text = '['.repeat(1_000);
  assert.deepEqual(await downloadPlaylist(clientThatAnswers(200, { text }).client, undefined), {
    type: 'document',
    text,
    etag: undefined,
  });
});

test('a tag that is too long to be sent back counts as none', async () => {
  for (const [length, isKept] of [
    [256, true],
    [257, false],
  ] as const) {
    const etag = `"${'1'.repeat(length - 2)}"`;
    const { client } = clientThatAnswers(200, { etag });
    const download = await downloadPlaylist(client, undefined);
    assert.equal(download.type === 'document' && download.etag, isKept ? etag : undefined);
  }
});

test('asks without a tag when none is known', async () => {
  const { client, calls } = clientThatAnswers(200);
  assert.equal((await downloadPlaylist(client, undefined)).type, 'document');
  assert.equal('if-none-match' in (calls[0]?.headers ?? {}), false);
});
