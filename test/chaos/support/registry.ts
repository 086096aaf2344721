/** The part of a management server that makes a key a screen and gives it certificates: the reference server's own. */
import { mkdirSync } from 'node:fs';
import { type Backend, startBackend } from '../../backend/backend.ts';
import { builtInIssuer } from '../../backend/issuers/built-in.ts';
import { openLocalAuthority } from '../../backend/local-authority.ts';
import type { Handler } from './stage-server.ts';

/** A TPM, and the authority of its maker. */
export interface Chip {
  readonly tcti: string;
  readonly makerPem: string;
}

export interface Registry {
  readonly backend: Backend;
  /** Between this machine's clock and the registry's. */
  aheadMs: number;
  /** Of the certificates that are issued from now on. */
  lifetimeSeconds: number;
  /** It answers 503. */
  isDown: boolean;
  readonly answer: Handler;
}

/**
 * @param authority folder of the authority
 * @param chip what a screen must prove to be in, and is known again by without an operator; no proof where absent
 */
export async function openRegistry(authority: string, chip?: Chip): Promise<Registry> {
  const state = { aheadMs: 0, lifetimeSeconds: 30 * 86_400, isDown: false };
  const now = () => Date.now() + state.aheadMs;
  mkdirSync(authority, { recursive: true, mode: 0o700 });
  const issuer = builtInIssuer(openLocalAuthority(authority, new Date()), now);
  const backend = await startBackend({
    stateDirectory: authority,
    pollIntervalSeconds: 0.2,
    registrationsPerMinute: 1_000,
    now,
    issuer: { ...issuer, issue: (wish) => issuer.issue({ ...wish, lifetimeSeconds: state.lifetimeSeconds }) },
    ...(chip && { attestation: 'required', endorsementAuthorities: [chip.makerPem], readmits: true }),
  });
  const answer: Handler = (request, response) => {
    if (state.isDown) response.writeHead(503).end();
    else backend.answer(request, response);
  };
  return Object.assign(state, { backend, answer });
}
