import { posix } from 'node:path';

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** The path of the data. A stage sees the types of those before it. */
const stages = [
  'tpm',
  'csr',
  'registration',
  'certificate',
  'mtls',
  'playlist',
  'cache',
  'schedule',
  'sanitize',
  'ipc',
  'operator',
  'shell',
  'command',
  'updates',
];

/** Files at the top of electron/ that every stage may use. */
const shared = new Set(
  ['errors', 'log', 'settings', 'journal', 'atomic-file', 'private-file'].map((name) => `electron/${name}.ts`),
);

/** The wiring: main.ts and what it is cut into. It knows every stage, and no stage knows it. */
const isWiring = (path: string) => path === 'electron/main.ts' || path.startsWith('electron/assembly/');

/** The border with the page: types only, so that the stage that fills it may name them. */
const contract = 'electron/ipc/contract.ts';

interface Import {
  readonly from: string;
  readonly typesOnly: boolean;
}

/** Imports that break a rule, as sentences; empty when all is well. */
export function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    importsOf(file.text).flatMap((found) => {
      const reason = broken(file.path, found);
      return reason === null ? [] : [`${file.path}: ${found.from}: ${reason}`];
    }),
  );
}

/** Files that are too long. */
export function sizeViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const most = path === 'electron/main.ts' ? 120 : 300;
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > most ? [`${path}: ${lines} lines, ${most} at most`] : [];
  });
}

function broken(path: string, { from, typesOnly }: Import): string | null {
  const target = from.startsWith('.') ? posix.join(posix.dirname(path), from) : null;
  switch (path.split('/')[0]) {
    case 'renderer':
      return brokenInPage(from, target, typesOnly);
    case 'native':
      return target === null || target.startsWith('native/') ? null : 'the addon knows nothing of the player';
    default:
      return brokenInMain(path, from, target, typesOnly);
  }
}

function brokenInPage(from: string, target: string | null, typesOnly: boolean): string | null {
  if (target === null) return /^(node:|electron\b|undici|node-tss)/.test(from) ? 'the page has no Node' : null;
  if (target.startsWith('renderer/')) return null;
  if (target !== contract) return 'the page may import electron/ipc/contract.ts alone';
  return typesOnly ? null : 'the page may import the contract as types only';
}

function brokenInMain(path: string, from: string, target: string | null, typesOnly: boolean): string | null {
  const stage = stageOf(path);
  if (target === null)
    return from === 'node-tss' && stage !== 'tpm' && stage !== 'mtls' && !isWiring(path)
      ? 'only tpm/ and mtls/ know the addon'
      : null;
  if (!target.startsWith('electron/')) return 'it is not of the main process';
  if (isWiring(path) || shared.has(target)) return null;
  if (target === contract) return typesOnly ? null : 'the contract holds types only';
  if (stage === null) return 'a shared file knows shared files only';
  const targetStage = stageOf(target);
  if (targetStage === null) return 'it is neither a stage nor shared';
  if (targetStage === stage) return null;
  if (stages.indexOf(targetStage) > stages.indexOf(stage)) return 'it is a later stage';
  return typesOnly ? null : 'values come from the own stage only';
}

function stageOf(path: string): string | null {
  const [, name = ''] = path.split('/');
  return stages.includes(name) ? name : null;
}

/** Static, dynamic, type and CommonJS imports of a source text; comments do not count. */
function importsOf(text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[\s;{}])\/\/.*$/gm, '$1');
  const found: Import[] = [];
  const statement = /(?:^|[\n;])\s*(?:import\s*|(?:import|export)\b([^'";]*?)\bfrom\s*)(['"])([^'"\n]+)\2/g;
  for (const [, clause = '', , from = ''] of code.matchAll(statement))
    found.push({ from, typesOnly: namesTypesOnly(clause) });
  for (const [, , from = ''] of code.matchAll(/\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/g))
    found.push({ from, typesOnly: false });
  return found;
}

function namesTypesOnly(clause: string): boolean {
  if (/^\s*type\b/.test(clause)) return true;
  const names = /^\s*\{([^}]*)\}\s*$/.exec(clause)?.[1];
  return names?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false;
}
