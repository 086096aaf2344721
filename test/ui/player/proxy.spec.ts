/** The whole path through an HTTP proxy that wants credentials, as corporate networks have them. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ConnectProxy, startConnectProxy } from '../../support/connect-proxy.ts';
import { expect, type Player, type Rig, readTree, test } from './rig.ts';

const credentials = { username: 'lobby', password: 'pass:word-91c4' };
const line = `${credentials.username}:${credentials.password}`;
const secrets = [credentials.password, Buffer.from(line).toString('base64')];

/** Put a proxy between the player and everything else. @returns it and the file of its credentials */
async function behindProxy(rig: Rig, content: string): Promise<{ proxy: ConnectProxy; credentialsFile: string }> {
  const proxy = await startConnectProxy({ credentials });
  const credentialsFile = path.join(rig.folder, 'proxy-credentials');
  await writeFile(credentialsFile, content, { mode: 0o600 });
  rig.settings = { proxy: { url: proxy.url, credentialsFile } };
  return { proxy, credentialsFile };
}

async function expectNoSecrets(player: Player, rig: Rig): Promise<void> {
  const said = [JSON.stringify(player.log), await player.page.content()];
  const stored = [...(await readTree(rig.stateDirectory)).values()];
  for (const secret of secrets) {
    expect(said.some((text) => text.includes(secret))).toBe(false);
    expect(stored.some((bytes) => bytes.includes(secret))).toBe(false);
  }
}

test('shows what to do where the proxy refuses, and goes on once that is done', async ({ rig }) => {
  const { proxy, credentialsFile } = await behindProxy(rig, `${line}x`);
  const player = await rig.start();
  await player.logged('registration-failed', { code: 'PROXY_REFUSED' });
  await expect(player.page.getByRole('main')).toContainText('The proxy refuses to connect this screen.');
  expect(rig.backend.requests).toEqual([]);
  expect(proxy.refusals).toContain(407);
  await writeFile(credentialsFile, line);
  expect(await player.shownPin()).not.toBe('');
  await expectNoSecrets(player, rig);
  await player.stop();
  await proxy.stop();
});

test('registers and plays through the proxy and no other way', async ({ rig }) => {
  const { proxy } = await behindProxy(rig, line);
  const player = await rig.startRegistered();
  await expect.poll(() => rig.backend.openStreams()).toBe(1);
  await expect(player.page.getByTestId('stage')).toBeVisible();
  expect(new Set(proxy.tunnels)).toEqual(new Set([new URL(rig.backend.origin).host]));
  await expectNoSecrets(player, rig);

  const [from, before] = [player.log.length, rig.backend.requests.length];
  await proxy.stop();
  const unreachable = () => player.log.slice(from).some(({ message }) => /proxy cannot be reached/.test(`${message}`));
  // The playlist is asked for at least every minute.
  await expect.poll(unreachable, { timeout: 70_000 }).toBe(true);
  expect(rig.backend.requests.length).toBe(before);
  await player.logged('item-shown', {}, player.log.length);
  await player.stop();
});
