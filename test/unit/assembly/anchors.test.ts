import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Anchors, announcedRootsFile, openAnchors } from '../../../electron/assembly/anchors.ts';
import { openJournal, readJournal } from '../../../electron/journal.ts';
import { createOriginClient } from '../../../electron/mtls/client.ts';
import { apiConnector } from '../../../electron/mtls/connector.ts';
import { parseSettings, type Settings } from '../../../electron/settings.ts';
import { createAuthority } from '../../support/certificates.ts';
import { startHttpsOrigin } from '../../support/https-origin.ts';
import { recordedLog } from '../../support/recorded-log.ts';

const folder = await mkdtemp(join(tmpdir(), 'signet-anchors-'));
after(() => rm(folder, { recursive: true }));
const [pinned, next, other] = [createAuthority('Pinned'), createAuthority('Next'), createAuthority('Other')];
const caFile = join(folder, 'pinned.pem');
await writeFile(caFile, pinned.certificatePem);
const holds = () => true;

interface World {
  readonly settings: Settings;
  readonly anchors: Anchors;
  /** Whether the player reaches the server by what it trusts now. */
  reaches(): Promise<string>;
  journal(): Promise<readonly string[]>;
  events(): string[];
}

async function world(origin: string): Promise<World> {
  const directory = await mkdtemp(join(folder, 'state-'));
  const given = { server: { origin, caFile }, identity: { deviceCaFile: caFile, hostname: 'screen-1' } };
  const settings = parseSettings('settings.json', JSON.stringify({ ...given, state: { directory } }), {});
  const { log, events } = recordedLog();
  const anchors = await openAnchors(settings, openJournal(directory, Date.now, log), log);
  return {
    settings,
    anchors,
    events,
    reaches: async () => {
      const connector = apiConnector(settings, () => undefined, anchors.announced);
      const client = createOriginClient(origin, connector);
      try {
        return (await client.call({ method: 'GET', path: '/' })).text();
      } catch (thrown) {
        return (thrown as { code: string }).code;
      } finally {
        await client.close();
      }
    },
    journal: async () => (await readJournal(directory, 10)).map(({ event }) => event),
  };
}

test('a list without the root that the server’s own certificate comes from is refused, and the server still reached', async (t) => {
  const server = await startHttpsOrigin(next, (_request, response) => response.end('well'));
  t.after(server.close);
  const { settings, anchors, reaches, journal, events } = await world(server.origin);
  await anchors.announce([next.certificatePem], holds);
  assert.equal(await reaches(), 'well');
  for (const list of [[], [other.certificatePem]]) {
    await anchors.announce(list, holds);
    assert.deepEqual([...anchors.announced()], [next.certificatePem]);
    assert.equal(await readFile(announcedRootsFile(settings), 'utf8'), next.certificatePem);
    assert.equal(await reaches(), 'well');
  }
  assert.deepEqual(events(), ['roots-changed', 'roots-refused', 'roots-refused']);
  assert.deepEqual(await journal(), ['root-announced']);
});

test('a root that the server does without is withdrawn', async (t) => {
  const server = await startHttpsOrigin(pinned, (_request, response) => response.end('well'));
  t.after(server.close);
  const { settings, anchors, reaches, journal } = await world(server.origin);
  await anchors.announce([next.certificatePem, other.certificatePem], holds);
  await anchors.announce([other.certificatePem], holds);
  assert.deepEqual([...anchors.announced()], [other.certificatePem]);
  await anchors.announce([], holds);
  assert.deepEqual([...anchors.announced()], []);
  await assert.rejects(readFile(announcedRootsFile(settings)), { code: 'ENOENT' });
  assert.equal(await reaches(), 'well');
  assert.deepEqual(await journal(), ['root-announced', 'root-announced', 'root-withdrawn', 'root-withdrawn']);
});

test('while the server cannot be reached no root is withdrawn', async () => {
  const { anchors, events } = await world('https://127.0.0.1:1');
  await anchors.announce([next.certificatePem], holds);
  await anchors.announce([], holds);
  assert.deepEqual([...anchors.announced()], [next.certificatePem]);
  assert.deepEqual(events(), ['roots-changed', 'roots-refused']);
});

test('two announcements at the same time both succeed, in the order of the calls', async (t) => {
  const server = await startHttpsOrigin(pinned, (_request, response) => response.end('well'));
  t.after(server.close);
  const { settings, anchors, journal } = await world(server.origin);
  const lists = [[next], [next], [other], [next, other]].map((list) => list.map((root) => root.certificatePem));
  await Promise.all(lists.map((list) => anchors.announce(list, holds)));
  assert.deepEqual([...anchors.announced()], lists.at(-1));
  assert.deepEqual(await journal(), ['root-announced', 'root-announced', 'root-withdrawn', 'root-announced']);
  const again = await openAnchors(settings, openJournal(folder, Date.now, recordedLog().log), recordedLog().log);
  assert.deepEqual(
    again.announced().map((pem) => `${pem}\n`),
    lists.at(-1),
  );
});

test('an announcement that the disk does not take fails alone: the next one is heard', async () => {
  const { settings, anchors } = await world('https://127.0.0.1:1');
  await rm(settings.state.directory, { recursive: true });
  const failed = anchors.announce([next.certificatePem], holds);
  await assert.rejects(failed, { code: 'STATE_UNWRITABLE' });
  assert.deepEqual([...anchors.announced()], []);
  await mkdir(settings.state.directory);
  await anchors.announce([next.certificatePem], holds);
  assert.deepEqual([...anchors.announced()], [next.certificatePem]);
});
