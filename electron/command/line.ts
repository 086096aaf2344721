/** What the player was asked to do, by the words on its command line. */
export type Command =
  | { readonly name: 'play' }
  | { readonly name: 'help' }
  | { readonly name: 'version'; readonly json: boolean }
  | { readonly name: 'doctor'; readonly json: boolean }
  | { readonly name: 'identity'; readonly json: boolean }
  | { readonly name: 'settings-check'; readonly file: string | undefined; readonly json: boolean }
  | { readonly name: 'unregister'; readonly yes: boolean; readonly forgetKey: boolean };

/** A command line that means nothing: what is wrong, and what may have been meant. */
export interface Misuse {
  readonly name: 'misuse';
  readonly message: string;
  readonly hint: string;
}

/** Chromium's switches that a sign may need; what opens the page or the process to others is refused elsewhere. */
const chromiumSwitches = [
  'disable-gpu',
  'disable-gpu-compositing',
  'force-device-scale-factor',
  'ignore-gpu-blocklist',
  'lang',
  'ozone-platform',
  'ozone-platform-hint',
  'password-store',
  'render-node-override',
  'touch-events',
  'use-angle',
  'use-gl',
];

/** Test builds alone: what Playwright and Chromium's debuggers add. */
const testSwitches = /^--?(inspect|remote-debugging-|remote-allow-origins|debug|enable-automation)/;

const flagsOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['play', []],
  ['help', []],
  ['version', ['--json']],
  ['doctor', ['--json']],
  ['identity', ['--json']],
  ['settings check', ['--json']],
  ['unregister', ['--yes', '--forget-key']],
]);

const allFlags = [...flagsOf.values()].flat();

/** Spellings that lead to the same command. */
const spellings: ReadonlyMap<string, string> = new Map([
  ['--help', 'help'],
  ['-h', 'help'],
  ['help', 'help'],
  ['--version', 'version'],
  ['version', 'version'],
  ['--doctor', 'doctor'],
  ['doctor', 'doctor'],
  ['identity', 'identity'],
  ['settings', 'settings'],
  ['unregister', 'unregister'],
]);

interface Words {
  /** Commands and their operands, in order. */
  readonly bare: string[];
  readonly flags: string[];
}

/**
 * Read the command line.
 * @param words arguments after the program (and, in a checkout, after the application's path)
 * @param testBuild whether debugging switches are let through
 */
export function readCommand(words: readonly string[], testBuild: boolean): Command | Misuse {
  const sorted = sort(words, testBuild);
  if ('name' in sorted) return sorted;
  const [first, ...operands] = sorted.bare;
  const name = first === undefined ? 'play' : spellings.get(first);
  if (name === undefined) return unknown(first ?? '');
  if (name === 'settings') return settingsCommand(operands, sorted.flags);
  if (operands.length > 0) {
    const repeated = operands.find((word) => spellings.has(word));
    return misuse(`${first}: one thing at a time`, repeated ? `leave out ${repeated}` : `leave out ${operands[0]}`);
  }
  const wrong = wrongFlag(name, sorted.flags);
  if (wrong !== null) return wrong;
  const json = sorted.flags.includes('--json');
  switch (name) {
    case 'help':
    case 'play':
      return { name };
    case 'version':
    case 'doctor':
    case 'identity':
      return { name, json };
    default:
      return {
        name: 'unregister',
        yes: sorted.flags.includes('--yes'),
        forgetKey: sorted.flags.includes('--forget-key'),
      };
  }
}

/** Tell commands, flags, `--settings` with its file, and Chromium's switches apart. */
function sort(words: readonly string[], testBuild: boolean): Words | Misuse {
  const bare: string[] = [];
  const flags: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === '--settings') {
      if (words[++at] === undefined) return misuse('--settings: the file is missing', '--settings FILE');
    } else if (word.startsWith('--settings=')) {
      if (word === '--settings=') return misuse('--settings: the file is missing', '--settings FILE');
    } else if (!word.startsWith('-') || spellings.has(word)) {
      bare.push(word);
    } else if (allFlags.includes(word)) {
      flags.push(word);
    } else if (!isLetThrough(word, testBuild)) {
      return unknown(word);
    }
  }
  return { bare, flags };
}

function isLetThrough(word: string, testBuild: boolean): boolean {
  const name = /^--([a-z0-9-]+)(=.*)?$/.exec(word)?.[1];
  if (name !== undefined && chromiumSwitches.includes(name)) return true;
  return testBuild && testSwitches.test(word);
}

function settingsCommand(operands: readonly string[], flags: readonly string[]): Command | Misuse {
  const [verb, file, ...more] = operands;
  if (verb !== 'check')
    return misuse(
      verb === undefined ? 'settings: what about them?' : `settings ${verb}: unknown`,
      'settings check FILE',
    );
  if (more.length > 0) return misuse('settings check: one file at a time', `leave out ${more[0]}`);
  const wrong = wrongFlag('settings check', flags);
  return wrong ?? { name: 'settings-check', file, json: flags.includes('--json') };
}

function wrongFlag(name: string, flags: readonly string[]): Misuse | null {
  const known = flagsOf.get(name) ?? [];
  const wrong = flags.find((flag) => !known.includes(flag));
  if (wrong === undefined) return null;
  const place = [...flagsOf].filter(([, theirs]) => theirs.includes(wrong)).map(([command]) => command);
  return misuse(
    `${name === 'play' ? '' : `${name} `}${wrong}: not possible here`,
    `it belongs to: ${place.join(', ')}`,
  );
}

/** The nearest word that is known, where one is near. */
function unknown(word: string): Misuse {
  if (word === 'setup-kiosk')
    return misuse(
      'setup-kiosk: only the installed package can do this',
      'install the .deb and call /usr/bin/signet-player setup-kiosk as root',
    );
  const known = [...spellings.keys(), '--settings', ...new Set(allFlags)];
  const plain = word.split('=', 1)[0] ?? word;
  const near = known
    .map((candidate) => ({ candidate, distance: distance(plain, candidate) }))
    .sort((one, other) => one.distance - other.distance)[0];
  const hint =
    near !== undefined && near.distance <= 2 ? `did you mean ${near.candidate}?` : '--help lists what there is';
  return misuse(`${word}: unknown`, hint);
}

function misuse(message: string, hint: string): Misuse {
  return { name: 'misuse', message, hint };
}

/** Levenshtein's distance. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [at, against] of [...other].entries())
      next.push(Math.min((next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + (letter === against ? 0 : 1)));
    row = next;
  }
  return row[other.length] ?? 0;
}
