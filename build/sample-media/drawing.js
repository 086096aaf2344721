/** What all scenes draw with: one canvas of 1920 × 1080. */

export const width = 1920;
export const height = 1080;
export const turn = 2 * Math.PI;
export const canvas = document.querySelector('canvas');
export const context = canvas.getContext('2d', { willReadFrequently: true });

/** A repeatable source of numbers in [0, 1) (mulberry32). */
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A colour between two `[r, g, b]`. */
export function blend(from, to, share, alpha = 1) {
  const channel = (index) => Math.round(from[index] + (to[index] - from[index]) * share);
  return `rgb(${channel(0)} ${channel(1)} ${channel(2)} / ${alpha})`;
}

export function gradient(x0, y0, x1, y1, ...stops) {
  const fill = context.createLinearGradient(x0, y0, x1, y1);
  for (const [at, colour] of stops) fill.addColorStop(at, colour);
  return fill;
}

export function fillAll(style) {
  context.fillStyle = style;
  context.fillRect(0, 0, width, height);
}

/** A line of type. Tracking is a share of the size, so that large type is set tight. */
export function type(text, x, y, { size, weight = 400, colour, tracking = 0, align = 'left' }) {
  context.font = `${weight} ${size}px "Inter Variable"`;
  context.letterSpacing = `${tracking * size}px`;
  context.textAlign = align;
  context.textBaseline = 'alphabetic';
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** Fine grain: hides the steps of dark gradients and gives flat colour the feel of paper. */
export function grain(strength, seed) {
  const random = seeded(seed);
  const image = context.getImageData(0, 0, width, height);
  for (let index = 0; index < image.data.length; index += 4) {
    const shift = (random() + random() - 1) * strength;
    for (let channel = 0; channel < 3; channel += 1) image.data[index + channel] += shift;
  }
  context.putImageData(image, 0, 0);
}
