import type { Sound } from '../../electron/ipc/contract.ts';

let sound: Sound = { volume: 1, muted: true };
const heard = new Set<HTMLMediaElement>();

function apply(medium: HTMLMediaElement): void {
  medium.muted = sound.muted || sound.volume === 0;
  medium.volume = sound.volume;
}

/** Sets how loud content is, from now on and of what plays already. Until it is called nothing is heard. */
export function setSound(next: Sound): void {
  sound = next;
  for (const medium of heard) apply(medium);
}

/** Lets a medium be heard as the settings say; the returned function silences it for good. */
export function giveVoice(medium: HTMLMediaElement): () => void {
  heard.add(medium);
  apply(medium);
  return () => {
    heard.delete(medium);
    medium.muted = true;
  };
}
