import { certificateRequest } from '../csr.ts';
import type { Command } from './command.ts';
import { refuseExisting, writeWhole } from './file.ts';
import { withKey } from './session.ts';

export const csr: Command = {
  usage: '--key FILE --subject NAME [--out FILE] [--force]',
  summary: 'a certificate request (PKCS#10), signed by the key',
  help: `  --key FILE               TSS2 PRIVATE KEY
  --subject NAME           as RFC 4514 writes it: CN=screen-7,O=Example; types CN, SERIALNUMBER, C, L, ST, O, OU, DC
  --out FILE               where the request goes; standard output where absent
  --force                  replace a file that is there`,
  options: {
    key: { type: 'string' },
    subject: { type: 'string' },
    out: { type: 'string' },
    force: { type: 'boolean' },
  },
  positionals: 0,
  async run(call) {
    const subject = call.required('subject');
    const path = call.text('out');
    const force = call.flag('force');
    if (path !== undefined) await refuseExisting(path, force);
    const request = await withKey(call, (key) => certificateRequest(subject, key));
    if (path !== undefined) await writeWhole(path, request, 0o644, force);
    return {
      json: { subject, request, ...(path === undefined ? {} : { out: path }) },
      text: path === undefined ? request : `${path}\n`,
    };
  },
};
