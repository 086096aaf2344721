import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readCertifiedKey } from '../../native/attestation/attest.ts';
import { printable } from '../../native/cli/text.ts';
import { openssl } from '../support/openssl.ts';
import { type Ended, runScript } from '../support/script-run.ts';
import { type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { tpm2, transientHandles } from '../support/tpm-fixture.ts';

const program = join('native', 'cli', 'node-tss.mjs');

interface Box {
  readonly emulator: SoftwareTpm;
  /** A file of this box. */
  path(name: string): string;
  run(...args: string[]): Promise<Ended>;
  /** Runs with --json. @returns the one object and the exit code */
  // biome-ignore lint/suspicious/noExplicitAny: every test asserts on what it reads
  json(...args: string[]): Promise<{ exitCode: number | null; value: any }>;
}

/** A TPM of one's own, named to the program through the environment. */
async function box(context: TestContext): Promise<Box> {
  const emulator = await startSwtpm();
  context.after(() => emulator.stop());
  const run = (...args: string[]) => runScript(program, args, { TPM2TOOLS_TCTI: emulator.tcti });
  return {
    emulator,
    path: (name) => join(emulator.folder, name),
    run,
    json: async (...args) => {
      const { exitCode, stdout, stderr } = await run(...args, '--json');
      assert.equal(stderr, '');
      return { exitCode, value: JSON.parse(stdout) };
    },
  };
}

async function boxWithKey(context: TestContext): Promise<Box & { key: string }> {
  const made = await box(context);
  const key = made.path('key.pem');
  const { exitCode, stderr } = await made.run('create', '--out', key);
  assert.equal(exitCode, 0, stderr);
  return { ...made, key };
}

const wrongLines: readonly (readonly string[])[] = [
  [],
  ['toString'],
  ['info', '--colour'],
  ['info', 'extra'],
  ['create'],
  ['csr', '--key', 'key.pem'],
  ['sign', '--key', 'key.pem'],
  ['sign', '--key', 'key.pem', '--digest', '00'],
  ['sign', '--key', 'key.pem', '--digest', '00'.repeat(32), '--file', 'key.pem'],
  ['request'],
  ['request', 'http://localhost/'],
  ['request', 'https://localhost/', '--key', 'key.pem'],
  ['request', 'https://localhost/', '--timeout', 'soon'],
];

test('refuses command lines that are wrong with exit code 2 and points to the help', async () => {
  for (const args of wrongLines) {
    const { exitCode, stdout, stderr } = await runScript(program, args);
    assert.equal(exitCode, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^node-tss: USAGE: .+\n {2}remedy: see --help\n$/s);
  }
});

test('refuses a transport that would run a program', async () => {
  const { exitCode, stderr } = await runScript(program, ['info', '--tcti', 'cmd:true']);
  assert.equal(exitCode, 2);
  assert.match(stderr, /ARGUMENT_INVALID: tcti must begin with device:/);
});

test('names code, return code and remedy where there is no TPM', async () => {
  const { exitCode, stdout } = await runScript(program, ['info', '--json', '--tcti', 'device:/dev/no-such-tpm']);
  assert.equal(exitCode, 1);
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, 'TPM_ABSENT');
  assert.match(error.message, /\/dev\/no-such-tpm/);
  assert.match(error.rc, /^0xa[0-9a-f]{4}$/);
  assert.match(error.remedy, /firmware setup/);
});

test('never overwrites a key unless it is forced to', async (t) => {
  const { key, run, json } = await boxWithKey(t);
  const before = readFileSync(key, 'utf8');
  const { exitCode, value } = await json('create', '--out', key);
  assert.equal(exitCode, 1);
  assert.equal(value.error.code, 'FILE_EXISTS');
  assert.match(value.error.remedy, /--force/);
  assert.equal(readFileSync(key, 'utf8'), before);
  assert.equal((await run('create', '--out', key, '--force')).exitCode, 0);
  assert.notEqual(readFileSync(key, 'utf8'), before);
  assert.equal(statSync(key).mode & 0o777, 0o600);
});

test('refuses files that are not there or are no key, each by its code', async (t) => {
  const { path, json } = await box(t);
  writeFileSync(path('other.pem'), 'not a key');
  const digest = '00'.repeat(32);
  assert.equal((await json('sign', '--key', path('absent.pem'), '--digest', digest)).value.error.code, 'FILE_MISSING');
  assert.equal((await json('sign', '--key', path('other.pem'), '--digest', digest)).value.error.code, 'KEY_INVALID');
  assert.equal((await json('create', '--out', path('absent/key.pem'))).value.error.code, 'FILE_MISSING');
});

