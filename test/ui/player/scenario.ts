/** The scenario table that the player suite prints: fault → what the screen showed → time until all was right again. */
import { writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { shown } from './chips.ts';
import type { Player } from './rig.ts';

export interface Scenario {
  /** Note what the page shows now; the same twice in a row is noted once. */
  see(player: Player): Promise<void>;
  /** From here on the time counts: the cause is gone, or nothing but the player can act. */
  begins(): void;
  /** All is right again: the row is written. */
  recovered(player: Player): Promise<void>;
}

/** @param fault as test/unit/identity/README.md names it; a test compares */
export function scenario(fault: string): Scenario {
  const screens: string[] = [];
  let sinceMs = performance.now();
  const see = async (player: Player) => {
    const { state, code } = await shown(player);
    const words = code === null ? state : `${state}, ${code}`;
    if (screens.at(-1) !== words) screens.push(words);
  };
  return {
    see,
    begins() {
      sinceMs = performance.now();
    },
    async recovered(player) {
      const recoveryMs = performance.now() - sinceMs;
      await see(player);
      const file = process.env['SIGNET_SCENARIO_ROWS'];
      if (file !== undefined)
        writeFileSync(file, `${JSON.stringify({ fault, shown: screens, recoveryMs })}\n`, { flag: 'a' });
    },
  };
}
