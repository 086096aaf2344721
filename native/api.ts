/** The public shapes of node-tss. */
import type { Duplex } from 'node:stream';

/** How to reach the TPM. */
export interface TpmOptions {
  /**
   * TCTI configuration as tpm2-tss spells it: `device:/dev/tpmrm0`,
   * `swtpm:path=/run/swtpm.sock`, `swtpm:host=127.0.0.1,port=2321`, `tabrmd:`.
   */
  readonly tcti: string;
  /** Owner hierarchy password, where the TPM's owner has set one. Never logged. */
  readonly ownerAuth?: string;
}

/** What the TPM says of itself (TPM2_PT_MANUFACTURER and following). */
export interface TpmInfo {
  /** Four-letter vendor id without padding, such as `IFX`, `STM`, `INTC`, `IBM`. */
  readonly manufacturer: string;
  readonly vendor: string;
  /** Firmware as `major.minor.build.patch` of the two 32-bit words. */
  readonly firmware: string;
  /** Transient object slots in use now (raw TCTIs should read 0). */
  readonly transientObjects: number;
}

/** A private key that can sign: in the TPM, or (asked for by name) in software. */
export interface SigningKey {
  readonly protection: 'tpm' | 'software';
  /** SubjectPublicKeyInfo, DER (RFC 5480), P-256. */
  readonly publicKey: Buffer;
  /**
   * Sign a SHA-256 digest with ECDSA.
   * @param digest exactly 32 bytes
   * @returns Ecdsa-Sig-Value, DER (RFC 3279 §2.2.3)
   * @throws TssError
   */
  sign(digest: Uint8Array): Promise<Buffer>;
  /** Forget the key; later calls are refused with KEY_CLOSED. */
  close(): Promise<void>;
}

/** One TPM, owned by one thread of its own. Commands queue; nothing blocks the event loop or libuv's pool. */
export interface Tpm {
  /** @throws TssError when the TPM cannot be reached */
  info(): Promise<TpmInfo>;
  /**
   * Create a P-256 signing key under the storage root key (fixedTPM, fixedParent,
   * sensitiveDataOrigin, userWithAuth, sign, noDA; unrestricted; empty auth).
   * @returns a `TSS2 PRIVATE KEY` PEM: the wrapped blob, worthless without this TPM
   */
  createKey(): Promise<string>;
  /** Load a key from its TSS2 PRIVATE KEY PEM. @throws TssError KEY_LOST, KEY_INVALID, PARENT_MISSING, … */
  loadKey(pem: string): Promise<SigningKey>;
  /** Flush what is loaded, end the connection and the thread. Idempotent. */
  close(): Promise<void>;
}

/** Codes of TssError for the TPM side. */
export type TpmErrorCode =
  | 'TPM_ABSENT'
  | 'TPM_ACCESS_DENIED'
  | 'TPM_CONNECTION'
  | 'TPM_SLOTS_FULL'
  | 'TPM_LOCKED_OUT'
  | 'TPM_RETRY'
  | 'TPM_OWNER_AUTH'
  | 'TPM_FAILED'
  | 'KEY_LOST'
  | 'KEY_INVALID'
  | 'KEY_AUTH'
  | 'KEY_CLOSED'
  | 'PARENT_MISSING';

/** Codes of TssError for the TLS side. */
export type TlsErrorCode =
  | 'NAME_UNRESOLVED'
  | 'CONNECTION_REFUSED'
  | 'CONNECTION_FAILED'
  | 'CONNECTION_TIMEOUT'
  | 'SERVER_UNTRUSTED'
  | 'SERVER_EXPIRED'
  | 'SERVER_WRONG_HOST'
  | 'SERVER_REFUSED_CERTIFICATE'
  | 'TLS_PROTOCOL'
  | 'CLIENT_CERTIFICATE_INVALID'
  | 'ARGUMENT_INVALID';

/** `code` says what happened, `rc` is the numeric TSS2_RC where a TPM call failed. */
export interface TssErrorShape {
  readonly code: TpmErrorCode | TlsErrorCode;
  readonly rc: number | undefined;
}

/** A TLS 1.3 client connection. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Name for SNI and for the host name check; `host` where absent. IP addresses are matched against iPAddress SANs. */
  readonly servername?: string;
  /** PEM bundle of trust anchors; the system's store where absent. */
  readonly ca?: string;
  /** Client identity: leaf certificate first, then intermediates, PEM. */
  readonly identity?: { readonly key: SigningKey; readonly certificateChain: string };
  /** ALPN protocols offered, such as `['http/1.1']`. */
  readonly alpn?: readonly string[];
  /** Deadline for name, TCP and TLS together; 10,000 where absent. */
  readonly timeoutMs?: number;
  /** Unix seconds at which certificates are judged; the system's clock where absent. */
  readonly verifyAt?: number;
  /** Resume an earlier session with the same host, identity and trust where there is one; true where absent. */
  readonly resume?: boolean;
  /** Abort the attempt. */
  readonly signal?: AbortSignal;
}

/** The connected stream. `end()` sends close_notify; an end without the peer's close_notify is an error (truncation). */
export interface TlsStream extends Duplex {
  readonly alpnProtocol: string | false;
  readonly protocol: 'TLSv1.3';
  /** e.g. `TLS_AES_256_GCM_SHA384` */
  readonly cipher: string;
  /** The server's leaf certificate, DER. */
  readonly peerCertificate: Buffer;
  readonly sessionReused: boolean;
}
