import type { Page } from 'playwright/test';
import type { Display, Rgb } from './display.ts';

/** A text on the page: its colour and points at which the ground beneath it can be looked at. */
interface Text {
  readonly words: string;
  readonly colour: Rgb;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Every visible text with its computed colour and a grid of points over its box; a mere dash is too thin for a grid. */
function textsOnPage(within: string): Text[] {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const texts = [...document.querySelectorAll<HTMLElement>(`${within} *`)].filter((element) =>
    [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && /[\p{L}\p{N}]/u.test(node.textContent ?? ''),
    ),
  );
  return texts.map((element) => {
    const box = element.getBoundingClientRect();
    if (canvas === null) throw new Error('no canvas');
    // Whatever notation the computed colour has, a canvas knows its red, green and blue.
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = getComputedStyle(element).color;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0] = canvas.getImageData(0, 0, 1, 1).data;
    const [columns, rows] = [Math.min(120, Math.ceil(box.width / 2)), 7];
    const points = Array.from({ length: columns * rows }, (_nothing, at) => {
      const x = box.left + (box.width * ((at % columns) + 0.5)) / columns;
      const y = box.top + (box.height * (Math.floor(at / columns) + 0.5)) / rows;
      return [Math.floor(x), Math.floor(y)] as const;
    });
    return { words: element.textContent ?? '', colour: [red, green, blue], points };
  });
}

/** Contrast ratio of two colours (WCAG 2.2, relative luminance). */
export function contrast(one: Rgb, other: Rgb): number {
  const luminance = (colour: Rgb) => {
    const [red, green, blue] = colour
      .map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/**
 * The least contrast of each text to what stands on the display beneath it: the texts are made invisible for a moment
 * and the pixels under them read. A text that changes no pixel is not there and has the contrast 1.
 */
export async function contrasts(
  page: Page,
  display: Display,
  within = '#root',
): Promise<readonly (readonly [string, number])[]> {
  const texts = await page.evaluate(textsOnPage, within);
  const written = texts.map(({ points }) => points.map(([x, y]) => display.pixel(x, y)));
  await page.evaluate(async () => {
    const veil = new CSSStyleSheet();
    veil.replaceSync('#root *, #root *::before { color: transparent !important; }');
    document.adoptedStyleSheets = [veil];
    for (let frame = 0; frame < 6; frame += 1) await new Promise(requestAnimationFrame);
  });
  const seen = texts.map(({ words, colour, points }, text) => {
    const grounds = points.map(([x, y]) => display.pixel(x, y));
    const painted = grounds.some((ground, at) => contrast(ground, written[text]?.[at] ?? ground) > 1.5);
    const worst = painted ? Math.min(...grounds.map((ground) => contrast(colour, ground))) : 1;
    return [words, Math.round(worst * 100) / 100] as const;
  });
  await page.evaluate(() => {
    document.adoptedStyleSheets = [];
  });
  return seen;
}
