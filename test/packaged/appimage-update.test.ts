/** The AppImage brings itself up to date from a feed, and takes back what does not start: real files, real players. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Backend, startBackend } from '../backend/backend.ts';
import { createAuthority } from '../support/certificates.ts';
import { type DebianRoot, runToEnd, startDebianRoot, whyImpossible } from '../support/debian-root.ts';
import { type HttpsOrigin, startHttpsOrigin } from '../support/https-origin.ts';
import { type InstalledPlayer, startInstalled } from '../support/installed-player.ts';
import { beside, field, packageFile } from '../support/package-life.ts';
import { type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { type Display, startDisplay } from '../ui/mocked/display.ts';

const skip = whyImpossible() ?? false;
const options = { skip, timeout: 600_000 };
const user = 'visitor';
const keys = { publisher: generateKeyPairSync('ed25519'), somebody: generateKeyPairSync('ed25519') };

let root: DebianRoot;
let home: string;
let target: string;
let feed: string;
let display: Display;
let tpm: SoftwareTpm;
let backend: Backend;
let origin: HttpsOrigin;
let player: InstalledPlayer;
const asked: string[] = [];

const must = async (...words: string[]) => {
  const { code, output } = await runToEnd(words);
  assert.equal(code, 0, `${words.join(' ')}: ${output.slice(-2000)}`);
  return output.trim();
};
const digest = (file: string) => createHash('sha512').update(readFileSync(file)).digest('hex');

/** The same runtime in front of another image. */
async function repack(folder: string, file: string): Promise<void> {
  const from = packageFile('.AppImage');
  const offset = Number(await must(from, '--appimage-offset'));
  const image = `${file}.squashfs`;
  await must('mksquashfs', folder, image, '-root-owned', '-noappend', '-quiet', '-no-progress', '-comp', 'lz4');
  writeFileSync(file, Buffer.concat([readFileSync(from).subarray(0, offset), readFileSync(image)]), { mode: 0o755 });
  rmSync(image);
}

/** The present payload under another version of as many letters. */
async function makeVersion(version: string): Promise<string> {
  const folder = join(root.shared, 'image');
  const from = packageFile('.AppImage');
  const offset = await must(from, '--appimage-offset');
  await must('unsquashfs', '-quiet', '-no-progress', '-offset', offset, '-dest', folder, from);
  const asar = join(folder, 'resources/app.asar');
  const present = /-(\d+\.\d+\.\d+)-/.exec(basename(from))?.[1] ?? '';
  const bytes = readFileSync(asar);
  for (let at = bytes.indexOf(`"${present}"`); at >= 0; at = bytes.indexOf(`"${present}"`, at + 1))
    bytes.write(version, at + 1, 'latin1');
  writeFileSync(asar, bytes);
  const file = join(root.shared, basename(from).replace(present, version));
  await repack(folder, file);
  rmSync(folder, { recursive: true });
  return file;
}

