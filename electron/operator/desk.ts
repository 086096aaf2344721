import type { OperatorView, Overview } from '../ipc/contract.ts';
import type { Log } from '../log.ts';
import { type Gate, mayTry, openGate, refused } from './gate.ts';

/** How long the overlay stays after the last key. */
const askingMs = 30_000;
const openMs = 90_000;
/** Every attempt is answered after this time, whatever became of it: the wait tells nothing. */
const answerMs = 700;
const refreshMs = 1_000;

export interface DeskPorts {
  /** Whether a PIN is the operator's. @throws when the settings' PIN cannot be used */
  isPin(pin: string): Promise<boolean>;
  overview(): Promise<Overview>;
  show(view: OperatorView): void;
  /** Monotonic milliseconds. */
  monotonicMs(): number;
  /** Unix milliseconds, for what the page counts down. */
  now(): number;
  /** Calls back once; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
  readonly log: Pick<Log, 'info' | 'warn' | 'failure'>;
}

/** The operator's overlay: opened by the chord, unlocked by the PIN, left by Escape, by the chord or by itself. */
export interface Desk {
  chord(): void;
  /** Any key while it is open keeps it open. */
  key(): void;
  /** Escape, or a page that is gone. */
  leave(): void;
  /** The page's PIN; resolves after the same time whatever became of it, and says nothing. */
  enter(pin: string): Promise<void>;
}

export function createDesk(ports: DeskPorts): Desk {
  let view: OperatorView = { state: 'closed' };
  let gate: Gate = openGate;
  let busy = false;
  let visit = 0;
  let cancelLeaving = () => {};
  let cancelRefresh = () => {};

  const show = (next: OperatorView) => {
    view = next;
    ports.show(next);
  };
  const leave = () => {
    cancelLeaving();
    cancelRefresh();
    if (view.state === 'closed') return;
    visit += 1;
    ports.log.info('operator-left');
    show({ state: 'closed' });
  };
  /** @returns the wall clock's time at which the overlay closes unless another key is pressed */
  const stay = (ms: number): number => {
    cancelLeaving();
    cancelLeaving = ports.after(ms, leave);
    return ports.now() + ms;
  };
  const refresh = async (leavesAtMs: number) => {
    const present = visit;
    try {
      const overview = await ports.overview();
      if (present === visit)
        show({ state: 'open', leavesAtMs: view.state === 'open' ? view.leavesAtMs : leavesAtMs, overview });
    } catch (thrown) {
      ports.log.failure('operator-overview-failed', thrown);
    }
    if (present === visit) cancelRefresh = ports.after(refreshMs, () => void refresh(leavesAtMs));
  };
  const judge = async (pin: string): Promise<boolean> => {
    if (!mayTry(gate, ports.monotonicMs())) return false;
    try {
      if (await ports.isPin(pin)) {
        gate = openGate;
        return true;
      }
    } catch (thrown) {
      ports.log.failure('operator-pin-unusable', thrown);
    }
    gate = refused(gate, ports.monotonicMs());
    ports.log.warn('operator-pin-refused', { count: gate.failures });
    return false;
  };

  return {
    chord: () => {
      if (view.state !== 'closed') return leave();
      ports.log.info('operator-asked');
      show({ state: 'asking', leavesAtMs: stay(askingMs), attempts: 0 });
    },
    key: () => {
      if (view.state === 'asking') show({ ...view, leavesAtMs: stay(askingMs) });
      else if (view.state === 'open') show({ ...view, leavesAtMs: stay(openMs) });
    },
    leave,
    enter: async (pin) => {
      // One at a time: a page that was taken over must not try many at once.
      if (view.state !== 'asking' || busy) return;
      busy = true;
      const present = visit;
      const waited = new Promise<void>((resolve) => void ports.after(answerMs, resolve));
      const accepted = await judge(pin);
      await waited;
      busy = false;
      if (present !== visit || view.state !== 'asking') return;
      if (!accepted) return show({ ...view, attempts: view.attempts + 1 });
      ports.log.info('operator-entered');
      await refresh(stay(openMs));
    },
  };
}
