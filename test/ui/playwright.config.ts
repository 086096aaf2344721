import path from 'node:path';
import { defineConfig } from 'playwright/test';

const results = path.resolve('test-results');

/** Run from the repository root; `SIGNET_ELECTRON` names another Electron than the one of the setup. */
// biome-ignore lint/style/noDefaultExport: the runner takes its configuration from the default export
export default defineConfig({
  testDir: '.',
  outputDir: path.join(results, 'playwright'),
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: path.join(results, 'ui.json') }]],
  projects: [
    { name: 'mocked', testDir: 'mocked', testMatch: '**/*.spec.ts' },
    { name: 'screenshots', testDir: 'screenshots', testMatch: '**/*.spec.ts' },
    { name: 'player', testDir: 'player', testMatch: '**/*.spec.ts', timeout: 120_000 },
  ],
});
