import { X509Certificate } from 'node:crypto';
import type { EndorsementKind } from '../api.ts';
import { chipOf } from '../attestation/endorsement-certificate.ts';
import { endorsementHash } from '../attestation/verification.ts';
import type { Command } from './command.ts';
import { refuseExisting, writeWhole } from './file.ts';
import { withTpm } from './session.ts';
import { printable, table } from './text.ts';

export const ek: Command = {
  usage: '[--kind KIND] [--certificate-out FILE] [--force]',
  summary: 'the endorsement key, and what its maker says of the TPM',
  help: `  --kind KIND              rsa-2048, ecc-p256 or ecc-p384; the certified one where absent
  --certificate-out FILE   where the maker's certificate goes, DER
  --force                  replace a file that is there

The hash is that of the public key (SubjectPublicKeyInfo): what a verifier's allow-list holds.`,
  options: { kind: { type: 'string' }, 'certificate-out': { type: 'string' }, force: { type: 'boolean' } },
  positionals: 0,
  async run(call) {
    const path = call.text('certificate-out');
    const force = call.flag('force');
    if (path !== undefined) await refuseExisting(path, force);
    const found = await withTpm(call, (tpm) => tpm.endorsementKey(call.text('kind') as EndorsementKind | undefined));
    const { kind, certificate, publicArea } = found;
    const handle = found.handle === null ? null : `0x${found.handle.toString(16)}`;
    if (path !== undefined && certificate !== null) await writeWhole(path, certificate, 0o644, force);
    const x509 = certificate === null ? null : new X509Certificate(certificate);
    const chip = x509 === null ? null : chipOf(x509);
    const hash = endorsementHash(publicArea);
    const rows = [
      ['endorsement key', kind],
      ['handle', handle ?? 'none: made anew for each use'],
      ['hash', hash],
      ['certificate', x509 === null ? 'none' : `by ${x509.issuer.replaceAll('\n', ', ')}`],
      ['maker', chip?.manufacturer ?? ''],
      ['model', chip?.model ?? ''],
      ['version', chip?.version ?? ''],
    ] as const;
    return {
      json: {
        kind,
        handle,
        hash,
        publicArea: publicArea.toString('base64'),
        certificate: certificate?.toString('base64') ?? null,
        chip,
      },
      text: printable(table(rows)),
    };
  },
};
