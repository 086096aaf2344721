// Stands in for Electron's default_app.asar in the closed-network runtime:
// electron [flags] [-r module]… <folder | file> [arguments], electron --version.
const { app } = require('electron');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

/** The rules of Electron's own start page: flags are skipped, the first bare word is the application. */
function readArguments(words) {
  const wanted = { modules: [], version: false, target: undefined };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word === '--version' || word === '-v') return { ...wanted, version: true };
    if (word === '-r' || word === '--require') wanted.modules.push(words[++at]);
    else if (!word.startsWith('-')) return { ...wanted, target: word };
  }
  return wanted;
}

/** Name and version as Electron takes them from the application's package.json; the main file and its app path. */
function locate(target) {
  const resolved = path.resolve(target);
  const isFolder = fs.statSync(resolved).isDirectory();
  const folder = isFolder ? resolved : path.dirname(resolved);
  const manifestFile = path.join(folder, 'package.json');
  const manifest = fs.existsSync(manifestFile) ? JSON.parse(fs.readFileSync(manifestFile, 'utf8')) : {};
  return { folder, manifest, main: isFolder ? path.resolve(folder, manifest.main ?? 'index.js') : resolved };
}

function load(main, manifest) {
  const isModule = main.endsWith('.mjs') || (manifest.type === 'module' && !main.endsWith('.cjs'));
  if (!isModule) return Module._load(main, Module, true);
  return import(pathToFileURL(main).href).catch(fail);
}

function fail(error) {
  process.stderr.write(`electron: ${error instanceof Error ? error.stack : error}\n`);
  process.exit(1);
}

function start() {
  const wanted = readArguments(process.argv.slice(1));
  if (wanted.version) {
    process.stdout.write(`v${process.versions.electron}\n`);
    process.exit(0);
  }
  for (const module of wanted.modules) Module._load(path.resolve(module), Module, true);
  if (wanted.target === undefined) fail('usage: electron [flags] [-r module] <folder | file> [arguments]');
  const { folder, manifest, main } = locate(wanted.target);
  process.defaultApp = true;
  if (manifest.productName || manifest.name) app.setName(manifest.productName || manifest.name);
  if (manifest.version) app.setVersion(manifest.version);
  app.setAppPath(folder);
  load(main, manifest);
}

try {
  start();
} catch (error) {
  fail(error);
}
