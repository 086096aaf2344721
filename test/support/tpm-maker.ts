import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A maker of software TPMs: an authority of its own, by Debian's swtpm_localca (package `swtpm-tools`). */
export interface TpmMaker {
  /** Authority that issues the endorsement certificates, PEM; there once a TPM was made. */
  authorityPem(): string;
  /** The root above that authority, PEM. */
  rootPem(): string;
  /**
   * Make a TPM: RSA-2048 endorsement key at 0x81010001 with a certificate in NV 0x01C00002, P-384 one at 0x81010016 with
   * its own in 0x01C00016. @returns the state folder for `startSwtpm`
   */
  make(): Promise<string>;
  /** A TPM that this maker has made before, as it was delivered: the same chip again. */
  again(): Promise<string>;
  /** Every TPM's state, and the authority. */
  remove(): void;
}

export function tpmMaker(): TpmMaker {
  const folder = mkdtempSync(join(tmpdir(), 'tpm-maker-'));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('ca'), { mode: 0o700 });
  writeFileSync(
    at('setup.conf'),
    `create_certs_tool=/usr/bin/swtpm_localca
create_certs_tool_config=${at('localca.conf')}
create_certs_tool_options=${at('localca.options')}
`,
  );
  writeFileSync(
    at('localca.conf'),
    `statedir = ${at('ca')}
signingkey = ${at('ca/signkey.pem')}
issuercert = ${at('ca/issuercert.pem')}
certserial = ${at('ca/certserial')}
`,
  );
  writeFileSync(at('localca.options'), '--platform-manufacturer Test\n--platform-version 1\n--platform-model Test\n');
  let made = 0;
  let first: Promise<string> | undefined;
  const maker: TpmMaker = {
    authorityPem: () => readFileSync(at('ca/issuercert.pem'), 'utf8'),
    rootPem: () => readFileSync(at('ca/swtpm-localca-rootca-cert.pem'), 'utf8'),
    async make() {
      const state = at(`tpm-${made++}`);
      mkdirSync(state, { mode: 0o700 });
      const where = ['--tpmstate', state, '--config', at('setup.conf'), '--logfile', at('log')];
      const env = { ...process.env, LD_PRELOAD: '' };
      await promisify(execFile)('swtpm_setup', ['--tpm2', '--create-ek-cert', ...where], { env }).catch(
        (cause: unknown) => {
          throw new Error('swtpm_setup failed', { cause });
        },
      );
      return state;
    },
    async again() {
      first ??= maker.make();
      const state = at(`copy-${made++}`);
      cpSync(await first, state, { recursive: true });
      return state;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return maker;
}
