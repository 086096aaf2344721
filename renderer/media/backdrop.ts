import type { Fit } from '../../electron/ipc/contract.ts';

/** Pixels of the small picture that, scaled up, is the blurred backdrop; so small that it costs nothing. */
const size = { width: 64, height: 36 };

/** Share of the display that may stay empty before a backdrop is worth it: a strip narrower than 1 % is not seen. */
const tolerance = 0.01;

/** Whether a picture of the given aspect ratio leaves strips of the display empty. */
export function leavesStrips(fit: Fit, pictureAspect: number, displayAspect: number): boolean {
  if (fit !== 'contain') return false;
  const covered = Math.min(pictureAspect / displayAspect, displayAspect / pictureAspect);
  return 1 - covered > tolerance;
}

/** A dim, blurred echo of a picture for the strips beside it. Drawn once, so that it moves nothing and costs no frame. */
export function drawBackdrop(source: HTMLImageElement | HTMLVideoElement, width: number, height: number) {
  const canvas = document.createElement('canvas');
  canvas.className = 'backdrop';
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d', { alpha: false });
  if (context === null) return canvas;
  // Cover the small canvas and a margin around it: a blur pulls the edge colour in from outside.
  const scale = Math.max(size.width / width, size.height / height) * 1.2;
  context.filter = 'blur(3px) brightness(0.5) saturate(1.15)';
  const [drawnWidth, drawnHeight] = [width * scale, height * scale];
  context.drawImage(source, (size.width - drawnWidth) / 2, (size.height - drawnHeight) / 2, drawnWidth, drawnHeight);
  return canvas;
}
