import type { MediaFormat } from '../cache/media.ts';
import { formats } from './format.ts';

/** Everything that the page may do, said as what it may not. */
export const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src player:',
  // blob: is what hls.js makes of a stream in this very page.
  'media-src player: blob:',
  "font-src 'self'",
  'connect-src player://stream',
  "frame-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

const features = [
  'camera',
  'clipboard-read',
  'clipboard-write',
  'display-capture',
  'geolocation',
  'hid',
  'microphone',
  'midi',
  'payment',
  'serial',
  'usb',
];

/** Files that the page is made of, by the end of their names. Anything else is not served. */
const pageTypes: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  woff2: 'font/woff2',
};

/**
 * Headers of a file of the page (`player://app`).
 * @param name the file's name in the bundle
 * @returns `null` for a kind of file that the page does not have
 */
export function pageHeaders(name: string): Readonly<Record<string, string>> | null {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const contentType = Object.hasOwn(pageTypes, extension) ? pageTypes[extension] : undefined;
  if (contentType === undefined) return null;
  return {
    'content-type': contentType,
    'content-security-policy': pagePolicy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': features.map((feature) => `${feature}=()`).join(', '),
    'cache-control': 'no-store',
  };
}

/**
 * Headers of a cached file (`player://media`). The type is that of the content,
 * and should a file be opened as a document it can do nothing.
 */
export function mediaHeaders(format: MediaFormat): Readonly<Record<string, string>> {
  return {
    'content-type': formats[format].contentType,
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'accept-ranges': 'bytes',
    // The page is of another host of the same scheme, and no other page can ask.
    'cross-origin-resource-policy': 'cross-origin',
    // Named by its content, so that it can never be another.
    'cache-control': 'private, max-age=31536000, immutable',
  };
}
