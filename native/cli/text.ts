import { createPublicKey } from 'node:crypto';

/** Lines of names and values, aligned. */
export function table(rows: readonly (readonly [name: string, value: string])[]): string {
  const wide = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(wide)}  ${value}\n`).join('');
}

/** Text from elsewhere for a terminal: what could steer it is shown as a question mark; line ends and tabs stay. */
export function printable(text: string): string {
  return text.replace(/[^\P{C}\n\t]/gu, '?');
}

/** Milliseconds with two digits behind the point. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}

/** SubjectPublicKeyInfo as `PUBLIC KEY` PEM (RFC 7468). */
export function publicKeyPem(der: Buffer): string {
  return createPublicKey({ key: der, format: 'der', type: 'spki' }).export({ type: 'spki', format: 'pem' }).toString();
}
