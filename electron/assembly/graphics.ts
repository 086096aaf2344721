import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { App } from 'electron';
import type { Log } from '../log.ts';
import { writePrivateFile } from '../private-file.ts';
import { atLoss, atStart, type GraphicsRecord, readGraphicsRecord } from '../shell/graphics.ts';

/** A record is a few hundred bytes; what is longer is none. */
const longest = 4_096;

/** What is known of earlier losses. Synchronous: it is needed before Electron is ready. */
function readRecord(file: string): GraphicsRecord {
  try {
    return readGraphicsRecord(readFileSync(file, 'utf8').slice(0, longest));
  } catch {
    return readGraphicsRecord('');
  }
}

/**
 * Draw in software if the GPU process was lost too often, and count its losses from now on. Call before `ready`.
 * @param leave called when it is lost so often that only a new start can help
 */
export function watchGraphics(app: App, directory: string, log: Log, leave: () => void): void {
  const file = join(directory, 'graphics.json');
  const start = atStart(readRecord(file), Date.now());
  let { record } = start;
  // Else Chromium gives up after the sixth loss, and the player with it.
  app.commandLine.appendSwitch('disable-gpu-process-crash-limit');
  if (start.software) {
    log.warn('graphics-software');
    app.disableHardwareAcceleration();
  }
  app.on('child-process-gone', (_event, { type, reason }) => {
    if (type !== 'GPU' || reason === 'clean-exit') return;
    const next = atLoss(record, Date.now());
    if (record.softwareSinceMs === null && next.record.softwareSinceMs !== null) log.warn('graphics-software-next');
    record = next.record;
    log.warn('graphics-lost', { reason, count: record.lossesMs.length });
    writePrivateFile(file, JSON.stringify(record))
      .catch((thrown: unknown) => log.failure('graphics-not-kept', thrown))
      .finally(() => next.leave && leave());
  });
}
