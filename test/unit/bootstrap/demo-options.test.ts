import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildModule } from './build-module.ts';

const { readOptions } = await buildModule('demo/options.mjs');

const refused = [
  ['an unknown option', ['--no-sandbox']],
  ['a word that is no option', ['now']],
  ['a way to claim that does not exist', ['--claim=never']],
  ['a time that is not a number', ['--for', 'soon']],
  ['a negative time', ['--claim-after=-1']],
  ['an empty number', ['--for=']],
  ['a port that does not exist', ['--server-port', '65536']],
] as const;

for (const [what, words] of refused) {
  test(`refuses ${what} and says where the options are listed`, () => {
    assert.throws(() => readOptions(words), { name: 'SetupError', remedy: /--help/ });
  });
}

test('claims by itself, keeps its state in the checkout and runs until it is ended, unless told otherwise', () => {
  const options = readOptions([]);
  assert.deepEqual(options, {
    help: false,
    claim: 'auto',
    claimAfterMs: 6000,
    state: join(process.cwd(), '.signet'),
    fresh: false,
    virtual: false,
    screenshots: join(process.cwd(), '.signet/screenshots'),
    serverPort: undefined,
    forMs: undefined,
  });
});

test('takes every option', () => {
  const words = [
    '--claim=manual',
    '--state',
    '/s',
    '--fresh',
    '--virtual',
    '--screenshots=/p',
    '--server-port=0',
    '--for=2.5',
  ];
  const { claim, state, fresh, virtual, screenshots, serverPort, forMs } = readOptions(words);
  assert.deepEqual(
    [claim, state, fresh, virtual, screenshots, serverPort, forMs],
    ['manual', '/s', true, true, '/p', 0, 2500],
  );
});
