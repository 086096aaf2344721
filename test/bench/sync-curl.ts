import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface CurlFetch {
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
  /** Ends with a slash. */
  readonly url: string;
  /** Empty folder. */
  readonly target: string;
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** `curl --parallel` → `sha256sum --check` → `sync` of the same files. @returns seconds */
export async function fetchWithCurl({ files, url, target, ...tls }: CurlFetch): Promise<number> {
  const lines = files.map(({ name }) => `url = "${url}${name}"\noutput = "${join(target, name)}"`);
  await writeFile(`${target}.urls`, lines.join('\n'));
  await writeFile(`${target}.sums`, files.map(({ name, sha256 }) => `${sha256}  ${join(target, name)}\n`).join(''));
  const startMs = performance.now();
  await run('curl', [
    ...['--silent', '--show-error', '--fail', '--tlsv1.3', '--parallel', '--parallel-max', '8'],
    ...['--cacert', tls.caFile, '--cert', tls.certificateFile, '--key', tls.keyFile, '--config', `${target}.urls`],
  ]);
  await run('sha256sum', ['--check', '--quiet', '--strict', `${target}.sums`]);
  await run('sync', [target, ...files.map(({ name }) => join(target, name))]);
  return (performance.now() - startMs) / 1_000;
}

/** Wait until the disk has nothing left to write. */
export async function settleDisk(folder: string): Promise<void> {
  await run('sync', ['--file-system', folder]);
}
