import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCommand } from '../../../electron/command/line.ts';
import { commandWords } from '../../../electron/command/words.ts';

const read = (line: string, testBuild = false) => readCommand(line.split(' ').filter(Boolean), testBuild);
const refusal = (line: string) => {
  const command = read(line);
  assert.equal(command.name, 'misuse', line);
  return command.name === 'misuse' ? `${command.message} | ${command.hint}` : '';
};

const meanings: readonly (readonly [string, object])[] = [
  ['', { name: 'play' }],
  ['--settings /etc/a.json', { name: 'play' }],
  ['--settings=/etc/a.json --ozone-platform=wayland --disable-gpu', { name: 'play' }],
  ['--help', { name: 'help' }],
  ['-h', { name: 'help' }],
  ['--version', { name: 'version', json: false }],
  ['--version --json', { name: 'version', json: true }],
  ['--doctor', { name: 'doctor', json: false }],
  ['doctor --json --settings /etc/a.json', { name: 'doctor', json: true }],
  ['identity', { name: 'identity', json: false }],
  ['settings check', { name: 'settings-check', file: undefined, json: false }],
  ['settings check /etc/a.json --json', { name: 'settings-check', file: '/etc/a.json', json: true }],
  ['unregister', { name: 'unregister', yes: false, forgetKey: false }],
  ['unregister --yes --forget-key', { name: 'unregister', yes: true, forgetKey: true }],
];

for (const [line, command] of meanings)
  test(`reads "signet-player ${line}"`, () => assert.deepEqual(read(line), command));

const refusals: readonly (readonly [string, RegExp])[] = [
  ['frobnicate', /^frobnicate: unknown \| --help lists/],
  ['--doctr', /^--doctr: unknown \| did you mean --doctor\?/],
  ['unregistre', /did you mean unregister\?/],
  ['--setings=/etc/a.json', /did you mean --settings\?/],
  ['--settings', /the file is missing/],
  ['--settings=', /the file is missing/],
  ['--yes', /^--yes: not possible here \| it belongs to: unregister/],
  ['--json', /belongs to: version, doctor, identity, settings check/],
  ['doctor --forget-key', /^doctor --forget-key: not possible here \| it belongs to: unregister/],
  ['identity unregister', /^identity: one thing at a time \| leave out unregister/],
  ['identity x', /leave out x/],
  ['settings', /what about them\? \| settings check FILE/],
  ['settings edit', /^settings edit: unknown/],
  ['settings check a b', /one file at a time \| leave out b/],
  ['setup-kiosk', /only the installed package .*as root/],
  ['--kiosk', /^--kiosk: unknown/],
  ['--enable-unsafe-webgpu', /unknown/],
  ['--remote-debugging-port=0', /unknown/],
  ['--toString', /unknown/],
  ['constructor', /unknown/],
  ['__proto__', /unknown/],
  ['--', /unknown/],
  ['-x', /unknown/],
];

for (const [line, reason] of refusals)
  test(`refuses "signet-player ${line}" with a hint`, () => assert.match(refusal(line), reason));

test('lets the debuggers’ switches through in test builds alone', () => {
  assert.equal(read('--inspect=0 --remote-debugging-port=0', true).name, 'play');
  assert.equal(read('--inspect=0', false).name, 'misuse');
});

test('leaves out the application’s path in a checkout, and nothing where the player is installed', () => {
  const application = ['/src/dist/main.cjs'];
  const debugged = ['/electron', '-r', '/loader.cjs', '--inspect=0', '/src/dist/main.cjs', 'identity'];
  assert.deepEqual(commandWords(debugged, application), ['identity']);
  assert.deepEqual(commandWords(['/electron', '/src/dist/main.cjs'], application), []);
  assert.deepEqual(commandWords(['/opt/signet-player', 'identity', '--json'], []), ['identity', '--json']);
});
