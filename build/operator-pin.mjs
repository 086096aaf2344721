import { randomBytes, scryptSync } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { runMain, SetupError } from './bootstrap/narration.mjs';

const help = `npm run operator-pin — turn a PIN into what operator.pinHash or operator.pinFile takes

Asks for 6 to 12 digits, which are not shown as they are typed (or reads one line of a pipe), and prints a scrypt
hash. A hash of few digits can be tried out by whoever reads it: give the file to the player's group, mode 0640.

  --help    this text
`;

/** 32 MiB and some 100 ms for each attempt. */
const cost = { ln: 15, r: 8, p: 1 };

/**
 * @param {string} pin
 * @param {Buffer} salt
 * @returns {string} PHC string format
 */
export function pinHash(pin, salt) {
  const { ln, r, p } = cost;
  const hash = scryptSync(pin, salt, 32, { N: 2 ** ln, r, p, maxmem: 64 * 2 ** 20 });
  const text = (/** @type {Buffer} */ bytes) => bytes.toString('base64').replaceAll('=', '');
  return `$scrypt$ln=${ln},r=${r},p=${p}$${text(salt)}$${text(hash)}`;
}

/** @returns {Promise<string>} one line; on a terminal without an echo */
async function readLine() {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write('PIN: ');
  const lines = createInterface({ input: stdin, ...(stdin.isTTY ? { output: undefined, terminal: true } : {}) });
  for await (const line of lines) {
    if (stdin.isTTY) stderr.write('\n');
    lines.close();
    return line.trim();
  }
  return '';
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    if (process.argv.includes('--help')) return void process.stdout.write(help);
    const pin = await readLine();
    if (!/^\d{6,12}$/.test(pin)) throw new SetupError('that is no PIN', 'give 6 to 12 digits');
    process.stdout.write(`${pinHash(pin, randomBytes(16))}\n`);
  });
}
