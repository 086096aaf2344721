import type { Cover } from '../cover.ts';
import { useMirror } from '../store.ts';
import { Registering } from './registering.tsx';
import { Standby } from './standby.tsx';
import { Starting } from './starting.tsx';
import { Trouble } from './trouble.tsx';

function Screen({ cover }: { readonly cover: Cover }) {
  switch (cover.state) {
    case 'starting':
      return <Starting device={cover} />;
    case 'registering':
      return <Registering device={cover} card={cover.registration} />;
    case 'standby':
      return <Standby device={cover} reason={cover.reason} />;
    case 'trouble':
      return <Trouble device={cover} trouble={cover.trouble} />;
    default:
      return cover satisfies never;
  }
}

/** The screen beneath the stage; taken down while the stage fills the display, so that it costs no frames. */
export function CoverScreen() {
  const cover = useMirror((mirror) => mirror.cover);
  const hidden = useMirror(({ stage }) => stage.covering);
  const speechless = useMirror(({ words }) => words === null);
  return cover === null || hidden || speechless ? null : <Screen cover={cover} />;
}