/** A whole AppImage whose program ends at once. */
async function makeBroken(version: string): Promise<string> {
  const folder = join(root.shared, 'broken');
  mkdirSync(folder);
  writeFileSync(join(folder, 'AppRun'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const file = join(root.shared, basename(packageFile('.AppImage')).replace(/-\d+\.\d+\.\d+-/, `-${version}-`));
  await repack(folder, file);
  return file;
}

/** As a publisher would, with the command that is documented. */
async function publish(file: string, key: keyof typeof keys): Promise<void> {
  const keyFile = join(root.shared, `${key}.pem`);
  writeFileSync(keyFile, keys[key].privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const name = join(feed, basename(file));
  rmSync(join(feed, 'latest-linux.yml'), { force: true });
  if (!existsSync(name)) renameSync(file, name);
  await must(process.execPath, 'build/sign-update.mjs', '--key', keyFile, name);
}

/** The first line with this event and field after line `from`; its number. */
async function says(event: string, from: number, part = ''): Promise<number> {
  for (let waitedMs = 0; waitedMs < 240_000; waitedMs += 100) {
    const at = player.said.findIndex((line, n) => n >= from && line.includes(`"${event}"`) && line.includes(part));
    if (at >= 0) return at;
    await delay(100);
  }
  throw new Error(`no ${event} ${part}: ${player.said.slice(-15).join('\n')}`);
}

before(async () => {
  if (skip) return;
  root = await startDebianRoot('trixie', `${await field(packageFile('.deb'), 'Depends')}, ${beside}`);
  chmodSync(root.shared, 0o755);
  home = join(root.shared, 'home');
  feed = join(root.shared, 'feed');
  for (const folder of [home, feed]) mkdirSync(folder);
  await root.must(['useradd', '--home-dir', home, user]);
  target = join(home, 'signet-player.AppImage');
  copyFileSync(packageFile('.AppImage'), target);
  display = await startDisplay(1280, 720);
  tpm = await startSwtpm({ folder: root.shared });
  for (const file of ['tpm.sock', 'tpm.sock.ctrl']) chmodSync(join(root.shared, file), 0o777);
  backend = await startBackend({ stateDirectory: join(root.shared, 'server'), pollIntervalSeconds: 0.2 });
  copyFileSync(backend.caFile, join(home, 'ca.pem'));
  const authority = createAuthority('Updates');
  origin = await startHttpsOrigin(authority, (request, response) => {
    const name = decodeURIComponent(new URL(request.url ?? '/', 'https://x').pathname.slice(1));
    asked.push(name);
    const file = join(feed, name);
    if (name.includes('/') || !existsSync(file)) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-length': statSync(file).size });
    createReadStream(file).pipe(response);
  });
  writeFileSync(join(home, 'feed-ca.pem'), authority.certificatePem);
  writeFileSync(join(home, 'updates.pem'), keys.publisher.publicKey.export({ type: 'spki', format: 'pem' }));
  const settings = {
    server: { origin: backend.origin, caFile: join(home, 'ca.pem') },
    identity: { tcti: tpm.tcti, deviceCaFile: join(home, 'ca.pem'), hostname: 'sign-that-updates' },
    state: { directory: join(home, 'state') },
    store: { budgetBytes: 2 ** 30, reserveBytes: 0 },
    updates: {
      feed: `${origin.origin}/`,
      publicKeyFile: join(home, 'updates.pem'),
      caFile: join(home, 'feed-ca.pem'),
      everyHours: 0.001,
      // Nothing here depends on being fast.
      healthySeconds: 600,
    },
  };
  writeFileSync(join(home, 'settings.json'), JSON.stringify(settings));
  for (const file of ['ca.pem', 'settings.json']) chmodSync(join(home, file), 0o644);
  await root.must(['chown', '-R', user, home]);
}, options);
after(async () => {
  if (skip) return;
  // What was handed over lives in sessions of its own; the root takes all of it down.
  if (player !== undefined) await Promise.race([player.stop(), delay(10_000, undefined, { ref: false })]);
  await origin?.close();
  await backend?.close();
  await tpm?.stop();
  await display?.stop();
  await root?.stop();
});

test('a version that somebody else signed is refused before a byte of it is fetched', options, async () => {
  await publish(await makeVersion('0.9.0'), 'somebody');
  const words = [target, '--appimage-extract-and-run', '--settings', join(home, 'settings.json')];
  player = startInstalled(root, words, { user, env: { HOME: home, DISPLAY: display.name } });
  await player.logged('registration-pending');
  for (let tries = 0; backend.pending().length === 0 && tries < 300; tries++) await delay(100);
  backend.claim(backend.pending()[0]?.pin ?? '', 'Lobby');
  await says('item-shown', 0);
  await says('update-refused', 0, '"reason":"signature-wrong"');
  assert.ok(!asked.some((name) => name.endsWith('.AppImage')), asked.join(' '));
});

test('a good version takes over, plays, and takes the place of the old file', options, async () => {
  const file = join(feed, basename(packageFile('.AppImage')).replace(/-\d+\.\d+\.\d+-/, '-0.9.0-'));
  const before = digest(target);
  await publish(file, 'publisher');
  const trying = await says('update-trying', 0);
  assert.equal(digest(target), before, 'the old file is untouched while the new one is tried');
  const started = await says('player-started', trying, '"version":"0.9.0"');
  const shown = await says('item-shown', started);
  await says('update-proven', shown);
  for (let tries = 0; existsSync(`${target}.next`) && tries < 100; tries++) await delay(100);
  assert.equal(existsSync(`${target}.next`), false);
  assert.equal(digest(target), digest(file));
  assert.ok(!player.said.slice(started).some((line) => line.includes('registration-pending')), 'still registered');
});

test('a version that does not start is taken back and never tried again; the screen plays on', options, async () => {
  const before = digest(target);
  const from = player.said.length;
  await publish(await makeBroken('0.9.9'), 'publisher');
  const trying = await says('update-trying', from, '"version":"0.9.9"');
  const back = await says('update-rolled-back', trying, '"version":"0.9.9"');
  // The newest start is the one that says so: the two lines come close together.
  await says('player-started', trying, '"version":"0.9.0"');
  await says('item-shown', back);
  await says('update-refused', back, '"reason":"refused-earlier"');
  assert.equal(digest(target), before);
  assert.equal(existsSync(`${target}.next`), false);
  assert.equal(player.said.slice(trying + 1).filter((line) => line.includes('"update-trying"')).length, 0);
});
