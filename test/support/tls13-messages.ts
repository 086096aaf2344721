/** What TLS 1.3 messages are put together from (RFC 8446 §3 and §4). */

export const handshakeTypes = {
  serverHello: 2,
  newSessionTicket: 4,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
} as const;

/** Bytes behind their length, which takes `width` bytes. */
export function vector(width: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(width);
  length.writeUIntBE(body.length, 0, width);
  return Buffer.concat([length, body]);
}

export function uint16(...values: readonly number[]): Buffer {
  return Buffer.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

/** A handshake message (RFC 8446 §4). */
export function message(type: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(3, ...parts)]);
}

export function extension(type: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([uint16(type), vector(2, ...parts)]);
}
