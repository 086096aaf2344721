/** Typographic boards: welcome, wayfinding, meridian. */
import { blend, context, fillAll, gradient, grain, height, turn, type, width } from './drawing.js';

export function welcome() {
  fillAll(gradient(0, 0, width, height, [0, '#0b1d19'], [0.55, '#0d2722'], [1, '#081512']));
  const mint = [150, 232, 205];
  const gold = [247, 200, 120];
  context.globalCompositeOperation = 'lighter';
  context.lineWidth = 1.15;
  // A guilloche rosette, as engraved on seals and banknotes: one wave, turned and scaled many times.
  const curves = 84;
  for (let curve = 0; curve < curves; curve += 1) {
    const share = curve / (curves - 1);
    const radius = 120 + 470 * share;
    const depth = 26 + 88 * Math.sin(share * Math.PI);
    context.beginPath();
    for (let step = 0; step <= 1440; step += 1) {
      const angle = (step / 1440) * turn;
      const wave = Math.sin(12 * angle + share * turn * 1.5) + 0.42 * Math.sin(24 * angle - share * turn * 2);
      const reach = radius + depth * wave;
      context.lineTo(1570 + reach * Math.cos(angle), 540 + reach * Math.sin(angle));
    }
    context.closePath();
    context.strokeStyle = blend(mint, gold, share, 0.2 + 0.32 * Math.sin(share * Math.PI));
    context.stroke();
  }
  context.globalCompositeOperation = 'source-over';
  fillAll(gradient(760, 0, 1400, 0, [0, 'rgb(11 29 25)'], [0.4, 'rgb(11 29 25 / 0.9)'], [1, 'rgb(11 29 25 / 0)']));
  type('Good to see you', 142, 352, { size: 40, weight: 480, colour: '#96e8cd' });
  type('Welcome', 128, 560, { size: 236, weight: 640, colour: '#f6f3ea', tracking: -0.045 });
  type('Please take a seat.', 142, 668, { size: 52, weight: 360, colour: '#d6ddd6', tracking: -0.012 });
  type('Someone will be with you in a moment.', 142, 738, {
    size: 52,
    weight: 360,
    colour: '#d6ddd6',
    tracking: -0.012,
  });
  const greetings = ['Willkommen', 'Bienvenue', 'Bienvenidos', 'Benvenuti'];
  let x = 142;
  for (const greeting of greetings) {
    type(greeting, x, 960, { size: 32, weight: 460, colour: '#8fb3a6' });
    x += context.measureText(greeting).width + 48;
  }
  grain(7, 11);
}

/** An arrow in a square of the given side, pointing to `angle` (0 is right, clockwise). */
function arrow(x, y, side, angle, colour, stroke) {
  context.save();
  context.translate(x, y);
  context.rotate(angle);
  context.strokeStyle = colour;
  context.lineWidth = stroke;
  context.lineCap = 'butt';
  context.lineJoin = 'miter';
  const half = side / 2;
  context.beginPath();
  context.moveTo(-half, 0);
  context.lineTo(half - stroke * 0.6, 0);
  context.moveTo(half * 0.08, -half * 0.86);
  context.lineTo(half * 0.94, 0);
  context.lineTo(half * 0.08, half * 0.86);
  context.stroke();
  context.restore();
}

