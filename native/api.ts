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
  /**
   * Leave keys in the TPM between signatures, which saves TPM2_ContextLoad and TPM2_FlushContext for each; false where
   * absent. Behind a resource manager (`/dev/tpmrm0`, `tabrmd:`) they stay anyway. Elsewhere each key then takes one of
   * the TPM's few slots (usually three) until it is closed: only for a TPM that this process alone uses. A process
   * that is killed leaves its keys behind, and the next one that loads them flushes those.
   */
  readonly keepLoaded?: boolean;
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
  /** Transient objects that still find room (TPM2_PT_HR_TRANSIENT_AVAIL, an estimate of the TPM's). */
  readonly transientFree: number;
  /**
   * Handle of the parent of new keys: 0x81000001 where that persistent object is an ECC P-256 storage key, else
   * 0x40000001, the owner hierarchy, whose primary is derived again at each load.
   */
  readonly parent: number;
  /** The owner hierarchy has a password: without a persistent parent, keys need `ownerAuth`. */
  readonly ownerAuthSet: boolean;
  /** The TPM has NIST P-256, without which none of the keys here can be made. */
  readonly curveP256: boolean;
  readonly lockout: TpmLockout;
}

/** The dictionary-attack lockout (TPM 2.0 part 1, §19.8). Keys made here are outside it (noDA). */
export interface TpmLockout {
  readonly active: boolean;
  /** Authorisation failures counted now, and how many start the lockout. */
  readonly failures: number;
  readonly maxFailures: number;
  /** One failure is forgotten after this time, seconds. */
  readonly intervalSeconds: number;
  /** After a failure of the lockout authorisation itself, seconds until it may be used again. */
  readonly recoverySeconds: number;
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
  /**
   * The endorsement key that the TPM's maker vouches for: the certified one where NV holds a certificate that fits a
   * key of this TPM (ECC before RSA, which takes chips seconds), else the P-256 one of the standard template.
   * @param kind this one instead of the TPM's best
   * @throws TssError TPM_ENDORSEMENT_AUTH, ENDORSEMENT_UNSUPPORTED
   */
  endorsementKey(kind?: EndorsementKind): Promise<EndorsementKey>;
  /**
   * Create an attestation key beside our signing keys: P-256, restricted, so that it signs what the TPM itself says and
   * nothing else (TPM 2.0 part 1, §25.1.5). Kept as a file like theirs; `loadKey` refuses it.
   */
  createAttestationKey(): Promise<AttestationKey>;
  /**
   * Open a credential that a verifier has made for this endorsement and this attestation key (TPM2_ActivateCredential,
   * part 3, §12.5): the proof that both are in one TPM. The secret crosses the bus encrypted, in a session salted with
   * the endorsement key.
   * @returns the secret
   * @throws TssError CREDENTIAL_REFUSED where it was made for other keys, ARGUMENT_INVALID, TPM_ENDORSEMENT_AUTH, …
   */
  activateCredential(kind: EndorsementKind, attestationPem: string, challenge: Credential): Promise<Buffer>;
  /**
   * Have the attestation key certify a key of this TPM (TPM2_Certify, part 3, §18.2).
   * @param key open, from this TPM's `loadKey`
   * @param qualifyingData 1 … 64 bytes of the verifier's, signed in
   * @throws TssError ARGUMENT_INVALID for keys in software, KEY_CLOSED, KEY_LOST, …
   */
  certify(key: SigningKey, attestationPem: string, qualifyingData: Uint8Array): Promise<Certification>;
  /** Flush what is loaded, end the connection and the thread. Idempotent. */
  close(): Promise<void>;
}

/** The endorsement keys that are understood: templates L-1, L-2 and H-3 of the TCG EK Credential Profile 2.5. */
export type EndorsementKind = 'rsa-2048' | 'ecc-p256' | 'ecc-p384';

export interface EndorsementKey {
  readonly kind: EndorsementKind;
  /** Where it is persistent (0x81010001 and following); null where it is made anew for each use. */
  readonly handle: number | null;
  /** TPM2B_PUBLIC (part 2, §12.2.5). */
  readonly publicArea: Buffer;
  /** The maker's certificate, X.509 DER, from NV (0x01C00000 … 0x01C07FFF); null where there is none. */
  readonly certificate: Buffer | null;
}

export interface AttestationKey {
  /** `TSS2 PRIVATE KEY` PEM: the wrapped blob, of use to this TPM only. */
  readonly pem: string;
  /** TPM2B_PUBLIC. */
  readonly publicArea: Buffer;
}

/** What TPM2_MakeCredential gives, length prefixes included. */
export interface Credential {
  /** TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET. */
  readonly encryptedSecret: Uint8Array;
}

