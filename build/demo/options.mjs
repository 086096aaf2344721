import path from 'node:path';
import { parseArgs } from 'node:util';
import { SetupError } from '../bootstrap/narration.mjs';

export const help = `npm start — the whole path on this machine: software TPM, reference server, player

Options, after \`npm start --\`:
  --claim=auto|manual     who claims the screen in the server's console (default auto)
  --claim-after SECONDS   how long the PIN shows before the automatic claim (default 6)
  --state DIR             where everything is kept between runs (default .signet)
  --fresh                 forget the state first: new TPM, new key, new registration
  --virtual               use a virtual display (Xvfb) even where there is a real one
  --screenshots DIR       where screenshots of a virtual display go (default: in the state folder)
  --server-port PORT      port of the reference server (default: a free one, kept in the state)
  --for SECONDS           end by itself after this time of the player's life
  --help                  this text

The first run sets the machine up (npm run setup), builds, and registers the screen. Later runs play at once.
Ctrl-C ends everything that was started.
`;

/**
 * @typedef {object} DemoOptions
 * @property {boolean} help
 * @property {'auto' | 'manual'} claim
 * @property {number} claimAfterMs
 * @property {string} state absolute
 * @property {boolean} fresh
 * @property {boolean} virtual
 * @property {string} screenshots absolute
 * @property {number | undefined} serverPort
 * @property {number | undefined} forMs
 */

/**
 * @param {string} name
 * @param {string | undefined} text
 * @param {number} most
 * @returns {number | undefined}
 */
function number(name, text, most) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text !== '' && Number.isFinite(value) && value >= 0 && value <= most) return value;
  throw new SetupError(`--${name}: ${text} is not a number from 0 to ${most}`, 'npm start -- --help lists the options');
}

/**
 * @param {readonly string[]} words the command line without node and script
 * @returns {DemoOptions}
 * @throws {SetupError}
 */
export function readOptions(words) {
  const text = /** @type {const} */ ({ type: 'string' });
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  let values;
  try {
    ({ values } = parseArgs({
      args: [...words],
      options: {
        ...{ claim: { ...text, default: 'auto' }, 'claim-after': text, state: { ...text, default: '.signet' } },
        ...{ screenshots: text, 'server-port': text, for: text, fresh: flag, virtual: flag, help: flag },
      },
    }));
  } catch (error) {
    throw new SetupError(
      error instanceof Error ? error.message : String(error),
      'npm start -- --help lists the options',
    );
  }
  if (values.claim !== 'auto' && values.claim !== 'manual') {
    throw new SetupError(`--claim=${values.claim} is neither auto nor manual`, 'npm start -- --help lists the options');
  }
  const state = path.resolve(values.state);
  const seconds = number('for', values.for, 1_000_000);
  return {
    help: values.help,
    claim: values.claim,
    claimAfterMs: (number('claim-after', values['claim-after'], 600) ?? 6) * 1000,
    state,
    fresh: values.fresh,
    virtual: values.virtual,
    screenshots: path.resolve(values.screenshots ?? path.join(state, 'screenshots')),
    serverPort: number('server-port', values['server-port'], 65_535),
    forMs: seconds === undefined ? undefined : seconds * 1000,
  };
}
