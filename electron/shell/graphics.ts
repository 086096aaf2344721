/** What is done about a GPU process that is lost: pure. Chromium starts it again each time. */

/** Kept on the disk, because the remedy takes effect at a start. */
export interface GraphicsRecord {
  /** Losses of the last minutes, Unix milliseconds. */
  readonly lossesMs: readonly number[];
  /** Since when the player draws in software, Unix milliseconds; `null`: it does not. */
  readonly softwareSinceMs: number | null;
}

export const noLosses: GraphicsRecord = { lossesMs: [], softwareSinceMs: null };

const windowMs = 10 * 60_000;
/** Losses within the window after which the next start draws in software. */
const mostLosses = 6;
/** Losses within the window after which the player leaves, so that this start comes soon. */
const mostBeforeLeaving = 30;
/** After this long in software the hardware gets another chance: a driver may have been updated. */
const softwareForMs = 7 * 24 * 3_600_000;

/** What a start goes by. A clock that went back is no reason to stay in software for longer. */
export function atStart(record: GraphicsRecord, nowMs: number): { record: GraphicsRecord; software: boolean } {
  const { softwareSinceMs } = record;
  if (softwareSinceMs === null) return { record, software: false };
  if (Math.abs(nowMs - softwareSinceMs) > softwareForMs) return { record: noLosses, software: false };
  return { record, software: true };
}

/** One more loss: the new record, and whether to leave for a start that draws in software. */
export function atLoss(record: GraphicsRecord, nowMs: number): { record: GraphicsRecord; leave: boolean } {
  const lossesMs = [...record.lossesMs.filter((at) => Math.abs(nowMs - at) < windowMs), nowMs].slice(
    -mostBeforeLeaving,
  );
  const often = lossesMs.length >= mostLosses;
  const softwareSinceMs = record.softwareSinceMs ?? (often ? nowMs : null);
  return { record: { lossesMs, softwareSinceMs }, leave: lossesMs.length >= mostBeforeLeaving };
}

/** A record from the disk; damaged or from elsewhere: none. */
export function readGraphicsRecord(text: string): GraphicsRecord {
  try {
    const { lossesMs, softwareSinceMs } = JSON.parse(text);
    const isTime = (value: unknown) => typeof value === 'number' && Number.isFinite(value);
    if (!Array.isArray(lossesMs) || lossesMs.length > mostBeforeLeaving || !lossesMs.every(isTime)) return noLosses;
    return { lossesMs, softwareSinceMs: isTime(softwareSinceMs) ? softwareSinceMs : null };
  } catch {
    return noLosses;
  }
}
