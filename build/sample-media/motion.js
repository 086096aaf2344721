/** Moving scenes. Every motion makes whole turns in a loop, so that the last frame leads into the first. */
import { blend, context, fillAll, gradient, height, turn, width } from './drawing.js';

export function tide(t) {
  fillAll(gradient(0, 0, 0, height, [0, '#071625'], [0.5, '#0b2c40'], [1, '#0a1c2c']));
  const cool = [64, 196, 200];
  const warm = [255, 196, 138];
  const bands = 34;
  const phase = t * turn;
  for (let band = 0; band < bands; band += 1) {
    const share = band / (bands - 1);
    const centre = 90 + 900 * share;
    const lift = 92 * Math.sin(share * Math.PI) + 16;
    context.beginPath();
    for (let x = -20; x <= width + 20; x += 12) {
      const across = x / width;
      const envelope = Math.exp(-((across - 0.5 - 0.24 * Math.sin(phase + share * 2.2)) ** 2) / 0.075);
      const swell =
        Math.sin(across * 7.5 + share * 5.2 - phase) +
        0.5 * Math.sin(across * 14 - share * 7.5 - 2 * phase) +
        0.28 * Math.sin(across * 23 + share * 11 + phase);
      context.lineTo(x, centre + lift * swell * (0.3 + envelope));
    }
    const near = 0.5 + 0.5 * Math.sin(share * 4.4 - phase);
    context.strokeStyle = gradient(
      0,
      0,
      width,
      0,
      [0, blend(cool, warm, 0.05, 0.1)],
      [0.3, blend(cool, warm, near * 0.5, 0.75)],
      [0.62, blend(cool, warm, near, 0.95)],
      [1, blend(cool, warm, 0.75, 0.12)],
    );
    context.lineWidth = 2.6 + 3 * near;
    context.stroke();
  }
}

export function orbit(t) {
  fillAll('#191227');
  const halo = context.createRadialGradient(960, 540, 0, 960, 540, 900);
  halo.addColorStop(0, 'rgb(112 62 110 / 0.75)');
  halo.addColorStop(0.6, 'rgb(52 30 66 / 0.4)');
  halo.addColorStop(1, 'rgb(20 14 32 / 0)');
  fillAll(halo);
  const apricot = [255, 184, 120];
  const rose = [240, 110, 140];
  const rings = 11;
  for (let ring = 0; ring < rings; ring += 1) {
    const share = ring / (rings - 1);
    const radius = 88 + 60 * ring;
    const direction = ring % 2 === 0 ? 1 : -1;
    const turns = ring < 4 ? 2 : 1;
    const head = direction * turns * t * turn + ring * 2.399963;
    context.lineWidth = 2;
    context.strokeStyle = 'rgb(255 225 205 / 0.1)';
    context.beginPath();
    context.arc(960, 540, radius, 0, turn);
    context.stroke();
    const reach = 2.5 - 0.9 * share;
    // The trail: a sliver that tapers and fades behind the body.
    const pieces = 90;
    context.beginPath();
    for (let edge = 1; edge >= -1; edge -= 2) {
      for (let piece = 0; piece <= pieces; piece += 1) {
        const along = edge > 0 ? piece / pieces : 1 - piece / pieces;
        const angle = head - direction * reach * along;
        const reachOut = radius + edge * 8 * (1 - along);
        context.lineTo(960 + reachOut * Math.cos(angle), 540 + reachOut * Math.sin(angle));
      }
    }
    context.closePath();
    const trail = context.createConicGradient(direction > 0 ? head - reach : head, 960, 540);
    trail.addColorStop(0, blend(apricot, rose, share, direction > 0 ? 0 : 0.95));
    trail.addColorStop(reach / turn, blend(apricot, rose, share, direction > 0 ? 0.95 : 0));
    context.fillStyle = trail;
    context.fill();
    context.fillStyle = blend(apricot, rose, share * 0.7);
    context.beginPath();
    context.arc(960 + radius * Math.cos(head), 540 + radius * Math.sin(head), 15, 0, turn);
    context.fill();
  }
  const pulse = 0.5 + 0.5 * Math.cos(t * turn);
  context.fillStyle = '#ffe2c2';
  context.beginPath();
  context.arc(960, 540, 32 + 5 * pulse, 0, turn);
  context.fill();
}
