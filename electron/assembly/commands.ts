/** The thread that carries out what the command line asked for, apart from playing. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { opensslVersion } from 'node-tss';
import { type Edition, packageName, type Versions, versionText } from '../command/edition.ts';
import { help } from '../command/help.ts';
import { identityJson, identityText } from '../command/identity.ts';
import { reportExitCode, reportJson, reportText } from '../command/report.ts';
import { type Assignment, print } from '../command/worker.ts';
import { asPlayerError } from '../errors.ts';
import { parseSettings, readSettings, settingsFile } from '../settings.ts';

declare const __PLAYER_VERSION__: string;

const { command, words, processId, outcome } = workerData as Assignment;

/** @returns the exit code */
async function carryOut(): Promise<number> {
  switch (command.name) {
    case 'misuse':
      print(2, `signet-player: ${command.message}\n  ${command.hint}\n`);
      return 64;
    case 'help':
      print(1, help);
      return 0;
    case 'version':
      print(1, command.json ? versionJson() : versionText(edition(), versions()));
      return 0;
    case 'doctor': {
      const { examine } = await import('./doctor.ts');
      const checks = await examine(words, processId, edition());
      print(1, command.json ? reportJson(__PLAYER_VERSION__, checks) : reportText(checks));
      return reportExitCode(checks);
    }
    case 'identity': {
      const { readIdentity } = await import('./known-identity.ts');
      const facts = await readIdentity(readSettings(words, process.env));
      print(1, command.json ? identityJson(facts) : identityText(facts));
      return facts.fingerprint === null ? 1 : 0;
    }
    case 'settings-check':
      return checkSettings(command.file ?? settingsFile(words, process.env), command.json);
    case 'unregister': {
      const { unregister } = await import('./unregister.ts');
      return unregister(readSettings(words, process.env), command);
    }
    default:
      return command satisfies never;
  }
}

/** Judge a file as the player would, without what the environment overrides: the file is what was asked about. */
function checkSettings(file: string, json: boolean): number {
  try {
    const settings = parseSettings(file, readFileSync(file, 'utf8'), {});
    const told = { file, verdict: 'ok', settings };
    print(1, json ? `${JSON.stringify(told)}\n` : `${file}: fine, for ${settings.server.origin}\n`);
    return 0;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const reason = code === undefined || code === 'SETTINGS_INVALID' ? (thrown as Error).message : `${file}: ${code}`;
    if (json) print(1, `${JSON.stringify({ file, verdict: 'failed', reason })}\n`);
    else print(2, `signet-player: ${reason}\n`);
    return 78;
  }
}

/** What a package says about itself; in a checkout, what the setup wrote beside Electron. */
function edition(): Edition {
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
  const manifest = read(join(__dirname, 'package.json'));
  const own = manifest === undefined ? undefined : (JSON.parse(manifest) as { readonly signet?: Edition }).signet;
  const runtime = read(join(dirname(process.execPath), 'origin'))?.trim() ?? 'unknown';
  return own ?? { commit: 'a checkout', runtime };
}

function versions(): Versions {
  const { electron = '', chrome = '' } = process.versions;
  return { player: __PLAYER_VERSION__, electron, chrome, openssl: opensslVersion() };
}

function versionJson(): string {
  const { player: version, ...parts } = versions();
  const { commit, runtime, forUsers, kind } = edition();
  const name = packageName(edition());
  return `${JSON.stringify({ name, version, commit, ...parts, runtime, forUsers, kind })}\n`;
}

function end(code: number): void {
  outcome[1] = code;
  outcome[2] = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  Atomics.store(outcome, 0, 1);
  Atomics.notify(outcome, 0);
  // Ends this thread alone.
  process.exit();
}

carryOut().then(end, (thrown: unknown) => {
  const error = asPlayerError(thrown);
  print(2, `signet-player: ${error.code}: ${error.message}\n`);
  end({ operator: 78, retry: 75, bug: 70 }[error.recovery]);
});
