import { join } from 'node:path';
import type { App } from 'electron';
import { readCommand } from '../command/line.ts';
import { commandWords } from '../command/words.ts';
import { runCommand } from '../command/worker.ts';

/** Whether Playwright may attach: written in when the player is bundled. */
declare const __TEST_BUILD__: boolean;

/** Carry out what the command line asks for, and exit; return where it asks for nothing but to play. */
export function obeyCommandLine(app: Pick<App, 'isPackaged' | 'getAppPath'>): void {
  const application = app.isPackaged ? [] : [app.getAppPath(), __filename, __dirname];
  const words = commandWords(process.argv, application);
  const command = readCommand(words, __TEST_BUILD__);
  if (command.name !== 'play') runCommand(join(__dirname, 'commands.cjs'), { command, words });
}
