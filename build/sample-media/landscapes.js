/** Strata: ridges at dusk, engraved. */
import { blend, context, fillAll, gradient, grain, height, seeded, turn, width } from './drawing.js';

/** A smooth ridge line: waves of falling height with seeded phases. */
function ridge(seed, roughness) {
  const random = seeded(seed);
  const waves = Array.from({ length: 9 }, (_, index) => ({
    frequency: (0.7 + random() * 0.6) * 1.75 ** index,
    phase: random() * turn,
    share: roughness ** index,
  }));
  return (x) => waves.reduce((sum, wave) => sum + wave.share * Math.sin(wave.frequency * x + wave.phase), 0);
}

export function strata() {
  fillAll(
    gradient(0, 0, 0, 760, [0, '#1d2148'], [0.3, '#4a3a72'], [0.58, '#b8607a'], [0.8, '#f09a78'], [1, '#fbd2a4']),
  );
  const glow = context.createRadialGradient(1290, 420, 60, 1290, 420, 620);
  glow.addColorStop(0, 'rgb(255 190 120 / 0.9)');
  glow.addColorStop(0.22, 'rgb(240 120 90 / 0.42)');
  glow.addColorStop(0.55, 'rgb(190 70 90 / 0.14)');
  glow.addColorStop(1, 'rgb(150 50 90 / 0)');
  context.globalCompositeOperation = 'screen';
  fillAll(glow);
  context.globalCompositeOperation = 'source-over';
  context.fillStyle = gradient(0, 290, 0, 550, [0, '#fff4d9'], [1, '#ffcf96']);
  context.beginPath();
  context.arc(1290, 420, 132, 0, turn);
  context.fill();
  const far = [226, 134, 126];
  const near = [15, 16, 42];
  const layers = 9;
  for (let layer = 0; layer < layers; layer += 1) {
    const share = layer / (layers - 1);
    const line = ridge(101 + layer * 17, 0.5 + 0.05 * (1 - share));
    const base = 470 + 470 * share ** 1.12;
    const swing = 34 + 50 * share;
    const top = (x) => base - swing * line((x / width) * 4.2 + layer * 3.1);
    const path = new Path2D();
    path.moveTo(0, height);
    for (let x = 0; x <= width; x += 3) path.lineTo(x, top(x));
    path.lineTo(width, height);
    path.closePath();
    const lit = share ** 0.8;
    context.fillStyle = gradient(
      0,
      base - swing * 1.6,
      0,
      base + 300,
      [0, blend(far, near, lit)],
      [1, blend(far, near, Math.max(0, lit - 0.2))],
    );
    context.fill(path);
    context.save();
    context.clip(path);
    context.lineWidth = 1.2;
    for (let contour = 1; contour < 26; contour += 1) {
      context.beginPath();
      const drop = contour * (5 + 5 * share) + contour ** 1.7 * 0.5;
      for (let x = 0; x <= width; x += 6) context.lineTo(x, top(x) + drop * (1 + 0.12 * Math.sin(x / 210 + layer)));
      context.strokeStyle = `rgb(255 214 190 / ${(0.2 * (1 - contour / 26) * (1 - 0.45 * share)).toFixed(3)})`;
      context.stroke();
    }
    context.restore();
  }
  grain(8, 53);
}
