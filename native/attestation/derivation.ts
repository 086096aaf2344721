import { createHash, createHmac } from 'node:crypto';

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Blocks of one hash until there are `bits`, which is a multiple of eight here. */
function blocks(bits: number, block: (counter: Buffer) => Buffer): Buffer {
  const made: Buffer[] = [];
  for (let counter = 1, length = 0; length * 8 < bits; counter++) {
    const next = block(u32(counter));
    made.push(next);
    length += next.length;
  }
  return Buffer.concat(made).subarray(0, bits / 8);
}

/** KDFa (TPM 2.0 part 1, §11.4.10.2): SP 800-108 in counter mode with HMAC. */
export function kdfA(
  hash: string,
  key: Buffer,
  label: string,
  contextU: Buffer,
  contextV: Buffer,
  bits: number,
): Buffer {
  const fixed = Buffer.concat([Buffer.from(`${label}\0`), contextU, contextV, u32(bits)]);
  return blocks(bits, (counter) => createHmac(hash, key).update(counter).update(fixed).digest());
}

/** KDFe (part 1, §11.4.10.3): SP 800-56A with a hash. @param partyU, partyV x coordinates, padded to the curve's length */
export function kdfE(hash: string, z: Buffer, label: string, partyU: Buffer, partyV: Buffer, bits: number): Buffer {
  const fixed = Buffer.concat([z, Buffer.from(`${label}\0`), partyU, partyV]);
  return blocks(bits, (counter) => createHash(hash).update(counter).update(fixed).digest());
}
