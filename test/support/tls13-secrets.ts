/** Key schedule and record protection of TLS_AES_128_GCM_SHA256, for servers that no library would play. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';

const HASH_BYTES = 32;
const TAG_BYTES = 16;
const NOTHING = Buffer.alloc(0);

export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

export function hmac(key: Buffer, message: Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest();
}

export function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** HKDF-Expand-Label (RFC 8446 §7.1); one block of HKDF is as long as anything asked for here. */
export function expandLabel(secret: Buffer, label: string, context: Buffer, lengthBytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const length = Buffer.from([0, lengthBytes, name.length]);
  const info = Buffer.concat([length, name, Buffer.from([context.length]), context, Buffer.from([1])]);
  return hmac(secret, info).subarray(0, lengthBytes);
}

/** The traffic secrets of one connection's two directions. */
export interface TrafficSecrets {
  readonly client: Buffer;
  readonly server: Buffer;
}

/** Handshake secrets from the shared secret and the hash over both hellos, with the way to those that follow. */
export function handshakeSecrets(shared: Buffer, hellosHash: Buffer): TrafficSecrets & { master: Buffer } {
  const derived = (secret: Buffer) => expandLabel(secret, 'derived', sha256(), HASH_BYTES);
  const early = hmac(Buffer.alloc(HASH_BYTES), Buffer.alloc(HASH_BYTES));
  const handshake = hmac(derived(early), shared);
  return {
    client: expandLabel(handshake, 'c hs traffic', hellosHash, HASH_BYTES),
    server: expandLabel(handshake, 's hs traffic', hellosHash, HASH_BYTES),
    master: hmac(derived(handshake), Buffer.alloc(HASH_BYTES)),
  };
}

/** Application secrets; the hash is over everything up to the server's Finished. */
export function applicationSecrets(master: Buffer, flightHash: Buffer): TrafficSecrets {
  return {
    client: expandLabel(master, 'c ap traffic', flightHash, HASH_BYTES),
    server: expandLabel(master, 's ap traffic', flightHash, HASH_BYTES),
  };
}

/** verify_data of a Finished message (RFC 8446 §4.4.4). */
export function verifyData(secret: Buffer, hash: Buffer): Buffer {
  return hmac(expandLabel(secret, 'finished', NOTHING, HASH_BYTES), hash);
}

/** A record's five bytes in front (RFC 8446 §5.1). */
export function recordHeader(type: number, lengthBytes: number): Buffer {
  return Buffer.from([type, 3, 3, lengthBytes >> 8, lengthBytes & 0xff]);
}

/** Seals or opens the records of one direction (RFC 8446 §5.2). */
export class RecordKeys {
  #secret: Buffer;
  #key: Buffer = NOTHING;
  #iv: Buffer = NOTHING;
  #sequence = 0n;

  constructor(secret: Buffer) {
    this.#secret = secret;
    this.#install();
  }

  #install(): void {
    this.#key = expandLabel(this.#secret, 'key', NOTHING, 16);
    this.#iv = expandLabel(this.#secret, 'iv', NOTHING, 12);
    this.#sequence = 0n;
  }

  /** What a KeyUpdate does (RFC 8446 §7.2). */
  update(): void {
    this.#secret = expandLabel(this.#secret, 'traffic upd', NOTHING, HASH_BYTES);
    this.#install();
  }

  #nonce(): Buffer {
    const nonce = Buffer.from(this.#iv);
    nonce.writeBigUInt64BE(nonce.readBigUInt64BE(4) ^ this.#sequence++, 4);
    return nonce;
  }

  /** @param paddingBytes zeros behind the content type */
  seal(type: number, content: Buffer, paddingBytes = 0): Buffer {
    const header = recordHeader(contentTypes.applicationData, content.length + 1 + paddingBytes + TAG_BYTES);
    const cipher = createCipheriv('aes-128-gcm', this.#key, this.#nonce()).setAAD(header);
    const tail = Buffer.alloc(1 + paddingBytes);
    tail[0] = type;
    return Buffer.concat([header, cipher.update(content), cipher.update(tail), cipher.final(), cipher.getAuthTag()]);
  }

  /** @throws Error for a record that was not sealed with these keys */
  open(record: Buffer): { readonly type: number; readonly content: Buffer } {
    const decipher = createDecipheriv('aes-128-gcm', this.#key, this.#nonce()).setAAD(record.subarray(0, 5));
    decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
    const inner = Buffer.concat([decipher.update(record.subarray(5, record.length - TAG_BYTES)), decipher.final()]);
    let end = inner.length;
    while (end > 0 && inner[end - 1] === 0) end--;
    return { type: inner[end - 1] ?? 0, content: inner.subarray(0, Math.max(0, end - 1)) };
  }
}
