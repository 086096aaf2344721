import { readPublicArea } from '../attestation/public-area.ts';
import type { Command } from './command.ts';
import { refuseExisting, writeWhole } from './file.ts';
import { withTpm } from './session.ts';
import { table } from './text.ts';

export const ak: Command = {
  usage: '--out FILE [--force]',
  summary: 'create an attestation key: it signs what the TPM says, and nothing else',
  help: `  --out FILE               where the key goes (TSS2 PRIVATE KEY, mode 0600)
  --force                  replace a file that is there`,
  options: { out: { type: 'string' }, force: { type: 'boolean' } },
  positionals: 0,
  async run(call) {
    const path = call.required('out');
    const force = call.flag('force');
    await refuseExisting(path, force);
    const { pem, publicArea } = await withTpm(call, (tpm) => tpm.createAttestationKey());
    await writeWhole(path, pem, 0o600, force);
    const name = readPublicArea(publicArea).name.toString('hex');
    const rows = [
      ['key', path],
      ['name', name],
    ] as const;
    return { json: { key: path, name, publicArea: publicArea.toString('base64') }, text: table(rows) };
  },
};
