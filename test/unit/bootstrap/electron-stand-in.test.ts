import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';

interface Started {
  loaded: string[];
  written: string[];
  exitCodes: (number | undefined)[];
  appPath?: string;
}

/** Run the stand-in's own text with a fake Electron around it. */
function start(words: readonly string[], electronFiles: Readonly<Record<string, string>>): Started {
  const started: Started = { loaded: [], written: [], exitCodes: [] };
  const exit = (code?: number): never => {
    started.exitCodes.push(code);
    throw new Error('exit');
  };
  const write = (text: string) => started.written.push(text);
  const isFolder = (path: string) => !(path in electronFiles);
  const modules: Record<string, unknown> = {
    electron: {
      app: { setName() {}, setVersion() {}, setAppPath: (path: string) => Object.assign(started, { appPath: path }) },
    },
    'node:fs': {
      statSync: (path: string) => ({ isDirectory: () => isFolder(path) }),
      existsSync: (path: string) => path in electronFiles,
      readFileSync: (path: string) => electronFiles[path],
    },
    'node:module': { _load: (path: string) => started.loaded.push(path) },
  };
  const process = {
    argv: ['electron', ...words],
    versions: { electron: '1.2.3' },
    stdout: { write },
    stderr: { write },
    exit,
  };
  const require = (name: string) => modules[name] ?? globalThis.process.getBuiltinModule(name);
  const text = readFileSync('build/electron-stand-in/main.cjs', 'utf8');
  try {
    runInNewContext(text, { require, process, Error, JSON });
  } catch (error) {
    if (!(error instanceof Error && error.message === 'exit')) throw error;
  }
  return started;
}

test('refuses to start without an application', () => {
  const { exitCodes, written } = start(['--some-flag'], {});
  assert.equal(exitCodes[0], 1);
  assert.match(written.join(''), /usage/);
});

test('prints the version and loads nothing', () => {
  const { exitCodes, written, loaded } = start(['--version'], {});
  assert.deepEqual([exitCodes[0], written[0], loaded], [0, 'v1.2.3\n', []]);
});

test('loads modules named by -r before the application, and leaves words behind the application alone', () => {
  const words = ['-r', '/loader.js', '--inspect=0', '/app/main.cjs', '-r', '/not-loaded.js'];
  const { loaded, appPath } = start(words, { '/app/main.cjs': '', '/loader.js': '' });
  assert.deepEqual(loaded, ['/loader.js', '/app/main.cjs']);
  assert.equal(appPath, '/app');
});

test('takes the main file of a folder from its package.json', () => {
  const { loaded } = start(['/app'], { '/app/package.json': '{"main": "dist/main.cjs"}' });
  assert.deepEqual(loaded, ['/app/dist/main.cjs']);
});
