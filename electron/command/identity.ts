import type { IdentityEntry } from '../journal.ts';
import type { Registration } from '../registration/machine.ts';

/** What `identity` tells: nothing in it is secret. */
export interface IdentityFacts {
  readonly hostname: string;
  /** `tpm`, `software`, or `none` before the first start. */
  readonly keyProtection: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly fingerprint: string | null;
  readonly tcti: string;
  readonly registration: Registration['state'];
  readonly screenId: string | null;
  readonly screenName: string | null;
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly serial: string;
    readonly notBefore: string;
    readonly notAfter: string;
    /** `ok`, or why the player would not use it. */
    readonly verdict: string;
  } | null;
  /** What the server said of the hardware; `null` where it did not ask. */
  readonly hardware: string | null;
  /** What happened to the identity, oldest first. */
  readonly journal: readonly IdentityEntry[];
}

/** For people: the fingerprint in the groups in which the screen shows its beginning. */
export function identityText(facts: IdentityFacts): string {
  const { certificate } = facts;
  const rows: readonly (readonly [string, string])[] = [
    ['host name', facts.hostname],
    ['key', facts.fingerprint === null ? 'none yet' : `${facts.keyProtection}, at ${facts.tcti}`],
    ['fingerprint', facts.fingerprint?.match(/.{1,4}/g)?.join(' ') ?? '-'],
    ['registration', facts.registration],
    ['screen', facts.screenName === null ? '-' : `${facts.screenName} (${facts.screenId})`],
    ['certificate', certificate === null ? 'none' : `${certificate.verdict}, serial ${certificate.serial}`],
    ['valid', certificate === null ? '-' : `${certificate.notBefore} to ${certificate.notAfter}`],
    ['issued by', certificate?.issuer ?? '-'],
    ['hardware', facts.hardware ?? 'not asked for'],
  ];
  const told = rows.map(([name, value]) => `${name.padEnd(13)} ${value}`);
  return `${[...told, '', 'journal', ...facts.journal.map(journalLine)].join('\n')}\n`;
}

function journalLine({ time, event, ...details }: IdentityEntry): string {
  const words = Object.entries(details).map(([name, value]) => `${name} ${value}`);
  return `  ${time}  ${[event, ...words].join(', ')}`;
}

export function identityJson(facts: IdentityFacts): string {
  return `${JSON.stringify(facts)}\n`;
}
