import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { opensslVersion } from 'node-tss';
import { openssl } from '../support/openssl.ts';

const addon = join(process.cwd(), 'native', 'build', 'Release', 'node_tss.node');

function symbols(...flags: readonly string[]): string[] {
  const lines = execFileSync('nm', ['-D', ...flags, addon], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => line.trim().split(/\s+/).at(-1) ?? '').sort();
}

test('exports the entry points of Node-API and nothing else', () => {
  assert.deepEqual(symbols('--defined-only'), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
});

test('takes no symbol of OpenSSL from its host', () => {
  const wanted = symbols('--undefined-only').filter((name) => /^(SSL|EVP|OSSL|X509|BIO|OPENSSL)_/.test(name));
  assert.deepEqual(wanted, []);
});

test('runs the OpenSSL of the system that it was built on', () => {
  assert.equal(opensslVersion(), openssl(['version']).split(' ')[1]);
});
