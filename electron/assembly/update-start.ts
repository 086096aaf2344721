import { join } from 'node:path';
import type { runUpdates, UpdateParts } from './updates.ts';

/** Look for updates, where the settings ask for it. What goes wrong there is logged, and playing goes on. */
export function startUpdates(parts: UpdateParts, signal: AbortSignal): void {
  if (parts.settings.updates === undefined) return;
  const failed = (thrown: unknown) => {
    if (!signal.aborted) parts.log.failure('updates-ended', thrown);
  };
  try {
    const bundle = require(join(__dirname, 'updates.cjs')) as { runUpdates: typeof runUpdates };
    bundle.runUpdates(parts, signal).catch(failed);
  } catch (thrown) {
    failed(thrown);
  }
}
