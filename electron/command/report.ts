/** What became of one check: fine, worth knowing, or to be mended. */
export type Verdict = 'ok' | 'warning' | 'failed';

/** One line of the doctor's report. */
export interface Check {
  readonly check: string;
  readonly verdict: Verdict;
  /** What was found, one sentence without a full stop. */
  readonly finding: string;
  /** What to do about it; always there unless all is well. */
  readonly remedy?: string;
}

export const ok = (check: string, finding: string): Check => ({ check, verdict: 'ok', finding });

export const warning = (check: string, finding: string, remedy: string): Check => ({
  check,
  verdict: 'warning',
  finding,
  remedy,
});

export const failed = (check: string, finding: string, remedy: string): Check => ({
  check,
  verdict: 'failed',
  finding,
  remedy,
});

const words: Readonly<Record<Verdict, string>> = { ok: 'ok', warning: 'note', failed: 'FAIL' };

/** The report for people. */
export function reportText(checks: readonly Check[]): string {
  const width = Math.max(...checks.map(({ check }) => check.length));
  const lines = checks.flatMap(({ check, verdict, finding, remedy }) => [
    `${words[verdict].padEnd(5)} ${check.padEnd(width)}  ${finding}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}→ ${remedy}`]),
  ]);
  const faults = checks.filter(({ verdict }) => verdict === 'failed').length;
  const end = faults === 0 ? 'This machine can play.' : `${faults} of ${checks.length} checks failed.`;
  return `${lines.join('\n')}\n\n${end}\n`;
}

/** The report for programs. */
export function reportJson(version: string, checks: readonly Check[]): string {
  const verdict = checks.some((check) => check.verdict === 'failed') ? 'failed' : 'ok';
  return `${JSON.stringify({ version, verdict, checks })}\n`;
}

/** 1 when something failed. */
export function reportExitCode(checks: readonly Check[]): number {
  return checks.some(({ verdict }) => verdict === 'failed') ? 1 : 0;
}
