import process from 'node:process';
import { run } from '../bootstrap/command.mjs';
import { narrate } from '../bootstrap/narration.mjs';
import { fuzzCommand, fuzzTargets, provideFuzzers } from './fuzz-targets.mjs';

/**
 * One fuzzer for some time. @param {string} name @param {number} seconds
 * @returns {Promise<boolean>} whether every rule held
 */
export async function runFuzzer(name, seconds) {
  const { program, args, env } = await fuzzCommand(name, seconds);
  const { code, stderr } = await run(program, args, { quiet: true, env: { ...process.env, ...env } });
  const units = Number(/number_of_executed_units: (\d+)/.exec(stderr)?.[1] ?? 0);
  // A fuzzer that ran nothing has shown nothing.
  const passed = code === 0 && units > 0;
  if (!passed) process.stderr.write(stderr.slice(-8000));
  narrate('fuzz', `${passed ? 'ok    ' : 'FAILED'} ${name}, ${units} inputs in ${seconds} s`);
  return passed;
}

/** Every fuzzer for a few seconds. @returns {Promise<import('./outcome.mjs').Outcome>} */
export async function runFuzzSuite() {
  await provideFuzzers();
  let passed = 0;
  for (const name of fuzzTargets) if (await runFuzzer(name, 7)) passed += 1;
  return { passed, failed: fuzzTargets.length - passed, skipped: 0 };
}
