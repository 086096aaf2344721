import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Call, Command } from './command.ts';
import { CliError } from './failure.ts';
import { refuseExisting, writeWhole } from './file.ts';
import { withKey } from './session.ts';
import { publicKeyPem, rounded } from './text.ts';

async function digestOf(call: Call): Promise<Buffer> {
  const hex = call.text('digest');
  const file = call.text('file');
  if ((hex === undefined) === (file === undefined)) throw new CliError('USAGE', 'give either --digest or --file');
  if (hex !== undefined) {
    if (!/^[0-9a-fA-F]{64}$/.test(hex)) throw new CliError('USAGE', '--digest takes 64 hexadecimal digits');
    return Buffer.from(hex, 'hex');
  }
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file as string)) hash.update(chunk as Buffer);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CliError(missing ? 'FILE_MISSING' : 'FILE_ACCESS', (cause as Error).message, cause);
  }
  return hash.digest();
}

export const sign: Command = {
  usage: '--key FILE (--digest HEX | --file FILE) [--out FILE] [--force]',
  summary: 'an ECDSA signature (SHA-256, P-256), DER',
  help: `  --key FILE               TSS2 PRIVATE KEY
  --digest HEX             the SHA-256 digest to sign, 64 hexadecimal digits
  --file FILE              the file whose SHA-256 digest is signed
  --out FILE               where the DER goes (openssl dgst -verify reads it); base64 on standard output where absent
  --force                  replace a file that is there`,
  options: {
    key: { type: 'string' },
    digest: { type: 'string' },
    file: { type: 'string' },
    out: { type: 'string' },
    force: { type: 'boolean' },
  },
  positionals: 0,
  async run(call) {
    const path = call.text('out');
    const force = call.flag('force');
    if (path !== undefined) await refuseExisting(path, force);
    const digest = await digestOf(call);
    const { signature, publicKey, signMs } = await withKey(call, async (key) => {
      const from = performance.now();
      const made = await key.sign(digest);
      return { signature: made, publicKey: key.publicKey, signMs: rounded(performance.now() - from) };
    });
    if (path !== undefined) await writeWhole(path, signature, 0o644, force);
    const base64 = signature.toString('base64');
    return {
      json: {
        digest: digest.toString('hex'),
        signature: base64,
        publicKey: publicKeyPem(publicKey),
        signMs,
        ...(path === undefined ? {} : { out: path }),
      },
      text: path === undefined ? `${base64}\n` : `${path}\n`,
    };
  },
};
