import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, absolute. */
export const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * A path inside the checkout, absolute.
 * @param {...string} parts
 */
export const inCheckout = (...parts) => path.join(checkout, ...parts);

/** @returns {any} the parsed package.json of the checkout */
export const manifest = () => JSON.parse(readFileSync(inCheckout('package.json'), 'utf8'));

/** The Electron executable that starts, tests and benches use. */
export const electronBinary = inCheckout('.runtime/electron/electron');
