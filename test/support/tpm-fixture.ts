import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { openTpm, type SigningKey, type Tpm } from 'node-tss';
import { type SoftwareTpm, startSwtpm } from './swtpm.ts';

/** A software TPM and a connection to it, both gone when the test is over. */
export interface TestTpm {
  readonly tpm: Tpm;
  readonly emulator: SoftwareTpm;
}

export async function openTestTpm(context: TestContext): Promise<TestTpm> {
  const emulator = await startSwtpm();
  let tpm: Tpm | undefined;
  // In this order: what the client holds goes back first. A TPM that is gone already makes close() no harder.
  context.after(async () => {
    await tpm?.close();
    await emulator.stop();
  });
  tpm = await openTpm({ tcti: emulator.tcti });
  return { tpm, emulator };
}

/**
 * A new key of a TPM of its own, which is at rest. (A program that is started in the middle of a command inherits the
 * connection to swtpm, which then waits for it for ever: tpm2-tss opens one for each command, without O_CLOEXEC.)
 */
export async function loadTestKey(context: TestContext): Promise<SigningKey> {
  const { tpm } = await openTestTpm(context);
  const key = await tpm.loadKey(await tpm.createKey());
  await tpm.info();
  return key;
}

/**
 * Runs one of Debian's tpm2-tools against a software TPM that nobody else is connected to: it serves one at a time.
 * @returns stdout. @throws Error with stderr
 */
export function tpm2(emulator: SoftwareTpm, tool: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(`tpm2_${tool}`, args, {
    cwd: emulator.folder,
    encoding: 'utf8',
    // A preloaded sanitizer is meant for the addon; the tools hang under it.
    env: { ...process.env, LD_PRELOAD: '', TPM2TOOLS_TCTI: emulator.tcti, TSS2_LOG: 'all+none' },
  });
  if (status !== 0) throw new Error(`tpm2_${tool}: ${stderr}`);
  return stdout;
}

/** Handles of the transient objects in the TPM. */
export function transientHandles(emulator: SoftwareTpm): string[] {
  return tpm2(emulator, 'getcap', 'handles-transient').match(/0x[0-9a-fA-F]+/g) ?? [];
}
