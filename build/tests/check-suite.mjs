import { checkSteps, runCheckStep } from '../check.mjs';

/** The steps of `npm run check`, each counted as one test. @returns {Promise<import('./outcome.mjs').Outcome>} */
export async function runCheckSuite() {
  let passed = 0;
  const steps = await checkSteps();
  for (const step of steps) if (await runCheckStep(step)) passed += 1;
  return { passed, failed: steps.length - passed, skipped: 0 };
}
