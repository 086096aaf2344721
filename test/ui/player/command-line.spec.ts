/** What `signet-player` does besides playing: without a display, and without a window. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { electron, expect, type Rig, test } from './rig.ts';

/** Run a command of the release build where no display is. */
async function command(rig: Rig, args: readonly string[], answer = '') {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...env } = rig.environment();
  const child = spawn(electron, [path.resolve('dist/release/main.cjs'), ...args], { env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(answer);
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, stdout, stderr };
}

interface Report {
  readonly verdict: string;
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly finding: string }[];
}

test('help, version, and what is not understood need no display, settings or TPM', async ({ rig }) => {
  const help = await command(rig, ['--help']);
  expect([help.exitCode, help.stdout]).toEqual([0, expect.stringMatching(/unregister[\s\S]*Exit codes/)]);
  const version = await command(rig, ['--version', '--json']);
  expect(version.exitCode).toBe(0);
  expect(JSON.parse(version.stdout)).toMatchObject({ electron: expect.any(String), openssl: expect.any(String) });
  const misuse = await command(rig, ['--doctr']);
  expect([misuse.exitCode, misuse.stderr]).toEqual([64, expect.stringContaining('did you mean --doctor?')]);
  const refused = await command(rig, ['--help', '--no-sandbox']);
  expect([refused.exitCode, refused.stderr]).toEqual([78, expect.stringContaining('SWITCH_REFUSED')]);
});

test('settings check names file, key and reason, and exits with 78', async ({ rig }) => {
  const file = await rig.writeSettings();
  const fine = await command(rig, ['settings', 'check', file]);
  expect([fine.exitCode, fine.stdout]).toEqual([0, `${file}: fine, for ${rig.backend.origin}\n`]);
  rig.settings = { display: { fit: 'stretch' } };
  await rig.writeSettings();
  const wrong = await command(rig, ['settings', 'check', file]);
  expect([wrong.exitCode, wrong.stderr]).toEqual([78, expect.stringContaining(`${file}: display.fit: `)]);
  const absent = await command(rig, ['settings', 'check', '/nowhere.json', '--json']);
  expect([absent.exitCode, JSON.parse(absent.stdout)]).toEqual([78, expect.objectContaining({ verdict: 'failed' })]);
});

test('a screen is examined, identified and unregistered', async ({ rig }) => {
  const player = await rig.startRegistered();
  const settings = ['--settings', await rig.writeSettings()];
  const running = await command(rig, ['unregister', '--yes', ...settings]);
  expect([running.exitCode, running.stderr]).toEqual([78, expect.stringContaining('STATE_LOCKED')]);
  await player.stop();

  const report: Report = JSON.parse((await command(rig, ['--doctor', '--json', ...settings])).stdout);
  const verdicts = Object.fromEntries(report.checks.map(({ check, verdict }) => [check, verdict]));
  for (const check of ['settings', 'TPM', 'group tss', 'sandbox', 'device key', 'certificate', 'network', 'clock'])
    expect(verdicts[check], check).toBe('ok');
  expect(report.checks.find(({ check }) => check === 'network')?.finding).toContain('takes this screen’s certificate');

  const identity = await command(rig, ['identity', '--json', ...settings]);
  expect(identity.exitCode).toBe(0);
  const facts = JSON.parse(identity.stdout);
  expect(facts).toMatchObject({ keyProtection: 'tpm', registration: 'registered', screenName: 'Lobby' });
  expect(facts.certificate).toMatchObject({ verdict: 'ok', subject: 'CN=sign-under-test' });

  const told = facts.journal.map(({ event }: { event: string }) => event);
  expect(told).toEqual(['key-created', 'registration-opened', 'certificate-stored', 'registered']);
  const last = report.checks.find(({ check }) => check === 'identity journal');
  expect(last?.finding).toContain('last: registered at');

  const asked = await command(rig, ['unregister', ...settings], 'y\n');
  expect([asked.exitCode, asked.stderr]).toEqual([64, expect.stringContaining('--yes')]);
  const certificate = path.join(rig.stateDirectory, 'certificate.pem');
  expect(existsSync(certificate)).toBe(true);
  const done = await command(rig, ['unregister', '--yes', ...settings]);
  expect([done.exitCode, done.stdout]).toEqual([0, expect.stringContaining('The device key stays.')]);
  expect(existsSync(certificate)).toBe(false);
  expect(existsSync(path.join(rig.stateDirectory, 'store'))).toBe(false);

  const again = await rig.start();
  await again.shownPin();
  expect(rig.backend.pending()[0]?.fingerprint).toBe(facts.fingerprint);
  await again.stop();
});

test('with the server gone and the TPM gone the doctor names both, with remedies, and exits with 1', async ({
  rig,
}) => {
  const settings = ['--settings', await rig.writeSettings()];
  await rig.backend.close();
  await rig.tpm.stop();
  const { exitCode, stdout } = await command(rig, ['--doctor', ...settings]);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/FAIL {2}TPM .*\n +→ .+/);
  expect(stdout).toMatch(/FAIL {2}network .*CONNECTION_REFUSED\)\n +→ .+/);
});
