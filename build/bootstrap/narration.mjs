import process from 'node:process';
import { checkout } from './checkout.mjs';

/** Unix milliseconds at which the command was started; its run phase counts on. */
export const startedAtMs = Number(process.env.SIGNET_STARTED_AT ?? Date.now());

/**
 * A text with the checkout's path as the person who started the command knows it, not as a mount shows it.
 * @param {string} text
 */
export const asSeenOutside = (text) => text.replaceAll(checkout, process.env.SIGNET_CHECKOUT ?? checkout);

/**
 * One line of narration for the person who started the command. Goes to stderr, so that a
 * command's own result (a table, a JSON object) is alone on stdout.
 * @param {string} topic what the line is about, such as `setup` or `player`
 * @param {string} text
 */
export function narrate(topic, text) {
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds}s  ${topic.padEnd(9)} ${asSeenOutside(text)}\n`);
}

/** A step that could not be done, with what the person can do about it. */
export class SetupError extends Error {
  /**
   * @param {string} problem one line
   * @param {string} remedy one line, an instruction
   * @param {unknown} [cause]
   */
  constructor(problem, remedy, cause) {
    super(problem, cause === undefined ? undefined : { cause });
    this.name = 'SetupError';
    this.remedy = remedy;
  }
}

/**
 * Run a command's main function; a failure becomes one line with its remedy and a non-zero exit.
 * @param {() => Promise<number | void>} main resolves with the exit code, 0 where absent
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (thrown) {
    const failure = asSetupError(thrown);
    const because = failure.cause instanceof Error ? ` (${failure.cause.message.split('\n')[0]})` : '';
    process.stderr.write(asSeenOutside(`\nFAILED: ${failure.message}${because}\nREMEDY: ${failure.remedy}\n`));
    process.exitCode = 1;
  }
}

/**
 * @param {unknown} thrown
 * @returns {SetupError}
 * @throws what is neither a SetupError nor a refusal of the file system: a bug, shown with its stack
 */
function asSetupError(thrown) {
  if (thrown instanceof SetupError) return thrown;
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'ENOSPC') return new SetupError('the disk is full', 'free some space and run the command again', thrown);
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw thrown;
  const remedy = 'another user, perhaps root, set this checkout up: as root, chown -R it to yourself';
  return new SetupError('a file of the checkout cannot be written', remedy, thrown);
}
