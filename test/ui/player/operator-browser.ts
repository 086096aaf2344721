/** The operator at a browser: the console's page in Electron's engine, with its sandbox and its own rules. */
import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { _electron, type Page } from 'playwright/test';
import { electron, type Rig } from './rig.ts';

export interface OperatorBrowser {
  readonly page: Page;
  /** What the page was refused by its own policy, and what its script threw. */
  readonly troubles: readonly string[];
  /** Open the console of the rig's server as it is now, and log in. */
  logIn(): Promise<void>;
  /** The row of a list that names this; `screens`, `pending` or `refused`. */
  row(list: string, text: string): ReturnType<Page['locator']>;
  close(): Promise<void>;
}

/** On the rig's display, without its player or beside it. */
export async function operatorBrowser(rig: Rig): Promise<OperatorBrowser> {
  const profile = await mkdtemp(path.join(rig.folder, 'operator-'));
  const { origin, caFile } = rig.backend;
  const app = await _electron.launch({
    executablePath: electron,
    chromiumSandbox: true,
    args: [path.resolve('test/ui/player/operator-browser.cjs'), origin, caFile, profile],
    env: rig.environment(),
  });
  const page = await app.firstWindow();
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return {
    page,
    troubles,
    async logIn() {
      await page.goto(rig.backend.origin);
      await page.getByLabel('Operator token').fill(rig.backend.operatorToken);
      await page.getByRole('button', { name: 'Log in' }).click();
      await page.locator('#desk').waitFor();
      // That nobody was logged in yet is answered with 401, and the browser says so.
      troubles.length = 0;
    },
    row: (list, text) => page.locator(`#${list} > li`, { hasText: text }),
    close: () => app.close(),
  };
}
