import { createHash, scrypt, timingSafeEqual } from 'node:crypto';
import { open } from 'node:fs/promises';
import { PlayerError } from '../errors.ts';
import type { Settings } from '../settings.ts';

/** Every permission beyond 0640: the group may read, nobody else anything. */
const tooOpen = 0o137;
const longestBytes = 512;

/** Scrypt in the PHC string format: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both base64 without padding. */
const hashed = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{43,86})$/;
const digits = /^\d{6,12}$/;

/**
 * Whether a PIN is the operator's. The file is read for each attempt, so that a changed PIN counts at once.
 * @throws PlayerError SETTINGS_INVALID when what the settings name cannot be used; never says what it holds
 */
export async function isOperatorPin(pin: string, operator: Settings['operator']): Promise<boolean> {
  const secret = operator.pinHash ?? (operator.pinFile === undefined ? null : await readPinFile(operator.pinFile));
  return secret !== null && matches(pin, secret);
}

async function matches(pin: string, secret: string): Promise<boolean> {
  if (digits.test(secret)) return timingSafeEqual(digest(pin), digest(secret));
  const [, ln, r, p, salt = '', hash = ''] = hashed.exec(secret) ?? [];
  if (ln === undefined || Number(ln) < 10 || Number(ln) > 20) throw unusable('is neither digits nor a scrypt hash');
  const expected = Buffer.from(hash, 'base64');
  const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 256 * 2 ** 20 };
  const found = await new Promise<Buffer>((resolve, reject) => {
    scrypt(pin, Buffer.from(salt, 'base64'), expected.length, cost, (error, key) =>
      error === null ? resolve(key) : reject(unusable('cannot be computed', error)),
    );
  });
  return timingSafeEqual(found, expected);
}

const digest = (text: string) => createHash('sha256').update(text).digest();

async function readPinFile(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode, size } = await handle.stat();
      // Judged by the file that is read, not by its name a moment earlier.
      if ((mode & tooOpen) !== 0) throw unusable(`${file}: others may read or change it: chmod 0640 ${file}`);
      if (size > longestBytes) throw unusable(`${file}: longer than ${longestBytes} bytes`);
      const line = (await handle.readFile('utf8')).replace(/\r?\n$/, '');
      if (!digits.test(line) && !hashed.test(line))
        throw unusable(`${file}: must hold 6 to 12 digits or a scrypt hash`);
      return line;
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof PlayerError) throw thrown;
    throw unusable(`${file}: ${(thrown as NodeJS.ErrnoException).code ?? 'unreadable'}`, thrown);
  }
}

function unusable(reason: string, cause?: unknown): PlayerError {
  return new PlayerError('SETTINGS_INVALID', `operator PIN: ${reason}`, cause);
}
