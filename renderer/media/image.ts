import { painted } from '../timer.ts';
import { drawBackdrop, leavesStrips } from './backdrop.ts';
import type { Medium, Prepare } from './medium.ts';
import { Refusal, refusalOf } from './medium.ts';

/** Decodes an image and has it painted, invisible, so that its reveal costs no decoding. Refuses with `decode`. */
export const prepareImage: Prepare = async (surface, item, signal, urgent) => {
  const image = document.createElement('img');
  image.className = `picture fit-${item.fit}`;
  image.alt = item.title;
  image.draggable = false;
  // A lazily decoded picture may miss the frame in which its surface is revealed.
  image.decoding = 'sync';
  image.src = item.source ?? '';
  let released = false;
  let backdrop: HTMLElement | null = null;
  const release = () => {
    released = true;
    image.removeAttribute('src');
    image.remove();
    backdrop?.remove();
  };
  signal.addEventListener('abort', release, { once: true });
  try {
    await image.decode();
  } catch (cause) {
    release();
    throw signal.aborted ? refusalOf(signal) : new Refusal('decode', cause);
  }
  if (signal.aborted) throw refusalOf(signal);
  const { naturalWidth, naturalHeight } = image;
  if (leavesStrips(item.fit, naturalWidth / naturalHeight, surface.clientWidth / surface.clientHeight)) {
    backdrop = drawBackdrop(image, naturalWidth, naturalHeight);
    surface.append(backdrop);
  }
  surface.append(image);
  if (!urgent) await painted();
  signal.removeEventListener('abort', release);
  if (signal.aborted) throw refusalOf(signal);

  return {
    layer: 'surface',
    start(events) {
      void painted().then(() => {
        if (!released) events.presented();
      });
    },
    release,
  } satisfies Medium;
};
