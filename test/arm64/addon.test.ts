import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { opensslVersion } from 'node-tss';

/** The addon that this process was told to take; `build/tests/addon-preload.cjs` sees to it. */
const addon = process.env['SIGNET_TEST_ADDON'] ?? '';
const readelf = (...words: readonly string[]) =>
  execFileSync('readelf', ['--wide', ...words, addon], { encoding: 'utf8' });

interface Symbol {
  readonly name: string;
  readonly defined: boolean;
}

function symbols(): Symbol[] {
  const rows = readelf('--dyn-syms')
    .split('\n')
    .filter((row) => /^\s*\d+: /.test(row));
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((cells) => cells[7] !== undefined && cells[3] !== 'SECTION')
    .map((cells) => ({ name: cells[7] ?? '', defined: cells[6] !== 'UND' }));
}

/** Newest version of a library's interface that is asked for. */
function newest(prefix: string): readonly number[] {
  const versions = [...readelf('--version-info').matchAll(new RegExp(`${prefix}_([\\d.]+)`, 'g'))];
  return (
    versions
      .map(([, text = '']) => text.split('.').map(Number))
      .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) || (a[2] ?? 0) - (b[2] ?? 0))
      .at(-1) ?? []
  );
}

test('is loaded, compiled for arm64, by a Node for arm64', () => {
  assert.equal(process.arch, 'arm64');
  assert.match(readelf('--file-header'), /Class:\s+ELF64\n[\s\S]*Machine:\s+AArch64\n/);
  const loaded = readFileSync('/proc/self/maps', 'utf8').match(/\S+node_tss\.node/g) ?? [];
  assert.deepEqual([...new Set(loaded)], [addon]);
  assert.match(opensslVersion(), /^3\./);
});

test('exports the entry points of Node-API and nothing else, for arm64 too', () => {
  const exported = symbols().filter(({ defined }) => defined);
  assert.deepEqual(exported.map(({ name }) => name).sort(), [
    'napi_register_module_v1',
    'node_api_module_get_api_version_v1',
  ]);
});

test('takes no symbol of OpenSSL from its host, for arm64 too', () => {
  const wanted = symbols().filter(({ defined, name }) => !defined && /^(SSL|EVP|OSSL|X509|BIO|OPENSSL)_/.test(name));
  assert.deepEqual(wanted, []);
});

test('runs on kernels with pages of 64 KiB, so on those of 16 KiB that a Raspberry Pi 5 has', () => {
  const loads = readelf('--program-headers')
    .split('\n')
    .filter((row) => /^\s+LOAD\s/.test(row));
  assert.ok(loads.length > 0);
  for (const row of loads) assert.ok(Number(row.trim().split(/\s+/).at(-1)) >= 0x10000, row);
});

test('asks for no newer glibc and libstdc++ than those of Debian 12', () => {
  const [, glibc = 99] = newest('GLIBC');
  assert.ok(glibc <= 36, `GLIBC_2.${glibc}`);
  const [major = 99, minor = 99, patch = 99] = newest('GLIBCXX');
  assert.ok(major === 3 && minor === 4 && patch <= 30, `GLIBCXX_${major}.${minor}.${patch}`);
});
