import { readFile } from 'node:fs/promises';

/**
 * What the scenarios of a suite came to, as a table: fault, what the screen showed, time until all was right again.
 * @param {string} file a JSON object a line, as test/ui/player/scenario.ts writes them
 * @returns {Promise<string>} empty where no scenario ran
 */
export async function scenarioTable(file) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const rows = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => /** @type {{fault: string, shown: string[], recoveryMs: number}} */ (JSON.parse(line)));
  if (rows.length === 0) return '';
  const cells = rows.map(({ fault, shown, recoveryMs }) => [
    fault,
    shown.join(' → '),
    recoveryMs < 100 ? 'less than 0.1 s' : `${(recoveryMs / 1_000).toFixed(1)} s`,
  ]);
  const heads = ['fault', 'the screen showed', 'recovered after'];
  const table = [heads, heads.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
  return `\n${table}\n`;
}
