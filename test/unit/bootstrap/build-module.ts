import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * A module of build/, which is plain JavaScript: it runs before any compiler is there.
 * Loaded from the checkout and not bundled, because it finds the checkout by its own place.
 * @param path below build/
 */
export const buildModule = (path: string) => import(pathToFileURL(join(process.cwd(), 'build', path)).href);
