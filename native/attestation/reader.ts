import { AttestationError } from './error.ts';

/** Reads the TPM's big-endian structures (TPM 2.0 part 2) from bytes that may be hostile. @throws AttestationError */
export class Reader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = Buffer.from(bytes);
    this.#what = what;
  }

  malformed(why: string): AttestationError {
    return new AttestationError('STRUCTURE_INVALID', `${this.#what}: ${why}`);
  }

  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw this.malformed('ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16BE();
  u32 = (): number => this.take(4).readUInt32BE();

  /** A TPM2B: its length, then so many bytes. */
  sized = (): Buffer => this.take(this.u16());

  /** @throws AttestationError where bytes are left */
  end(): void {
    if (this.#at !== this.#bytes.length) throw this.malformed('goes on behind its end');
  }
}

/** A TPM2B of these bytes. */
export function sized(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
