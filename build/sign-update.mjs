import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { feedName, feedText, readName, statement } from './update/statement.mjs';

const help = `npm run sign-update — make the update feed of an AppImage

  npm run sign-update -- --new-key KEYFILE      a new key: KEYFILE (private, keep it offline) and KEYFILE.pub
  npm run sign-update -- --key KEYFILE FILE     FILE.sig and latest-linux.yml beside FILE

FILE is an AppImage under the name that npm run dist gave it. Upload it, then FILE.sig, and latest-linux.yml last. KEYFILE.pub
is what updates.publicKeyFile names on the screens.

  --help    this text
`;

const remedy = 'npm run sign-update -- --help';

/** @param {string} file */
async function makeKey(file) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  await writeFile(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644, flag: 'wx' });
  narrate('update', `${file} and ${file}.pub`);
}

/** @param {string} keyFile @param {string} file */
async function signFile(keyFile, file) {
  const name = path.basename(file);
  const named = readName(name);
  if (named === null) throw new SetupError(`${name}: not the name of an AppImage of npm run dist`, remedy);
  const key = createPrivateKey(await readFile(keyFile));
  if (key.asymmetricKeyType !== 'ed25519') throw new SetupError(`${keyFile}: not an Ed25519 key`, remedy);
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const release = { ...named, sizeBytes: (await stat(file)).size, sha512: hash.digest('base64') };
  const signature = sign(null, Buffer.from(statement(release)), key).toString('base64');
  await writeFile(`${file}.sig`, `${signature}\n`);
  const feed = path.join(path.dirname(file), feedName(named.arch));
  await writeFile(feed, feedText({ ...release, file: name, time: new Date() }));
  narrate('update', `${file}.sig, ${feed}`);
}

await runMain(async () => {
  const string = /** @type {const} */ ({ type: 'string' });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: string, 'new-key': string, help: { type: 'boolean', default: false } },
  });
  const [file, ...more] = positionals;
  if (values.help) return void process.stdout.write(help);
  if (values['new-key'] !== undefined && file === undefined) return makeKey(values['new-key']);
  if (values.key === undefined || file === undefined || more.length > 0)
    throw new SetupError('that is neither a new key nor one file to sign', remedy);
  return signFile(values.key, file);
});
