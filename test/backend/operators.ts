/** Who may claim and remove screens: holders of the operator token, and browsers that logged in with it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { createSecret, digestOf, matchesDigest } from './secret.ts';
import { writeAtomically } from './state-file.ts';

/** `__Host-` binds the cookie to this host, https and path / (RFC 6265bis §4.1.3). */
const cookieName = '__Host-operator';
const sessionLifetimeMs = 12 * 3_600_000;
const maximumSessions = 100;

export class Operators {
  readonly token: string;
  readonly #now: () => number;
  readonly #failures: RateLimit;
  /** Digest of the session secret → when it ends. */
  readonly #sessions = new Map<string, number>();

  constructor(stateDirectory: string, now: () => number) {
    this.token = readOrCreateToken(join(stateDirectory, 'operator-token'));
    this.#now = now;
    this.#failures = new RateLimit(10, now);
  }

  /** Exchange the token for a session. @returns the `Set-Cookie` value @throws Refusal 401, 429 */
  logIn(token: string, address: string): string {
    this.#checkToken(token, address);
    const secret = createSecret();
    for (const [digest, endMs] of this.#sessions) if (endMs <= this.#now()) this.#sessions.delete(digest);
    if (this.#sessions.size >= maximumSessions) throw new Refusal(429, 'too-many-sessions', 'Too many are logged in.');
    this.#sessions.set(digestOf(secret), this.#now() + sessionLifetimeMs);
    return cookie(secret, sessionLifetimeMs / 1000);
  }

  /** End a session. @returns the `Set-Cookie` value that removes the cookie */
  logOut(request: FastifyRequest): string {
    this.#sessions.delete(digestOf(sessionOf(request) ?? ''));
    return cookie('', 0);
  }

  /** @throws Refusal 401 without valid credentials, 403 for a cross-site request, 429 after many failures */
  authorize(request: FastifyRequest): void {
    const bearer = /^(?:Bearer|Token) (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (bearer !== undefined) {
      this.#checkToken(bearer, request.ip);
      return;
    }
    const endMs = this.#sessions.get(digestOf(sessionOf(request) ?? ''));
    if (endMs === undefined || endMs <= this.#now()) {
      throw new Refusal(401, 'operator-required', 'Log in with the operator token.');
    }
    this.requireSameOrigin(request);
  }

  /** SameSite is the browser's promise; this is ours. A cookie counts only for pages of this very origin. */
  requireSameOrigin(request: FastifyRequest): void {
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!isReading && request.headers.origin !== `https://${request.headers.host}`) {
      throw new Refusal(403, 'cross-site', 'This request does not come from the console.');
    }
  }

  #checkToken(token: string, address: string): void {
    this.#failures.check(address);
    if (matchesDigest(token, digestOf(this.token))) return;
    this.#failures.take(address);
    throw new Refusal(401, 'operator-token-invalid', 'This is not the operator token.');
  }
}

function readOrCreateToken(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (!/^[\w-]{43}$/.test(token)) throw new Error(`${file} holds no operator token; remove it to get a new one`);
    return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const token = createSecret();
    writeAtomically(file, `${token}\n`);
    return token;
  }
}

function sessionOf(request: FastifyRequest): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(/; */);
  return pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
}

function cookie(value: string, maximumAgeSeconds: number): string {
  return `${cookieName}=${value}; Path=/; Max-Age=${maximumAgeSeconds}; Secure; HttpOnly; SameSite=Strict`;
}
