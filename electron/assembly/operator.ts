import { app, webContents } from 'electron';
import type { Snapshot } from '../ipc/contract.ts';
import type { Log } from '../log.ts';
import { completes, parseChord } from '../operator/chord.ts';
import { createDesk, type Desk } from '../operator/desk.ts';
import { isOperatorPin } from '../operator/pin.ts';
import type { Settings } from '../settings.ts';
import type { FactBook } from './facts.ts';
import { overviewOf } from './overview.ts';
import type { DeskPage } from './screen.ts';

export interface OperatorParts {
  readonly settings: Settings;
  readonly facts: Pick<FactBook, 'known'>;
  current(): Snapshot;
  readonly page: DeskPage;
  readonly log: Log;
}

/**
 * Listen for the operator's chord on every page that will ever exist, web pages included: whichever has the keyboard.
 * Without a PIN in the settings there is no overlay. Call before the page is opened.
 */
export function openDesk(parts: OperatorParts): Desk | null {
  const { settings, facts, page, log } = parts;
  const { operator } = settings;
  if (operator.pinFile === undefined && operator.pinHash === undefined) return null;
  const startedAtMs = Date.now();
  const chord = parseChord(operator.chord);
  const desk = createDesk({
    isPin: (pin) => isOperatorPin(pin, operator),
    overview: () => overviewOf(settings, facts, parts.current(), page.shownItem(), startedAtMs),
    show: (view) => {
      // The keys of the PIN go to the page, also where a web page had them.
      const contentsId = page.contentsId();
      if (view.state === 'asking' && contentsId !== null) webContents.fromId(contentsId)?.focus();
      page.show(view);
    },
    monotonicMs: () => performance.now(),
    now: Date.now,
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    log,
  });
  app.on('web-contents-created', (_event, contents) => {
    contents.on('before-input-event', (event, input) => {
      if (completes(chord, input)) {
        event.preventDefault();
        desk.chord();
      } else if (input.type === 'keyDown') {
        if (input.key === 'Escape') desk.leave();
        else desk.key();
      }
    });
    contents.on('render-process-gone', () => {
      if (contents.id === page.contentsId()) desk.leave();
    });
  });
  return desk;
}
