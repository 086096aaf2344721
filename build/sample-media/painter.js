/** The page's script: paints scenes when the main process asks for them. */
import { meridian, wayfinding, welcome } from './boards.js';
import { canvas, context, height, width } from './drawing.js';
import { strata } from './landscapes.js';
import { orbit, tide } from './motion.js';

/** Moving scenes take 0 ≤ t < 1, the share of their loop. */
const scenes = { welcome, wayfinding, meridian, strata, tide, orbit };

function paint(name, t) {
  context.globalCompositeOperation = 'source-over';
  scenes[name](t);
}

globalThis.painter = {
  /** The pixels of a scene at a moment: RGBA, 8 bits each, row by row. */
  frame(name, t) {
    paint(name, t);
    return new Uint8Array(context.getImageData(0, 0, width, height).data.buffer);
  },

  /** A still scene as the base64 of a JPEG, painted when the typeface is loaded. */
  async still(name) {
    const weights = [360, 400, 480, 600, 680];
    await Promise.all(weights.map((weight) => document.fonts.load(`${weight} 40px "Inter Variable"`, 'Aä')));
    paint(name, 0);
    return canvas.toDataURL('image/jpeg', 0.87).split(',')[1];
  },
};