test('says that the key of another TPM is lost', async (t) => {
  const { key } = await boxWithKey(t);
  const other = await box(t);
  const { exitCode, value } = await other.json('sign', '--key', key, '--digest', '00'.repeat(32));
  assert.equal(exitCode, 1);
  assert.equal(value.error.code, 'KEY_LOST');
  assert.match(value.error.remedy, /create a new key/);
});

test('refuses subjects that are not names', async (t) => {
  const { key, json } = await boxWithKey(t);
  for (const subject of ['screen', 'CN=', 'CN=a+O=b', 'CN=a,', 'XY=a', 'CN=#04', `CN=${'a'.repeat(65)}`, 'C=CHE']) {
    const { exitCode, value } = await json('csr', '--key', key, '--subject', subject);
    assert.equal(exitCode, 2, subject);
    assert.equal(value.error.code, 'ARGUMENT_INVALID');
  }
});

test('tells what a TPM is and does, and leaves nothing in it', async (t) => {
  const { emulator, run, json } = await box(t);
  const { exitCode, value } = await json('info');
  assert.equal(exitCode, 0);
  assert.equal(value.tcti, emulator.tcti);
  assert.equal(value.manufacturer, 'IBM');
  assert.equal(value.curveP256, true);
  assert.equal(value.ownerAuthSet, false);
  assert.equal(value.transientObjects, 0);
  assert.equal(value.transientFree, 3);
  assert.deepEqual(value.parent, { handle: '0x40000001', persistent: false });
  assert.equal(value.lockout.active, false);
  for (const ms of [value.signature.createMs, value.signature.loadMs, value.signature.signMs]) assert.ok(ms > 0);
  const { stdout } = await run('info');
  for (const word of ['IBM', 'firmware', 'ECC P-256', '3 free', 'lockout', 'signature'])
    assert.ok(stdout.includes(word));
  assert.deepEqual(transientHandles(emulator), []);
});

test('finds the persistent storage root key and makes keys under it', async (t) => {
  const { emulator, path, json } = await box(t);
  tpm2(emulator, 'createprimary', '-Q', '-C', 'o', '-G', 'ecc256:aes128cfb', '-c', 'srk.ctx');
  tpm2(emulator, 'evictcontrol', '-Q', '-C', 'o', '-c', 'srk.ctx', '0x81000001');
  tpm2(emulator, 'flushcontext', '-t');
  assert.deepEqual((await json('info')).value.parent, { handle: '0x81000001', persistent: true });
  assert.equal((await json('create', '--out', path('key.pem'))).value.parent, '0x81000001');
});

test('asks for the owner password where there is one, and takes it from a file', async (t) => {
  const { emulator, path, json } = await box(t);
  tpm2(emulator, 'changeauth', '-c', 'owner', 'hidden words');
  const { exitCode, value } = await json('info');
  assert.equal(exitCode, 0);
  assert.equal(value.ownerAuthSet, true);
  assert.equal(value.signature.error.code, 'TPM_OWNER_AUTH');
  assert.match(value.signature.error.remedy, /--owner-auth-file/);
  writeFileSync(path('owner'), 'hidden words\n', { mode: 0o600 });
  const key = path('key.pem');
  assert.equal((await json('create', '--out', key)).value.error.code, 'TPM_OWNER_AUTH');
  assert.equal((await json('create', '--out', key, '--owner-auth-file', path('owner'))).exitCode, 0);
});

test('shows the lockout, and that our keys go on signing in it', async (t) => {
  const { emulator, json } = await box(t);
  tpm2(emulator, 'dictionarylockout', '-s', '-n', '1', '-t', '120', '-l', '180');
  const protectedParent = ['-C', 'o', '-G', 'ecc256', '-p', 'secret', '-c', 'parent.ctx'];
  const attributes = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|decrypt';
  tpm2(emulator, 'createprimary', '-Q', ...protectedParent, '-a', attributes);
  assert.throws(() =>
    tpm2(emulator, 'create', '-Q', '-C', 'parent.ctx', '-P', 'wrong', '-u', 'public', '-r', 'private'),
  );
  tpm2(emulator, 'flushcontext', '-t');
  const { lockout, signature } = (await json('info')).value;
  assert.deepEqual(lockout, { active: true, failures: 1, maxFailures: 1, intervalSeconds: 120, recoverySeconds: 180 });
  assert.ok(signature.signMs > 0);
});

