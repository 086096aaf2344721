import { createHash } from 'node:crypto';
import type { Command } from './command.ts';
import { refuseExisting, writeWhole } from './file.ts';
import { withTpm } from './session.ts';
import { publicKeyPem, rounded, table } from './text.ts';

export const create: Command = {
  usage: '--out FILE [--force]',
  summary: 'create a P-256 signing key in the TPM',
  help: `  --out FILE               where the key goes (TSS2 PRIVATE KEY, mode 0600): the wrapped blob, of use to this TPM only
  --force                  replace a file that is there`,
  options: { out: { type: 'string' }, force: { type: 'boolean' } },
  positionals: 0,
  async run(call) {
    const path = call.required('out');
    const force = call.flag('force');
    await refuseExisting(path, force);
    return withTpm(call, async (tpm) => {
      const from = performance.now();
      const pem = await tpm.createKey();
      const createMs = rounded(performance.now() - from);
      const { parent } = await tpm.info();
      // Loaded before it is written: what this TPM does not take back is no key.
      const { publicKey } = await tpm.loadKey(pem);
      await writeWhole(path, pem, 0o600, force);
      const publicPem = publicKeyPem(publicKey);
      const sha256 = createHash('sha256').update(publicKey).digest('hex');
      const handle = `0x${parent.toString(16)}`;
      const rows = [
        ['key', path],
        ['parent', handle],
        ['created in', `${createMs} ms`],
        ['sha256', `${sha256} (of the public key)`],
      ] as const;
      return {
        json: { key: path, parent: handle, createMs, publicKey: publicPem, publicKeySha256: sha256 },
        text: table(rows) + publicPem,
      };
    });
  },
};
