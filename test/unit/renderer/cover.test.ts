import assert from 'node:assert/strict';
import test from 'node:test';
import type { Snapshot } from '../../../electron/ipc/contract.ts';
import { nextCover } from '../../../renderer/cover.ts';

const device = {
  screenName: null,
  hostname: 'h',
  playerVersion: '0.1.0',
  keyProtection: 'tpm',
  notice: null,
  look: { language: 'en', theme: 'dark', rotation: 0 },
  sound: { volume: 1, muted: false },
} as const;
const playing: Snapshot = { ...device, state: 'playing', program: { programId: 'p', items: [] } };
const registering: Snapshot = { ...device, state: 'registering', registration: null };

test('shows the screen of the snapshot, whatever was before', () => {
  assert.equal(nextCover({ ...device, state: 'starting' }, registering, false), registering);
});

test('keeps the screen before while a program is being prepared', () => {
  assert.equal(nextCover(registering, playing, false), registering);
});

test('is starting when a page begins with a program', () => {
  assert.deepEqual(nextCover(null, playing, false), { ...device, state: 'starting' });
});

test('rests, and says why, when nothing of a program can be shown', () => {
  assert.deepEqual(nextCover(registering, playing, true), { ...device, state: 'standby', reason: 'nothing-showable' });
});