export function wayfinding() {
  fillAll('#f2ede2');
  context.fillStyle = '#e5482d';
  context.fillRect(0, 0, 600, height);
  arrow(300, 360, 330, -Math.PI / 4, '#fff7ec', 62);
  type('Find', 84, 866, { size: 112, weight: 660, colour: '#fff7ec', tracking: -0.04 });
  type('your way', 84, 976, { size: 112, weight: 660, colour: '#fff7ec', tracking: -0.04 });
  const ink = '#1d2027';
  const rows = [
    ['3', 'Library and studios', 'Reading room, print studio, roof terrace', -Math.PI / 2],
    ['2', 'Meeting rooms', 'Alder, Birch, Cedar, Elm', -Math.PI / 2],
    ['0', 'Reception and café', 'You are here', 0],
    ['−1', 'Bicycles and lockers', 'Showers, cloakroom, charging', Math.PI / 2],
  ];
  const pitch = 236;
  rows.forEach(([level, title, detail, angle], index) => {
    const y = 68 + index * pitch;
    const isHere = detail === 'You are here';
    if (index > 0) {
      context.fillStyle = '#cfc7b6';
      context.fillRect(690, y, 1140, 2);
    }
    type(level, 690, y + 164, { size: 148, weight: 640, colour: isHere ? '#e5482d' : ink, tracking: -0.02 });
    type(title, 908, y + 118, { size: 66, weight: 600, colour: ink, tracking: -0.025 });
    type(detail, 908, y + 176, { size: 38, weight: isHere ? 560 : 400, colour: isHere ? '#c2361d' : '#5d5b57' });
    if (isHere) {
      context.fillStyle = '#e5482d';
      context.beginPath();
      context.arc(1768, y + 118, 34, 0, turn);
      context.fill();
      context.fillStyle = '#f2ede2';
      context.beginPath();
      context.arc(1768, y + 118, 13, 0, turn);
      context.fill();
    } else {
      arrow(1768, y + 118, 84, angle, ink, 13);
    }
  });
  grain(4, 23);
}

/** Cities by their hours from Greenwich in standard time, from −11 to +12. */
const cities = [
  'Pago Pago',
  'Honolulu',
  'Anchorage',
  'Los Angeles',
  'Denver',
  'Mexico City',
  'New York',
  'Santiago',
  'São Paulo',
  'Nuuk',
  'Praia',
  'London',
  'Berlin',
  'Cairo',
  'Nairobi',
  'Dubai',
  'Karachi',
  'Dhaka',
  'Bangkok',
  'Singapore',
  'Tokyo',
  'Sydney',
  'Nouméa',
  'Auckland',
];

export function meridian() {
  fillAll('#f3ecdf');
  const [x, y, radius] = [1330, 540, 318];
  // Noon is at the top, over Greenwich; the day runs clockwise to the east.
  const day = context.createConicGradient(-Math.PI / 2, x, y);
  const hours = [
    [0, '#ffd27a'],
    [0.14, '#f7b067'],
    [0.24, '#dd6a55'],
    [0.33, '#5b3f78'],
    [0.44, '#1a2450'],
    [0.5, '#131b3f'],
    [0.58, '#1c2c5e'],
    [0.7, '#5d6fae'],
    [0.78, '#f0a58a'],
    [0.88, '#fbc98a'],
    [1, '#ffd27a'],
  ];
  for (const [at, colour] of hours) day.addColorStop(at, colour);
  context.fillStyle = day;
  context.beginPath();
  context.arc(x, y, radius, 0, turn);
  context.arc(x, y, 118, 0, turn, true);
  context.fill();
  const ink = '#20233a';
  cities.forEach((city, index) => {
    const offset = index - 11;
    const angle = (offset / 24) * turn - Math.PI / 2;
    context.strokeStyle = 'rgb(255 250 240 / 0.55)';
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x + 118 * Math.cos(angle), y + 118 * Math.sin(angle));
    context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    context.stroke();
    const isFlipped = Math.cos(angle) < -0.001;
    context.save();
    context.translate(x, y);
    context.rotate(isFlipped ? angle + Math.PI : angle);
    const side = isFlipped ? -1 : 1;
    const align = isFlipped ? 'right' : 'left';
    const hour = String((offset + 36) % 24).padStart(2, '0');
    type(hour, side * (radius + 22), 10, { size: 27, weight: 680, colour: '#c4502f', align });
    type(city, side * (radius + 68), 10, { size: 27, weight: 480, colour: ink, align });
    context.restore();
  });
  type('One day,', 128, 420, { size: 124, weight: 640, colour: ink, tracking: -0.045 });
  type('twenty-four', 128, 546, { size: 124, weight: 640, colour: ink, tracking: -0.045 });
  type('mornings.', 128, 672, { size: 124, weight: 640, colour: '#c4502f', tracking: -0.045 });
  type('Somewhere it is always seven o’clock', 136, 776, { size: 36, weight: 400, colour: '#575a70' });
  type('and someone puts the kettle on.', 136, 824, { size: 36, weight: 400, colour: '#575a70' });
  type('Noon in Greenwich, standard time', 136, 972, { size: 27, weight: 480, colour: '#6d6f80' });
  grain(5, 37);
}
