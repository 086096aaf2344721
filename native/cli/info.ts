import { randomBytes } from 'node:crypto';
import { addon } from '../addon.ts';
import type { Tpm, TpmInfo } from '../api.ts';
import type { Call, Command } from './command.ts';
import { type FailureReport, reportOf } from './failure.ts';
import { readText } from './file.ts';
import { tctiOf, withTpm } from './session.ts';
import { printable, rounded, table } from './text.ts';

const PERSISTENT = 0x81000000;
const SIGNATURES = 5;

/** Milliseconds; of signatures the median of five. */
interface Speed {
  readonly createMs?: number;
  readonly loadMs: number;
  readonly signMs: number;
}

async function timed<T>(work: () => Promise<T>): Promise<{ result: T; ms: number }> {
  const from = performance.now();
  const result = await work();
  return { result, ms: rounded(performance.now() - from) };
}

/** With the key given, else with one that is forgotten again: the TPM keeps nothing of it. */
async function measure(call: Call, tpm: Tpm): Promise<Speed> {
  const file = call.text('key');
  const made = file === undefined ? await timed(() => tpm.createKey()) : undefined;
  const pem = made?.result ?? (await readText(file as string));
  const { result: key, ms: loadMs } = await timed(() => tpm.loadKey(pem));
  const times: number[] = [];
  while (times.length < SIGNATURES) times.push((await timed(() => key.sign(randomBytes(32)))).ms);
  await key.close();
  const signMs = times.sort((one, other) => one - other)[SIGNATURES >> 1] as number;
  return { ...(made === undefined ? {} : { createMs: made.ms }), loadMs, signMs };
}

function lockoutText({ lockout }: TpmInfo): string {
  const { active, failures, maxFailures, intervalSeconds } = lockout;
  const state = active ? `ACTIVE, one failure forgotten every ${intervalSeconds} s` : 'not active';
  return `${state} (${failures} of ${maxFailures} failures)`;
}

function speedText(speed: Speed | FailureReport): string {
  if ('code' in speed) return `${speed.code}: ${speed.message}; ${speed.remedy}`;
  const create = speed.createMs === undefined ? '' : `create ${speed.createMs} ms, `;
  return `${speed.signMs} ms (${create}load ${speed.loadMs} ms)`;
}

export const info: Command = {
  usage: '[--key FILE]',
  summary: 'the TPM: maker, firmware, slots, parent, lockout, speed',
  help: `  --key FILE               measure with this TSS2 PRIVATE KEY; with a passing one where absent

The TPM answers with exit code 0, also where the signature fails: then its row says why.`,
  options: { key: { type: 'string' } },
  positionals: 0,
  run: (call) =>
    withTpm(call, async (tpm) => {
      const found = await tpm.info();
      const speed = await measure(call, tpm).catch((thrown: unknown) => reportOf(thrown));
      const persistent = found.parent >= PERSISTENT;
      const handle = `0x${found.parent.toString(16)}`;
      const parent = persistent ? `${handle}, persistent` : `${handle}, owner hierarchy: no persistent storage key`;
      const rows = [
        ['TPM', tctiOf(call)],
        ['manufacturer', found.manufacturer],
        ['vendor', found.vendor],
        ['firmware', found.firmware],
        ['ECC P-256', found.curveP256 ? 'yes' : 'NO: keys cannot be made'],
        ['transient slots', `${found.transientObjects} in use, ${found.transientFree} free`],
        ['parent of new keys', parent],
        ['owner password', found.ownerAuthSet ? 'set' : 'not set'],
        ['lockout', lockoutText(found)],
        ['signature', speedText(speed)],
        ['OpenSSL inside', addon.opensslVersion],
      ] as const;
      return {
        json: {
          tcti: tctiOf(call),
          ...found,
          parent: { handle, persistent },
          signature: 'code' in speed ? { error: speed } : speed,
          openssl: addon.opensslVersion,
        },
        text: printable(table(rows)),
      };
    }),
};
