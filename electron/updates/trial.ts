import { writeAtomic } from '../atomic-file.ts';
import type { Log } from '../log.ts';
import type { UpdateFolder } from './folder.ts';

/** Names in the environment by which a supervisor tells a player what it is to it. */
export const trialNames = {
  nonce: 'SIGNET_UPDATE_TRIAL',
  target: 'SIGNET_UPDATE_TARGET',
  expected: 'SIGNET_UPDATE_EXPECT',
  rolledBack: 'SIGNET_UPDATE_ROLLED_BACK',
} as const;

/** How long after its first healthy frame a new version has to live on before it says so. */
const settleMs = 3_000;

/** A version's first start after it was downloaded; for any other start an object that does nothing. */
export interface Trial {
  /** The file that this version will take the place of; `null` where it is no trial. */
  readonly target: string | null;
  /** Resolves when the version has proven itself, at once where it is no trial. */
  readonly proven: Promise<void>;
  /** The page beats; `isItem` where an item was shown. */
  seen(isItem: boolean): void;
}

/**
 * Whether what is on the display is what can be asked of a new version: pure.
 * @param expected the state in which the version before it was
 * @param state the state now
 * @param wasShown whether an item was shown
 */
export function isHealthy(expected: string, state: string, wasShown: boolean): boolean {
  if (state === 'starting') return false;
  if (state === 'playing') return wasShown;
  // What played may be over by its schedule; a screen that has lost its registration or its TPM is not healthy.
  return expected !== 'playing' || state === 'standby';
}

export interface TrialParts {
  /** The names are taken out, so that no child has them. */
  readonly env: NodeJS.ProcessEnv;
  readonly folder: Pick<UpdateFolder, 'healthy'>;
  /** The state of the snapshot now. */
  state(): string;
  readonly log: Log;
}

export function openTrial({ env, folder, state, log }: TrialParts): Trial {
  const take = (name: string) => {
    const value = env[name];
    delete env[name];
    return value ?? '';
  };
  const nonce = take(trialNames.nonce);
  const target = take(trialNames.target);
  const expected = take(trialNames.expected);
  const rolledBack = take(trialNames.rolledBack);
  if (rolledBack !== '') log.warn('update-rolled-back', { version: rolledBack });
  if (nonce === '' || target === '') return { target: null, proven: Promise.resolve(), seen: () => undefined };

  let wasShown = false;
  let isTelling = false;
  let resolve = () => {};
  const proven = new Promise<void>((done) => {
    resolve = done;
  });
  const tell = async () => {
    try {
      await writeAtomic(folder.healthy, nonce);
      log.info('update-proven');
      resolve();
    } catch (thrown) {
      // Unsaid, it is taken back.
      log.failure('update-failed', thrown);
    }
  };
  return {
    target,
    proven,
    seen: (isItem) => {
      wasShown ||= isItem;
      if (isTelling || !isHealthy(expected, state(), wasShown)) return;
      isTelling = true;
      setTimeout(() => void tell(), settleMs);
    },
  };
}