/** What TPM2_Certify gives. */
export interface Certification {
  /** TPMS_ATTEST (part 2, §10.12.12): what is signed, byte for byte. */
  readonly attest: Buffer;
  /** TPMT_SIGNATURE (part 2, §11.3.4). */
  readonly signature: Buffer;
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
  | 'TPM_ENDORSEMENT_AUTH'
  | 'TPM_FAILED'
  | 'KEY_LOST'
  | 'KEY_INVALID'
  | 'KEY_AUTH'
  | 'KEY_CLOSED'
  | 'PARENT_MISSING'
  | 'ENDORSEMENT_UNSUPPORTED'
  | 'CREDENTIAL_REFUSED';

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
  | 'PROXY_UNREACHABLE'
  | 'PROXY_REFUSED'
  | 'PROXY_PROTOCOL'
  | 'TRUST_INVALID'
  | 'TLS_PROTOCOL'
  | 'CLIENT_CERTIFICATE_INVALID'
  | 'ARGUMENT_INVALID';

/** `code` says what happened, `rc` is the numeric TSS2_RC where a TPM call failed. */
export interface TssErrorShape {
  readonly code: TpmErrorCode | TlsErrorCode;
  readonly rc: number | undefined;
}

/** The versions that are spoken: 1.3, and 1.2 where it was asked for. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** An HTTP proxy that opens tunnels (CONNECT, RFC 9110 §9.3.6). TLS runs end to end through it. */
export interface ProxyOptions {
  /** `http://host:port`; port 80 where absent. Without user, password, path or query. */
  readonly url: string;
  /** Basic credentials (RFC 7617). Never part of an error or a log line. */
  readonly credentials?: ProxyCredentials;
  /**
   * Hosts that are reached directly: `host.example`, `.example` (every name below it), `192.0.2.7`, `10.0.0.0/8`,
   * `fd00::/8`. A name is never resolved for this: address ranges match hosts that are given as addresses.
   */
  readonly bypass?: readonly string[];
}

export interface ProxyCredentials {
  /** Without a colon. */
  readonly username: string;
  readonly password: string;
}

/** A TLS client connection. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  /** Name for SNI and for the host name check; `host` where absent. IP addresses are matched against iPAddress SANs. */
  readonly servername?: string;
  /** PEM bundle of trust anchors; neither this nor `caFile`: the system's store. */
  readonly ca?: string;
  /**
   * File of such a bundle. Like the system's store it is looked at for each connection and read again when it has
   * changed; sessions that the old one vouched for are then not resumed.
   */
  readonly caFile?: string;
  /** The oldest version to agree on; `TLSv1.3` where absent. 1.2: only ECDHE with AEAD and extended master secret. */
  readonly minVersion?: TlsVersion;
  /** Reach the host through this proxy, which also resolves its name. */
  readonly proxy?: ProxyOptions;
  /** Client identity: leaf certificate first, then intermediates, PEM. */
  readonly identity?: { readonly key: SigningKey; readonly certificateChain: string };
  /** ALPN protocols offered, such as `['http/1.1']`. */
  readonly alpn?: readonly string[];
  /** Deadline in milliseconds for name, TCP, proxy and TLS together; 10,000 where absent. */
  readonly timeoutMs?: number;
  /** Unix seconds at which certificates are judged; the system's clock where absent. */
  readonly verifyAt?: number;
  /** Resume an earlier session with the same host, identity and trust where there is one; true where absent. */
  readonly resume?: boolean;
  /**
   * As in `net.Socket`: false, where absent, answers the peer's close_notify with our own at once; true leaves our
   * direction open until `end()`.
   */
  readonly allowHalfOpen?: boolean;
  /** Ends the attempt, and later the stream, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The connected stream. The directions end each by itself (RFC 8446 §6.1): `end()` sends close_notify and reading
 * goes on; an end without the peer's close_notify is an error (CONNECTION_FAILED: truncation). `destroy()` says
 * close_notify only where nothing is unsent and no error is given: the peer must not take an abort for the end.
 */
export interface TlsStream extends Duplex {
  readonly alpnProtocol: string | false;
  readonly protocol: TlsVersion;
  /** e.g. `TLS_AES_256_GCM_SHA384` */
  readonly cipher: string;
  /** The server's leaf certificate, DER. */
  readonly peerCertificate: Buffer;
  readonly sessionReused: boolean;
  /** Bytes of TCP, TLS and the proxy's words included, as `net.Socket` counts them. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** As in `net.Socket`; behind a proxy the proxy's. `undefined` once closed. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly localAddress: string | undefined;
  readonly localPort: number | undefined;
  /** Whether this connection alone keeps the process alive; it does from the start. */
  ref(): this;
  unref(): this;
}
