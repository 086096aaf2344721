import type { TlsErrorCode, TpmErrorCode } from '../api.ts';
import { TssError } from '../error.ts';

/** Codes of failures that are the command line's own. */
export type CliErrorCode =
  | 'USAGE'
  | 'FILE_MISSING'
  | 'FILE_EXISTS'
  | 'FILE_ACCESS'
  | 'FILE_INVALID'
  | 'HTTP_PROTOCOL'
  | 'INTERNAL';

export class CliError extends Error {
  override readonly name = 'CliError';
  readonly code: CliErrorCode;

  constructor(code: CliErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** What to do about it, in one sentence for whoever sits in front of the box. */
const remedies: Readonly<Record<CliErrorCode | TpmErrorCode | TlsErrorCode, string>> = {
  TPM_ABSENT: 'enable the TPM 2.0 in the firmware setup, or name another one with --tcti or TPM2TOOLS_TCTI',
  TPM_ACCESS_DENIED: 'add this user to group tss (usermod -aG tss USER) and log in again',
  TPM_CONNECTION: 'end the program that holds the TPM, or use the kernel’s resource manager, device:/dev/tpmrm0',
  TPM_SLOTS_FULL: 'end the program that holds the slots; on a raw device tpm2_flushcontext -t frees what a crash left',
  TPM_LOCKED_OUT: 'wait for the lockout to pass, or clear it with tpm2_dictionarylockout -c and the lockout password',
  TPM_RETRY: 'try again; the TPM is busy with a self-test or with another program',
  TPM_OWNER_AUTH: 'give the owner password with --owner-auth-file, or provision a storage root key at 0x81000001',
  TPM_FAILED: 'look the code up with tpm2_rc_decode; if it comes again, update the TPM’s firmware',
  KEY_LOST: 'create a new key and have it certified: this one can never be used again',
  KEY_INVALID: 'give the TSS2 PRIVATE KEY file of a P-256 signing key without password or policy',
  KEY_AUTH: 'use a key and a parent without a password',
  KEY_CLOSED: 'this is a bug in node-tss: please report it',
  TPM_ENDORSEMENT_AUTH: 'have the owner of the TPM clear the password of its endorsement hierarchy',
  ENDORSEMENT_UNSUPPORTED: 'see the message; let the verifier list another of its endorsement keys',
  CREDENTIAL_REFUSED: 'ask the verifier for a credential for this TPM and this attestation key',
  PARENT_MISSING: 'provision the storage root key again at the handle named, or create a new key',
  NAME_UNRESOLVED: 'check the host name and the DNS servers of this machine',
  CONNECTION_REFUSED: 'check the port, and that the server runs',
  CONNECTION_FAILED: 'check the network between here and the server, and the server’s log',
  CONNECTION_TIMEOUT: 'check the network and firewalls, or allow more time with --timeout',
  SERVER_UNTRUSTED: 'give the server’s certification authority with --ca, and see that the server sends intermediates',
  SERVER_EXPIRED: 'check the clock of this machine; else renew the server’s certificate',
  SERVER_WRONG_HOST: 'use a host name that is in the server’s certificate',
  SERVER_REFUSED_CERTIFICATE: 'give --key and --certificate of an authority and for a purpose that the server accepts',
  PROXY_UNREACHABLE: 'check the proxy’s address, and that it runs',
  PROXY_REFUSED: 'check the proxy’s credentials (--proxy-credentials-file), and that it may reach this host and port',
  PROXY_PROTOCOL: 'check that the address is an HTTP proxy that knows CONNECT',
  TRUST_INVALID: 'give a PEM file of certificates with --ca, or install the package ca-certificates',
  TLS_PROTOCOL: 'check that the port speaks TLS 1.3 (or allow 1.2 with --tls12)',
  CLIENT_CERTIFICATE_INVALID: 'give the certificate that was issued for this key, leaf first',
  ARGUMENT_INVALID: 'see --help',
  USAGE: 'see --help',
  FILE_MISSING: 'check the path',
  FILE_EXISTS: 'choose another path, or replace it with --force; a replaced key is lost for ever',
  FILE_ACCESS: 'check the permissions and the space left there',
  FILE_INVALID: 'give a file of the kind that --help names',
  HTTP_PROTOCOL: 'check that the port speaks HTTP/1.1',
  INTERNAL: 'this is a bug in node-tss: please report it with the lines above',
};

/** A failure as `--json` prints it under `error`. */
export interface FailureReport {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** The TSS2_RC in hexadecimal, where a TPM command failed. */
  readonly rc?: string;
}

/** 2 where the words of the command line are at fault, else 1. */
export function exitCodeOf(report: FailureReport): 1 | 2 {
  return report.code === 'USAGE' || report.code === 'ARGUMENT_INVALID' ? 2 : 1;
}

/** Any thrown thing as code, message and remedy. */
export function reportOf(thrown: unknown): FailureReport {
  if (!(thrown instanceof TssError || thrown instanceof CliError)) {
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    return { code: 'INTERNAL', message, remedy: remedies.INTERNAL };
  }
  const { code, message } = thrown;
  const rc = thrown instanceof TssError ? thrown.rc : undefined;
  return { code, message, remedy: remedies[code], ...(rc === undefined ? {} : { rc: `0x${rc.toString(16)}` }) };
}
