import { createHash, createPublicKey, verify } from 'node:crypto';
import { accessSync, constants, readdirSync, readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { openTpm } from 'node-tss';
import { splitPem } from '../certificate/check.ts';
import { checkEdition, type Edition } from '../command/edition.ts';
import {
  checkCertificateOf,
  checkFailed,
  checkJournal,
  checkKey,
  checkTpm,
  type Remedies,
} from '../command/identity-checks.ts';
import {
  checkClock,
  checkDisk,
  checkDisplay,
  checkGraphics,
  checkGroup,
  checkSandbox,
  type Machine,
} from '../command/machine.ts';
import { type Check, failed, ok, warning } from '../command/report.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import { troubleOf } from '../ipc/trouble.ts';
import { readJournal } from '../journal.ts';
import { createOriginClient } from '../mtls/client.ts';
import { apiConnector } from '../mtls/connector.ts';
import { readPrivateFile } from '../private-file.ts';
import { readSettings, type Settings } from '../settings.ts';
import { fromTss } from '../tpm/fault.ts';
import type { DeviceKey } from '../tpm/key.ts';
import { announcedRootsFile } from './anchors.ts';
import { type KnownCertificate, openKnownKey, readCertificate, readRegistration } from './known-identity.ts';

/** No clock can be earlier than this program. Unix milliseconds. */
const builtMs = Date.UTC(2026, 10, 1);

const remedies: Remedies = (code) => troubleOf(new PlayerError(code, ''));

/**
 * Look at everything that a playing screen needs.
 * @param edition what the package says about itself
 */
export async function examine(words: readonly string[], processId: number, edition: Edition): Promise<Check[]> {
  const machine = thisMachine(processId);
  const { settings, check } = settingsOf(words);
  const program = checkEdition(edition, process.versions['electron'] ?? 'none');
  const outside = [checkSandbox(machine), checkGraphics(machine), checkDisplay(machine)];
  if (settings === undefined) return [check, program, ...outside, checkClock(machine, builtMs, undefined)];
  const { tcti } = settings.identity;
  const group = checkGroup(machine, tcti);
  const tpm = settings.identity.allowSoftwareKey ? softwareKey : await lookAtTpm(tcti);
  const { checks: identity, key, certificate } = await lookAtIdentity(settings);
  const { check: network, serverMs } = await lookAtNetwork(settings, key, certificate);
  await key?.close();
  return [
    check,
    program,
    tpm,
    group,
    ...outside,
    checkDisk(machine, settings.state.directory, settings.store.budgetBytes),
    checkClock({ ...machine, nowMs: Date.now() }, builtMs, serverMs),
    network,
    ...identity,
  ];
}

const softwareKey = warning(
  'TPM',
  'not used: identity.allowSoftwareKey is set',
  'unset it on a machine with a TPM: a key in a file can be copied',
);

function settingsOf(words: readonly string[]): { readonly settings?: Settings; readonly check: Check } {
  try {
    const settings = readSettings(words, process.env);
    return { settings, check: ok('settings', `for ${settings.server.origin}`) };
  } catch (thrown) {
    const error = asPlayerError(thrown);
    return { check: failed('settings', error.message, 'mend the file; signet-player settings check FILE judges it') };
  }
}

async function lookAtTpm(tcti: string): Promise<Check> {
  try {
    const tpm = await openTpm({ tcti });
    try {
      return checkTpm(tcti, await tpm.info());
    } finally {
      await tpm.close();
    }
  } catch (thrown) {
    return checkFailed('TPM', fromTss(thrown), remedies);
  }
}

async function lookAtIdentity(settings: Settings): Promise<{
  readonly checks: Check[];
  readonly key?: DeviceKey;
  readonly certificate?: KnownCertificate;
}> {
  let key: DeviceKey | undefined;
  try {
    key = await openKnownKey(settings);
  } catch (thrown) {
    return { checks: [checkFailed('device key', thrown, remedies)] };
  }
  const checks = [checkKey(key?.fingerprint, key?.protection ?? 'none', key === undefined || (await signs(key)))];
  const found = key === undefined ? {} : { key };
  try {
    const certificate = await readCertificate(settings, key?.publicKey ?? Buffer.alloc(0));
    const registration = await readRegistration(settings);
    checks.push(checkCertificateOf(certificate?.verdict, registration, Date.now(), remedies));
    checks.push(checkJournal((await readJournal(settings.state.directory, 1))[0]));
    return { checks, ...found, ...(certificate === undefined ? {} : { certificate }) };
  } catch (thrown) {
    return { checks: [...checks, checkFailed('certificate', thrown, remedies)], ...found };
  }
}

/** Sign something with the key, and see that the signature is the key's. */
async function signs(key: DeviceKey): Promise<boolean> {
  const message = Buffer.from(`signet-player --doctor ${Date.now()}`);
  try {
    const signature = await key.sign(createHash('sha256').update(message).digest());
    const publicKey = createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
    return verify('sha256', message, publicKey, signature);
  } catch {
    return false;
  }
}

/** Ask the server for the playlist as the player would, but leave the document unread. */
async function lookAtNetwork(
  settings: Settings,
  key: DeviceKey | undefined,
  certificate: KnownCertificate | undefined,
): Promise<{ readonly check: Check; readonly serverMs?: number }> {
  const { origin } = settings.server;
  const identity =
    key !== undefined && certificate?.verdict.ok
      ? { key: key.signingKey, certificateChain: certificate.chainPem }
      : undefined;
  const announced = splitPem(
    (await readPrivateFile(announcedRootsFile(settings)).catch(() => undefined))?.toString('utf8') ?? '',
  );
  const client = createOriginClient(
    origin,
    apiConnector(
      settings,
      () => identity,
      () => announced,
    ),
  );
  try {
    const reply = await client.open('/api/v2/screens/playlist', {}, AbortSignal.timeout(20_000));
    reply.body.on('error', () => undefined).destroy();
    const dateMs = Date.parse(reply.header('date') ?? '');
    return {
      check: answered(origin, identity !== undefined, reply.status),
      ...(dateMs > 0 ? { serverMs: dateMs } : {}),
    };
  } catch (thrown) {
    return { check: checkFailed('network', thrown, remedies) };
  } finally {
    await client.close();
  }
}

function answered(origin: string, withCertificate: boolean, status: number): Check {
  const name = 'network';
  if (!withCertificate) return ok(name, `${origin} answers (HTTP ${status}, asked without a certificate)`);
  if (status === 200) return ok(name, `${origin} takes this screen’s certificate`);
  if (status === 401 || status === 403 || status === 410)
    return failed(name, `${origin} refuses this screen (HTTP ${status})`, 'look at the screen in the console');
  return warning(name, `${origin} answers HTTP ${status}`, 'look at the server’s log');
}

function thisMachine(processId: number): Machine {
  const attempt = <Value>(read: () => Value): Value | undefined => {
    try {
      return read();
    } catch {
      return undefined;
    }
  };
  return {
    userId: process.getuid?.() ?? -1,
    userName: attempt(() => userInfo().username) ?? String(process.getuid?.()),
    groupIds: process.getgroups?.() ?? [],
    processId,
    nowMs: Date.now(),
    env: process.env,
    read: (path) => attempt(() => readFileSync(path, 'utf8')),
    link: (path) => attempt(() => readlinkSync(path)),
    list: (path) => attempt(() => readdirSync(path)) ?? [],
    usable: (path) => attempt(() => accessSync(path, constants.R_OK | constants.W_OK) ?? true) ?? false,
    owner: (path) =>
      attempt(() => {
        const { uid, mode } = statSync(path);
        return { userId: uid, mode };
      }),
    freeBytes: (path) =>
      attempt(() => {
        const { bavail, bsize } = statfsSync(path);
        return bavail * bsize;
      }),
  };
}
