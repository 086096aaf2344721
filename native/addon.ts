import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Certification, EndorsementKind, TlsVersion, TpmInfo } from './api.ts';

/** A key in its file: parent handle and the two TPM2B structures, length prefix included. */
export interface KeyBlob {
  readonly parent: number;
  readonly publicArea: Buffer;
  readonly privateArea: Buffer;
}

/** A key inside the addon; `point` is the uncompressed P-256 point. */
export interface AddonKey {
  readonly point: Buffer;
}

export interface AddonTpmKey extends AddonKey {
  sign(digest: Uint8Array): Promise<Buffer>;
  close(): Promise<void>;
}

export interface AddonSoftwareKey extends AddonKey {
  sign(digest: Uint8Array): Buffer;
}

export interface AddonTpm {
  info(): Promise<TpmInfo>;
  createKey(): Promise<KeyBlob>;
  loadKey(blob: KeyBlob): Promise<AddonTpmKey>;
  createAttestationKey(): Promise<KeyBlob>;
  /** `handle` is 0 where the key is made anew for each use. */
  endorsement(kind: EndorsementKind): Promise<{ readonly handle: number; readonly publicArea: Buffer }>;
  /** What NV holds in the range of endorsement certificates, as it is. */
  storedCertificates(): Promise<readonly { readonly index: number; readonly bytes: Buffer }[]>;
  activateCredential(
    kind: EndorsementKind,
    attestationKey: KeyBlob,
    credentialBlob: Uint8Array,
    encryptedSecret: Uint8Array,
  ): Promise<Buffer>;
  certify(key: AddonKey, attestationKey: KeyBlob, qualifyingData: Uint8Array): Promise<Certification>;
  close(): Promise<void>;
}

/** Trust anchors and identity, shared by connections together with their session tickets. */
export type AddonContext = object;

/** What a call produced: plain bytes, bytes for the peer, and how things stand. */
export interface Outcome {
  readonly data?: Buffer;
  readonly output?: Buffer;
  /** Handshake: finished. Afterwards: the peer has said close_notify. */
  readonly done: boolean;
  /** Handshake: a key signs on a thread of its own; `proceed` is next. */
  readonly wantsKey?: true;
  readonly failure?: Error;
}

export interface Details {
  readonly alpnProtocol: string;
  readonly protocol: TlsVersion;
  readonly cipher: string;
  readonly peerCertificate: Buffer;
  readonly sessionReused: boolean;
}

/** A TLS connection without a socket. One call at a time; `proceed` answers from the key's thread. */
export interface AddonConnection {
  start(): Buffer;
  advance(received: Uint8Array): Outcome;
  proceed(): Promise<Outcome>;
  receive(received: Uint8Array): Outcome;
  send(plain: Uint8Array): Buffer;
  shutdown(): Buffer;
  details(): Details;
  abandon(): void;
}

interface Addon {
  readonly opensslVersion: string;
  notify(socket: string, state: string): void;
  openTpm(tcti: string, ownerAuth: string, keepLoaded: boolean): Promise<AddonTpm>;
  readonly SoftwareKey: new (pem: string) => AddonSoftwareKey;
  readonly TlsContext: new (
    anchors: string | undefined,
    systemAnchors: string,
    chain: string,
    key: AddonKey | undefined,
    allowTls12: boolean,
  ) => AddonContext;
  readonly TlsConnection: new (
    context: AddonContext,
    name: string,
    isAddress: boolean,
    protocols: Uint8Array,
    verifyAt: number | undefined,
    peer: string,
  ) => AddonConnection;
}

// tpm2-tss writes what it meets to stderr, expected absences included. Failures arrive here as errors with a
// code; whoever wants the native log sets TSS2_LOG before the start.
process.env['TSS2_LOG'] ??= 'all+none';

/** This package is bundled to dist/index.cjs; the addon is built beside it, in build/Release. */
export const addon = createRequire(__filename)(join(__dirname, '..', 'build', 'Release', 'node_tss.node')) as Addon;
