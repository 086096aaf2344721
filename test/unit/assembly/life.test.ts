/** The screen's life goes on after what a disk or a person has done to it, and ends where the program is wrong. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Content } from '../../../electron/assembly/content.ts';
import { createFactBook, type FactBook } from '../../../electron/assembly/facts.ts';
import { live } from '../../../electron/assembly/life.ts';
import { waitFor } from '../../../electron/assembly/waiting.ts';
import type { Registration } from '../../../electron/registration/machine.ts';
import { parseSettings } from '../../../electron/settings.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startHttpsOrigin } from '../../support/https-origin.ts';
import { recordedLog } from '../../support/recorded-log.ts';
import { playingFacts } from '../../support/screen-facts.ts';

const dayMs = 24 * 60 * 60_000;
const registered: Registration = {
  state: 'registered',
  screenId: 's1',
  screenName: 'Lobby',
  suspendedSinceMs: null,
  hardware: null,
};

/** A life with a software key, before a server that gives out PINs and nothing else; its store's care ends by its signal alone. */
async function world(t: TestContext, initial: Registration, change: Partial<FactBook> = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'signet-life-'));
  const authority = createAuthority('servers');
  const caFile = join(directory, 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  let asked = 0;
  const origin = await startHttpsOrigin(authority, (request, response) => {
    asked++;
    if (request.method !== 'POST')
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"pending"}');
    const pem = readFileSync(join(directory, 'device-key.software.pem'), 'utf8');
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    const fingerprint = createHash('sha256').update(spki).digest('hex');
    const accepted = {
      id: 'r1',
      pin: 'K7Q4M2',
      fingerprint,
      expires_at: new Date(Date.now() + dayMs).toISOString(),
      poll_interval: 1,
      poll_token: 'x'.repeat(32),
    };
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(accepted));
  });
  const over = new AbortController();
  t.after(async () => {
    over.abort();
    await origin.close();
    rmSync(directory, { recursive: true, maxRetries: 10, retryDelay: 20 });
  });
  const identity = { allowSoftwareKey: true, deviceCaFile: caFile, attestation: 'never', hostname: 'screen' };
  const text = JSON.stringify({ server: { origin: origin.origin, caFile }, identity, state: { directory } });
  const { log, events } = recordedLog();
  const facts = {
    ...createFactBook(playingFacts, { whenRevoked: 'keep-playing', graceSeconds: 0 }, Date.now, () => {}),
    ...change,
  };
  const content = { care: (signal: AbortSignal) => waitFor(dayMs, signal) } as unknown as Content;
  const parts = { playerVersion: '0', facts, log, content, initial, forgetContent: async () => {} };
  const begin = () => live({ ...parts, settings: parseSettings('settings.json', text, {}) }, over.signal);
  return { directory, begin, events, asked: () => asked };
}

/** Looks until it holds, for half a minute at the most. */
async function until(holds: () => boolean): Promise<boolean> {
  for (let looks = 0; looks < 600 && !holds(); looks++) await delay(50);
  return holds();
}

for (const [what, file, initial] of [
  ['a registration that cannot be written', 'registration.json', { state: 'unregistered' }],
  ['a certificate that cannot be read', 'certificate.pem', registered],
] as const)
  test(`${what} for a while does not end the screen's life: it goes on when it can`, async (t) => {
    const { directory, begin, events, asked } = await world(t, initial);
    // A folder in the way stands in for a full, read-only or failing disk.
    mkdirSync(join(directory, file));
    const ended = begin().catch(() => undefined);
    assert.ok(await until(() => events().filter((event) => event === 'identity-failed').length >= 2));
    const before = asked();
    rmdirSync(join(directory, file));
    assert.ok(await until(() => asked() > before), events().join(' '));
    assert.equal(await Promise.race([ended.then(() => 'ended'), delay(0, 'lives')]), 'lives');
  });

test('a fault of the program ends the life, though the care for the store would go on', async (t) => {
  const wrong = new Error('a fault of the program');
  const { begin } = await world(t, registered, {
    problem: () => {
      throw wrong;
    },
    update: () => {
      throw wrong;
    },
  });
  await assert.rejects(begin(), { message: wrong.message });
});