test('makes a certificate request that OpenSSL verifies, with the subject as it was given', async (t) => {
  const { key, path, run, json } = await boxWithKey(t);
  const subject = String.raw`CN=screen\, 7,OU=Zürich,O=Example,C=CH`;
  const { value } = await json('csr', '--key', key, '--subject', subject);
  openssl(['req', '-verify', '-noout'], { input: value.request });
  const shown = openssl(['req', '-subject', '-noout', '-nameopt', 'RFC2253,-esc_msb,utf8'], { input: value.request });
  assert.equal(shown.trim(), `subject=${subject}`);
  const { stdout } = await run('csr', '--key', key, '--subject', 'CN=screen', '--out', path('request.pem'));
  assert.equal(stdout, `${path('request.pem')}\n`);
  openssl(['req', '-verify', '-noout', '-in', path('request.pem')]);
});

test('signs digests and files; OpenSSL and node:crypto verify', async (t) => {
  const { emulator, key, path, run, json } = await boxWithKey(t);
  const message = 'signed by the command line';
  writeFileSync(path('message'), message);
  const digest = createHash('sha256').update(message).digest('hex');
  const { value } = await json('sign', '--key', key, '--digest', digest);
  assert.equal(value.digest, digest);
  const signature = Buffer.from(value.signature, 'base64');
  assert.equal(verify('sha256', Buffer.from(message), createPublicKey(value.publicKey), signature), true);
  writeFileSync(path('public.pem'), value.publicKey);
  const { exitCode } = await run('sign', '--key', key, '--file', path('message'), '--out', path('signature'));
  assert.equal(exitCode, 0);
  const shown = ['-verify', path('public.pem'), '-signature', path('signature'), path('message')];
  assert.match(openssl(['dgst', '-sha256', ...shown]), /Verified OK/);
  assert.deepEqual(transientHandles(emulator), []);
});

test('explains itself', async () => {
  const { exitCode, stdout } = await runScript(program, ['--help']);
  assert.equal(exitCode, 0);
  for (const name of ['info', 'create', 'csr', 'sign', 'request']) {
    assert.ok(stdout.includes(`  ${name} `));
    const { exitCode: own, stdout: help } = await runScript(program, [name, '--help']);
    assert.equal(own, 0);
    for (const option of ['--tcti', '--json', '--owner-auth-file'])
      assert.ok(help.includes(option), `${name} ${option}`);
  }
  const { version } = JSON.parse(readFileSync('native/package.json', 'utf8'));
  assert.equal((await runScript(program, ['--version'])).stdout, `${version}\n`);
});

test('keeps control sequences of a server or a TPM away from the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\u009b1mc\u202ed\te\nf'), 'a?[2Jb?1mc?d\te\nf');
});

test('ek, ak and certify tell what a verifier wants to know, and leave the TPM empty', async (t) => {
  const { json, path, key } = await boxWithKey(t);
  const ek = await json('ek');
  assert.deepEqual([ek.exitCode, ek.value.kind, ek.value.handle, ek.value.certificate], [0, 'ecc-p256', null, null]);
  assert.match(ek.value.hash, /^[0-9a-f]{64}$/);
  assert.equal((await json('ek', '--kind', 'rsa-4096')).value.error.code, 'ARGUMENT_INVALID');
  const attestationKey = path('ak.pem');
  assert.match((await json('ak', '--out', attestationKey)).value.name, /^000b[0-9a-f]{64}$/);
  const words = ['--key', key, '--attestation-key', attestationKey];
  const made = (await json('certify', ...words, '--data', 'c0ffee')).value;
  assert.deepEqual(readCertifiedKey(Buffer.from(made.attest, 'base64')).extraData, Buffer.from('c0ffee', 'hex'));
  assert.equal((await json('certify', ...words, '--data', 'c0f')).value.error.code, 'USAGE');
  assert.equal(
    (await json('certify', '--key', key, '--attestation-key', key, '--data', '00')).value.error.code,
    'KEY_INVALID',
  );
});
