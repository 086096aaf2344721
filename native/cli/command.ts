import type { ParseArgsConfig } from 'node:util';
import { parseArgs } from 'node:util';
import { CliError } from './failure.ts';

/** What a command found: one object for `--json`, and the same for people. */
export interface Report {
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** One command. It prints nothing itself. */
export interface Command {
  /** What stands behind the command's name in its usage line. */
  readonly usage: string;
  readonly summary: string;
  /** One line an option, and what else there is to say. */
  readonly help: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** How many positional arguments it takes. */
  readonly positionals: 0 | 1;
  /** @throws TssError, CliError */
  run(call: Call): Promise<Report>;
}

/** Options of every command. */
export const commonOptions = {
  tcti: { type: 'string' },
  'owner-auth-file': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** The words that were given to a command. */
export class Call {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #positionals: readonly string[];

  /** @throws CliError USAGE for options that there are not, and for too many arguments */
  constructor(command: Pick<Command, 'options' | 'positionals'>, args: readonly string[]) {
    try {
      const { values, positionals } = parseArgs({
        args: [...args],
        options: { ...command.options, ...commonOptions },
        allowPositionals: true,
      });
      this.#values = values;
      this.#positionals = positionals;
    } catch (cause) {
      throw new CliError('USAGE', (cause as Error).message, cause);
    }
    const extra = this.#positionals[command.positionals];
    if (extra !== undefined) throw new CliError('USAGE', `unexpected argument "${extra}"`);
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** @throws CliError USAGE where it was not given */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new CliError('USAGE', `--${name} is missing`);
    return value;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** The positional argument. @throws CliError USAGE where it was not given */
  positional(what: string): string {
    const [value] = this.#positionals;
    if (value === undefined) throw new CliError('USAGE', `${what} is missing`);
    return value;
  }
}
