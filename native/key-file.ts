import type { KeyBlob } from './addon.ts';
import { type Element, elements, encode, malformed, only, tags } from './der.ts';
import { TssError } from './error.ts';

const LABEL = 'TSS2 PRIVATE KEY';
const MAX_PEM_CHARACTERS = 8192;
const LINE_CHARACTERS = 64;

// 2.23.133.10.1.3, .4 and .5 (TCG, "ASN.1 Specification for TPM 2.0 Key Files").
const LOADABLE = Buffer.from('6781050a0103', 'hex');
const IMPORTABLE = Buffer.from('6781050a0104', 'hex');
const SEALED = Buffer.from('6781050a0105', 'hex');

/** Optional fields that change what the key is or how it is used, in the words of the specification. */
const UNSUPPORTED: Readonly<Record<number, string>> = { 1: 'policy', 2: 'secret', 3: 'authPolicy', 5: 'rsaParent' };

function unsupported(what: string): TssError {
  return new TssError('KEY_INVALID', `not supported: ${what}`);
}

/**
 * TSSPrivKey ::= SEQUENCE { type OID, emptyAuth [0] BOOLEAN, …, parent INTEGER, pubkey OCTET STRING,
 * privkey OCTET STRING } as PEM, so that OpenSSL's tpm2 provider and the tpm2tss tools read it.
 */
export function writeKeyFile(blob: KeyBlob): string {
  const parent = Buffer.alloc(5);
  parent.writeUInt32BE(blob.parent, 1);
  // An INTEGER whose first bit is set is negative; the handles of persistent objects need a zero in front.
  const number = blob.parent >= 0x80000000 ? parent : parent.subarray(1);
  const der = encode(
    tags.sequence,
    encode(tags.oid, LOADABLE),
    encode(tags.explicit, encode(tags.boolean, Buffer.from([0xff]))),
    encode(tags.integer, number),
    encode(tags.octets, blob.publicArea),
    encode(tags.octets, blob.privateArea),
  );
  const lines = der.toString('base64').match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return `-----BEGIN ${LABEL}-----\n${lines.join('\n')}\n-----END ${LABEL}-----\n`;
}

/**
 * Reads a key file of ours or of others: emptyAuth may be any non-zero BOOLEAN, a persistent parent may be
 * written as a negative number (old writers). What is not implemented is refused by name.
 * @throws TssError KEY_INVALID, KEY_AUTH
 */
export function readKeyFile(pem: string): KeyBlob {
  const fields = elements(only(decodePem(pem), tags.sequence, 'not one SEQUENCE'), 10);
  requireLoadable(fields.shift());
  let emptyAuth = false;
  for (let last = -1; isExplicit(fields[0]); ) {
    const field = fields.shift() as Element;
    const number = field.tag - tags.explicit;
    if (number <= last) throw malformed('optional fields out of order');
    last = number;
    if (number === 0) emptyAuth = readBoolean(field.contents);
    const name = UNSUPPORTED[number];
    // [4] is a description for people; numbers beyond [5] are not defined.
    if (name !== undefined || number > 5) throw unsupported(name ?? `field [${number}]`);
  }
  const [parent, publicArea, privateArea] = fields;
  if (fields.length !== 3 || parent?.tag !== tags.integer) throw malformed('parent, pubkey and privkey');
  if (publicArea?.tag !== tags.octets || privateArea?.tag !== tags.octets) throw malformed('pubkey and privkey');
  if (!emptyAuth) throw new TssError('KEY_AUTH', 'not supported: a key with a password (emptyAuth is not set)');
  return {
    parent: readHandle(parent.contents),
    publicArea: publicArea.contents,
    privateArea: privateArea.contents,
  };
}

function decodePem(pem: string): Buffer {
  if (pem.length > MAX_PEM_CHARACTERS) throw malformed(`longer than ${MAX_PEM_CHARACTERS} characters`);
  const lines = pem.trim().split(/\r?\n/);
  if (lines.shift() !== `-----BEGIN ${LABEL}-----` || lines.pop() !== `-----END ${LABEL}-----`) {
    throw malformed(`not a "${LABEL}" PEM`);
  }
  const text = lines.join('');
  const der = Buffer.from(text, 'base64');
  // Buffer skips what is not base64; only a round trip proves that nothing was skipped.
  if (der.length === 0 || der.toString('base64') !== text) throw malformed('not base64');
  return der;
}

function isExplicit(element: Element | undefined): boolean {
  return element !== undefined && element.tag >= tags.explicit && element.tag < tags.explicit + 0x1f;
}

function requireLoadable(type: Element | undefined): void {
  if (type?.tag !== tags.oid) throw malformed('no type');
  if (type.contents.equals(IMPORTABLE)) throw unsupported('an importable key');
  if (type.contents.equals(SEALED)) throw unsupported('sealed data');
  if (!type.contents.equals(LOADABLE)) throw unsupported('an unknown type of key');
}

function readBoolean(contents: Buffer): boolean {
  const value = only(contents, tags.boolean, 'emptyAuth');
  if (value.length !== 1) throw malformed('emptyAuth');
  return value[0] !== 0;
}

function readHandle(value: Buffer): number {
  if (value.length === 4) return value.readUInt32BE(0);
  if (value.length === 5 && value[0] === 0 && (value[1] ?? 0) >= 0x80) return value.readUInt32BE(1);
  throw malformed('the parent is not a handle');
}

/** The public half of a key file as TPMs tell it: TPM2B_PUBLIC, length prefix included. @throws TssError KEY_INVALID */
export function publicAreaOf(pem: string): Buffer {
  return readKeyFile(pem).publicArea;
}
