import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { electronBinary, inCheckout } from './bootstrap/checkout.mjs';
import { narrate, runMain, SetupError } from './bootstrap/narration.mjs';
import { asUnprivileged, isRunPhase } from './bootstrap/unprivileged.mjs';
import { startVirtualDisplay } from './bootstrap/virtual-display.mjs';
import { bundleBench, bundleRelease } from './bundle.mjs';
import { setup } from './setup.mjs';

const help = `npm run bench -- NAME — measure, on this machine, against a yardstick in the same run

  handshake     TLS 1.3 handshakes with the TPM's key against Node's own TLS with a software key, and openssl s_time;
                memory after 1,000 connections
  bulk          bodies of 256 MiB through undici's request and fetch, over node-tss and over Node's own TLS
  memory        what 1,000 connections leave in memory
  pool          file reads and the event loop while eight handshakes wait for a TPM that takes 200 ms to sign
  schedule      what plays and until when, for 1,000 playlists with predicates of 4,000 characters, against V8
  sync          1,000 files, 2 GiB, from nginx over mutual TLS to the disk, verified, against curl, sha256sum and sync;
                a poll without a change; a playlist and a store of 10,000 (writes some 20 GiB, needs 6 GiB of disk)
  enrol         a new screen up to its PIN on a software TPM, with attestation and without
  startup       process start to first content frame against a minimal Electron application
  gap           black and wrong frames and the time between two items, for every pair of kinds; drift of their starts;
                frames of a clip: against one bare <img> and <video> in the same Electron
  recovery      the page's process is killed or stopped: from the fault to the right item's picture on the display; the GPU
                process is killed: how long a clip stands still
  soak          a mixed program at high speed: memory (PSS) of each kind of process over time, and its slope

  --json        one JSON object on stdout instead of a table; its "ratios" and "values" hold the result
  --runs N      repetitions, where the measurement has a choice
  --minutes N   how long soak takes, 30 where absent
  --help        this text
`;

const names = [
  'handshake',
  'bulk',
  'memory',
  'pool',
  'schedule',
  'sync',
  'enrol',
  'startup',
  'gap',
  'recovery',
  'soak',
];

/** Measurements that need a display, and its size. @type {Readonly<Record<string, {width: number, height: number}>>} */
const displays = {
  startup: { width: 1920, height: 1080 },
  gap: { width: 1280, height: 720 },
  recovery: { width: 1280, height: 720 },
  soak: { width: 1280, height: 720 },
};

/** @throws {SetupError} */
function readOptions() {
  const remedy = 'npm run bench -- --help lists the measurements and options';
  const flag = /** @type {const} */ ({ type: 'boolean', default: false });
  try {
    const text = /** @type {const} */ ({ type: 'string' });
    const options = { json: flag, help: flag, runs: text, minutes: text };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [name = ''] = positionals;
    if (!values.help && !names.includes(name)) throw new Error(`there is no measurement "${name}"`);
    const runs = values.runs === undefined ? undefined : Number(values.runs);
    if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
      throw new Error(`--runs ${values.runs} is no count`);
    const minutes = values.minutes === undefined ? undefined : Number(values.minutes);
    if (minutes !== undefined && !(minutes > 0 && minutes <= 100_000))
      throw new Error(`--minutes ${values.minutes} is no length of time`);
    return { name, runs, minutes, json: values.json, help: values.help };
  } catch (error) {
    throw new SetupError(error instanceof Error ? error.message : String(error), remedy);
  }
}

/**
 * @param {readonly Record<string, unknown>[]} rows
 * @param {Record<string, number | null>} ratios
 */
function table(rows, ratios) {
  const heads = Object.keys(rows[0] ?? {});
  const cells = [heads, ...rows.map((row) => heads.map((head) => String(row[head])))];
  const widths = heads.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  '),
  );
  return [...lines, '', ...Object.entries(ratios).map(([name, ratio]) => `${name} ${ratio}`)].join('\n');
}

/** Only what was given: the measurements have defaults of their own. @param {Record<string, number | undefined>} given */
const defined = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

/** @param {ReturnType<typeof readOptions>} options */
async function measure({ name, runs, minutes, json }) {
  // Relative paths of the measurements start at the checkout.
  process.chdir(inCheckout());
  const module = await import(pathToFileURL(inCheckout(`dist/bench/${name}.mjs`)).href);
  const display = name in displays ? await startVirtualDisplay(displays[name]) : undefined;
  try {
    const tell = (/** @type {string} */ text) => narrate('bench', text);
    const given = { electron: electronBinary, display, narrate: tell, ...defined({ runs, minutes }) };
    const { rows, ratios, values = {} } = await module[`${name}Bench`](given);
    process.stdout.write(
      `${json ? JSON.stringify({ bench: name, rows, ratios, values }) : table(rows, { ...ratios, ...values })}\n`,
    );
  } finally {
    await display?.stop();
  }
}

await runMain(async () => {
  const options = readOptions();
  if (options.help) return void process.stdout.write(help);
  if (!isRunPhase()) {
    await setup(['build', 'run', 'test']);
    await bundleRelease();
    await bundleBench(options.name);
    const code = await asUnprivileged([]);
    if (code !== undefined) return code;
  }
  await measure(options);
});
