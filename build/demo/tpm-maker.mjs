import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../bootstrap/command.mjs';
import { SetupError } from '../bootstrap/narration.mjs';

/**
 * The demo's maker of TPMs: an authority of its own (Debian's swtpm_localca) that gives a new software TPM endorsement
 * keys and their certificates, as a factory does. A TPM that was used before stays what it is.
 * @param {string} makerFolder where the authority lives
 * @param {string} tpmFolder state of the TPM
 * @returns {Promise<string>} the authority's certificate, PEM: what the reference server pins
 * @throws {SetupError}
 */
export async function deliverTpm(makerFolder, tpmFolder) {
  const at = (/** @type {string} */ name) => path.join(makerFolder, name);
  for (const folder of [at('ca'), tpmFolder]) await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(tpmFolder)).length === 0) await manufacture(at, tpmFolder);
  return readFile(at('ca/issuercert.pem'), 'utf8').catch(() => '');
}

/**
 * @param {(name: string) => string} at
 * @param {string} tpmFolder
 */
async function manufacture(at, tpmFolder) {
  const setup = { tool: '/usr/bin/swtpm_localca', tool_config: at('localca.conf'), tool_options: at('options') };
  const ca = { statedir: at('ca'), signingkey: at('ca/signkey.pem'), issuercert: at('ca/issuercert.pem') };
  const options = '--platform-manufacturer Signet --platform-version 1 --platform-model Demo\n';
  await writeFile(
    at('setup.conf'),
    lines({
      create_certs_tool: setup.tool,
      create_certs_tool_config: setup.tool_config,
      create_certs_tool_options: setup.tool_options,
    }),
  );
  await writeFile(at('localca.conf'), lines({ ...ca, certserial: at('ca/certserial') }));
  await writeFile(at('options'), options);
  const words = ['--tpm2', '--create-ek-cert', '--tpmstate', tpmFolder, '--config', at('setup.conf')];
  const { code, stderr } = await run('swtpm_setup', [...words, '--logfile', at('log')], { quiet: true });
  if (code === 0) return;
  throw new SetupError(`no software TPM could be made: ${stderr.trim()}`, `read ${at('log')}; npm start -- --fresh`);
}

/** @param {Record<string, string>} pairs */
function lines(pairs) {
  return Object.entries(pairs)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}
