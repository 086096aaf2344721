import type { Command } from './command.ts';
import { CliError } from './failure.ts';
import { readText } from './file.ts';
import { withTpm } from './session.ts';
import { table } from './text.ts';

export const certify: Command = {
  usage: '--key FILE --attestation-key FILE --data HEX',
  summary: 'have the attestation key say that a key is in this TPM (TPM2_Certify)',
  help: `  --key FILE               TSS2 PRIVATE KEY: the key that is certified
  --attestation-key FILE   TSS2 PRIVATE KEY of "ak"
  --data HEX               the verifier's data, signed in: 1 to 64 bytes`,
  options: { key: { type: 'string' }, 'attestation-key': { type: 'string' }, data: { type: 'string' } },
  positionals: 0,
  async run(call) {
    const pem = await readText(call.required('key'));
    const attestationPem = await readText(call.required('attestation-key'));
    const data = call.required('data');
    if (!/^(?:[0-9a-fA-F]{2}){1,64}$/.test(data))
      throw new CliError('USAGE', '--data takes 1 to 64 bytes of hexadecimal');
    const { attest, signature } = await withTpm(call, async (tpm) =>
      tpm.certify(await tpm.loadKey(pem), attestationPem, Buffer.from(data, 'hex')),
    );
    const json = { attest: attest.toString('base64'), signature: signature.toString('base64') };
    return { json, text: table(Object.entries(json)) };
  },
};
