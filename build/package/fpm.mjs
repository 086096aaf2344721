#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
// Stands in for fpm where electron-builder asks for it (CUSTOM_FPM_PATH): the options that it passes for a .deb, over
// dpkg-deb. The same files and the same SOURCE_DATE_EPOCH make the same bytes.
import { createHash } from 'node:crypto';
import { chmod, cp, lstat, lutimes, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** Options of fpm(1) with a value that become a field of the control file. */
const fields = {
  '--name': 'Package',
  '--version': 'Version',
  '--architecture': 'Architecture',
  '--maintainer': 'Maintainer',
  '--category': 'Section',
  '--deb-priority': 'Priority',
  '--url': 'Homepage',
};
/** The same, for those that may be given several times. */
const lists = {
  '-d': 'Depends',
  '--deb-recommends': 'Recommends',
  '--deb-suggests': 'Suggests',
  '--conflicts': 'Conflicts',
  '--replaces': 'Replaces',
  '--provides': 'Provides',
};
const scripts = { '--before-remove': 'prerm', '--after-install': 'postinst', '--after-remove': 'postrm' };
const others = [
  '-s',
  '-t',
  '--package',
  '--description',
  '--deb-compression',
  '--config-files',
  '--vendor',
  '--license',
];

/** @param {string} problem @returns {never} */
function refuse(problem) {
  process.stderr.write(`fpm.mjs: ${problem}\n`);
  process.exit(1);
}

/** @param {readonly string[]} words */
function readArguments(words) {
  const known = new Set([...Object.keys(fields), ...Object.keys(lists), ...Object.keys(scripts), ...others]);
  /** @type {Map<string, string[]>} */
  const options = new Map();
  const sources = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--force') continue;
    if (!word.startsWith('-')) sources.push(word);
    else if (known.has(word)) options.set(word, [...(options.get(word) ?? []), words[++at] ?? '']);
    else refuse(`the option ${word} is not known here`);
  }
  const one = (/** @type {string} */ name) => options.get(name)?.at(-1);
  if (one('-s') !== 'dir' || one('-t') !== 'deb') refuse('only -s dir -t deb');
  return { one, all: (/** @type {string} */ name) => options.get(name) ?? [], sources };
}

/** `FROM/=/TO` copies what is in the folder, `FROM=/TO` the file. @param {string} source @param {string} root */
async function place(source, root) {
  const at = source.indexOf('=');
  const from = source.slice(0, at);
  const target = path.join(root, source.slice(at + 1));
  await mkdir(path.dirname(target), { recursive: true });
  await cp(from, target, { recursive: true, verbatimSymlinks: true, mode: 1 });
}

/** @param {string} root @returns {Promise<string[]>} paths below it, parents first, sorted */
async function tree(root) {
  const names = await readdir(root, { recursive: true });
  return names.sort();
}

/**
 * Modes without the writer's umask, one time everywhere, and the sums of the files.
 * @param {string} root @param {Date} time
 */
async function normalise(root, time) {
  let bytes = 0;
  let sums = '';
  for (const name of await tree(root)) {
    const file = path.join(root, name);
    const stat = await lstat(file);
    if (stat.isFile()) {
      sums += `${createHash('md5')
        .update(await readFile(file))
        .digest('hex')}  ${name}\n`;
      bytes += stat.size;
    }
    const runs = stat.isDirectory() || (stat.mode & 0o100 && !/\.(so(\.\d+)*|node)$/.test(name));
    if (!stat.isSymbolicLink()) await chmod(file, runs ? 0o755 : 0o644);
    await lutimes(file, time, time);
  }
  return { sums, kibibytes: Math.ceil(bytes / 1024) };
}

/** Synopsis on the first line; empty lines of the rest as the policy wants them (§5.6.13). @param {string} text */
function description(text) {
  const [synopsis = '', ...rest] = text.split('\n').map((line) => line.trim());
  return [synopsis, ...rest.map((line) => ` ${line === '' ? '.' : line}`)].join('\n');
}

async function main() {
  const { one, all, sources } = readArguments(process.argv.slice(2));
  const time = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? refuse('SOURCE_DATE_EPOCH is not set')) * 1000);
  const target = one('--package') ?? refuse('--package is missing');
  const root = await mkdtemp(path.join(os.tmpdir(), 'signet-deb-'));
  try {
    for (const source of sources) await place(source, root);
    const { sums, kibibytes } = await normalise(root, time);
    const lines = Object.entries(fields).flatMap(([option, field]) =>
      one(option) ? [`${field}: ${one(option)}`] : [],
    );
    lines.push(`Installed-Size: ${kibibytes}`);
    for (const [option, field] of Object.entries(lists))
      if (all(option).length > 0) lines.push(`${field}: ${all(option).join(', ')}`);
    lines.push(`Description: ${description(one('--description') ?? '')}`);
    const control = path.join(root, 'DEBIAN');
    await mkdir(control);
    await writeFile(path.join(control, 'control'), `${lines.join('\n')}\n`);
    await writeFile(path.join(control, 'md5sums'), sums);
    if (all('--config-files').length > 0)
      await writeFile(path.join(control, 'conffiles'), `${all('--config-files').join('\n')}\n`);
    for (const [option, name] of Object.entries(scripts))
      if (one(option)) await cp(one(option) ?? '', path.join(control, name));
    for (const name of await readdir(control))
      await chmod(path.join(control, name), name in { prerm: 1, postinst: 1, postrm: 1 } ? 0o755 : 0o644);
    await chmod(root, 0o755);
    // One thread: more of them cut the data into blocks, which makes other bytes.
    const pack = [
      `-Z${one('--deb-compression') ?? 'xz'}`,
      ...(process.env.SIGNET_PACKAGE_EFFORT === 'least' ? ['-z0'] : []),
    ];
    const words = ['--root-owner-group', '--threads-max=1', ...pack, '--build', root, target];
    const { status } = spawnSync('dpkg-deb', words, { stdio: ['ignore', 2, 2] });
    if (status !== 0) refuse(`dpkg-deb ended with ${status}`);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

await main();
