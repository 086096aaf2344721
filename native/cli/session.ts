import type { SigningKey, Tpm } from '../api.ts';
import { openTpm } from '../tpm.ts';
import type { Call } from './command.ts';
import { readText } from './file.ts';

const DEFAULT_TCTI = 'device:/dev/tpmrm0';

/** Where the TPM is: `--tcti`, the environment of tpm2-tools, the kernel's resource manager. */
export function tctiOf(call: Call): string {
  return call.text('tcti') ?? (process.env['TPM2TOOLS_TCTI'] || DEFAULT_TCTI);
}

/** Runs `work` with the TPM of this call, which is closed behind it. @throws TssError, CliError */
export async function withTpm<T>(call: Call, work: (tpm: Tpm) => Promise<T>): Promise<T> {
  // Passwords come from files: everybody on the machine can read a command line.
  const file = call.text('owner-auth-file');
  const ownerAuth = file === undefined ? undefined : (await readText(file)).replace(/\r?\n$/, '');
  const tpm = await openTpm({ tcti: tctiOf(call), ...(ownerAuth === undefined ? {} : { ownerAuth }) });
  try {
    return await work(tpm);
  } finally {
    await tpm.close();
  }
}

/** Runs `work` with the key in the file that `--key` names. @throws TssError, CliError */
export async function withKey<T>(call: Call, work: (key: SigningKey) => Promise<T>): Promise<T> {
  const pem = await readText(call.required('key'));
  return withTpm(call, async (tpm) => work(await tpm.loadKey(pem)));
}
