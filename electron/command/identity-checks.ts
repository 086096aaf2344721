import type { Verdict as CertificateVerdict } from '../certificate/check.ts';
import type { ErrorCode } from '../errors.ts';
import { asPlayerError } from '../errors.ts';
import type { IdentityEntry } from '../journal.ts';
import type { Registration } from '../registration/machine.ts';
import { type Check, failed, ok, warning } from './report.ts';

/** The operator's words for a code. */
export type Remedies = (code: ErrorCode) => { readonly remedy: string };

/** A TPM that answers, as node-tss describes it. */
export interface TpmFacts {
  readonly manufacturer: string;
  readonly vendor: string;
  readonly firmware: string;
  readonly curveP256: boolean;
  readonly ownerAuthSet: boolean;
  readonly lockout: { readonly active: boolean };
}

export function checkTpm(tcti: string, tpm: TpmFacts): Check {
  const name = 'TPM';
  const who = `${tpm.manufacturer} ${tpm.vendor}`.trim();
  if (!tpm.curveP256) return failed(name, `${who} at ${tcti} has no NIST P-256`, 'use another TPM 2.0');
  if (tpm.lockout.active)
    return warning(
      name,
      `${who} at ${tcti} is in lockout`,
      'it ends by itself; tpm2_dictionarylockout -c ends it at once',
    );
  return ok(name, `${who}, firmware ${tpm.firmware}, at ${tcti}`);
}

/** A check that ended in an error. */
export function checkFailed(name: string, thrown: unknown, remedies: Remedies): Check {
  const error = asPlayerError(thrown);
  return failed(name, `${error.message} (${error.code})`, remedies(error.code).remedy);
}

/** @param signed whether the key has just signed, `undefined` where there is none yet */
export function checkKey(fingerprint: string | undefined, protection: string, signed: boolean): Check {
  const name = 'device key';
  if (fingerprint === undefined) return ok(name, 'none yet: the player makes one at its first start');
  if (!signed) return failed(name, `${fingerprint} does not sign`, 'the log of the player says why');
  if (protection === 'software')
    return warning(
      name,
      `${fingerprint}, in a file that can be copied`,
      'unset identity.allowSoftwareKey on a machine with a TPM',
    );
  return ok(name, `${fingerprint}, signs`);
}

const reasons: Readonly<Record<string, readonly [string, ErrorCode]>> = {
  invalid: ['is damaged', 'CERTIFICATE_INVALID'],
  'key-mismatch': ['is for another key', 'CERTIFICATE_KEY_MISMATCH'],
  untrusted: ['comes from an authority that identity.deviceCaFile does not hold', 'CERTIFICATE_UNTRUSTED'],
  usage: ['is not for client authentication', 'CERTIFICATE_USAGE'],
  unusable: ['has a key or signature in its chain that TLS refuses', 'CERTIFICATE_UNUSABLE'],
  dates: ['is not valid at this time', 'CERTIFICATE_DATES'],
};

/** @param verdict `undefined` where there is no certificate */
export function checkCertificateOf(
  verdict: CertificateVerdict | undefined,
  registration: Registration,
  nowMs: number,
  remedies: Remedies,
): Check {
  const name = 'certificate';
  if (verdict === undefined)
    return warning(
      name,
      registration.state === 'pending' ? 'not issued yet: the screen waits to be claimed' : 'none: not registered',
      'start the player, and claim the screen with the PIN that it shows',
    );
  if (!verdict.ok) {
    const [finding, code] = reasons[verdict.reason] ?? ['cannot be used', 'CERTIFICATE_INVALID'];
    return failed(name, `it ${finding}`, remedies(code as ErrorCode).remedy);
  }
  const days = Math.floor((verdict.notAfterMs - nowMs) / 86_400_000);
  return ok(name, `valid until ${new Date(verdict.notAfterMs).toISOString()} (${days} days)`);
}

/** @param last of the identity's journal */
export function checkJournal(last: IdentityEntry | undefined): Check {
  const name = 'identity journal';
  return ok(name, last === undefined ? 'empty: nothing has happened yet' : `last: ${last.event} at ${last.time}`);
}
