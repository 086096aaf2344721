/** The page's one store: a mirror of main's snapshot, and what the stage tells. Nothing here decides anything. */
import { create } from 'zustand';
import type { OperatorView, PlayerBridge, Resume, Snapshot } from '../electron/ipc/contract.ts';
import type { Cover } from './cover.ts';
import { nextCover } from './cover.ts';
import type { Words } from './languages/words.ts';
import type { StageView } from './media/stage.ts';

interface Mirror {
  readonly snapshot: Snapshot | null;
  /** What another page showed before this one; asked once. */
  readonly resume: Resume | null;
  readonly stage: StageView;
  readonly cover: Cover | null;
  /** `null` until those of the screens' language are loaded; no screen shows before. */
  readonly words: Words | null;
  readonly operator: OperatorView;
}

export const useMirror = create<Mirror>(() => ({
  snapshot: null,
  resume: null,
  stage: { covering: false, exhausted: false, itemId: null, preparingId: null },
  cover: null,
  words: null,
  operator: { state: 'closed' },
}));

/** Takes over a snapshot of main. */
export function takeSnapshot(snapshot: Snapshot): void {
  useMirror.setState(({ stage, cover }) => ({ snapshot, cover: nextCover(cover, snapshot, stage.exhausted) }));
}

/** Takes over the words of the screens' language. */
export function takeWords(words: Words): void {
  useMirror.setState({ words });
}

/** The words of the screens' language. Only for screens, which are not shown without them. */
export function useWords(): Words {
  const words = useMirror((mirror) => mirror.words);
  if (words === null) throw new Error('a screen is shown without words');
  return words;
}

/** Takes over what the stage tells. */
export function takeStage(stage: StageView): void {
  useMirror.setState(({ snapshot, cover }) => ({
    stage,
    cover: snapshot === null ? cover : nextCover(cover, snapshot, stage.exhausted),
  }));
}

/**
 * Mirrors main from now on. Rejects when main does not answer the first questions; a push that arrived before the
 * answers is newer than they are and wins.
 */
export async function mirror(bridge: PlayerBridge): Promise<void> {
  bridge.onOperator((operator) => useMirror.setState({ operator }));
  let take = (snapshot: Snapshot) => {
    pushed = snapshot;
  };
  let pushed: Snapshot | null = null;
  bridge.onSnapshot((snapshot) => take(snapshot));
  const [first, resume] = await Promise.all([bridge.snapshot(), bridge.resume()]);
  useMirror.setState({ resume });
  take = takeSnapshot;
  takeSnapshot(pushed ?? first);
}
