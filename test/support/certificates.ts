/**
 * P-256 certificates for the reference server and for tests: a certification
 * authority and the leaves that it issues (RFC 5280). Software keys only.
 */
import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { ecdsaWithSHA256 } from '@peculiar/asn1-ecc';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

/** X.520 commonName (RFC 5280 appendix A.1). */
const commonNameOid = '2.5.4.3';

export type Purpose = 'clientAuth' | 'serverAuth';

export interface LeafOptions {
  readonly commonName: string;
  /** The subject's public key, P-256. */
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Extended key usages; none leaves the extension out. */
  readonly purposes: readonly Purpose[];
  /** DNS names and IP addresses for subjectAltName. */
  readonly names?: readonly string[];
}

export interface Issued {
  readonly pem: string;
  /** Serial number, lower-case hex without leading zeros stripped, 32 digits. */
  readonly serial: string;
}

/** A certification authority that holds its key in memory. */
export interface Authority {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
  issue(options: LeafOptions): Issued;
}

/** A fresh P-256 key pair. */
export function createKey(): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** A private key as PKCS#8 PEM. */
export function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** A name of one commonName as UTF8String. */
export function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonNameOid, value })])]);
}

/** DER as PEM with 64 characters a line (RFC 7468). */
export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * A new self-signed authority (pathLenConstraint 0: it issues leaves only).
 * @param commonName its subject
 * @param now start of its ten years; five minutes earlier are valid as well
 */
export function createAuthority(commonName: string, now = new Date()): Authority {
  const { privateKey, publicKey } = createKey();
  const issued = build(nameOf(commonName), privateKey, publicKey, {
    subject: nameOf(commonName),
    publicKey,
    notBefore: new Date(now.getTime() - 300_000),
    notAfter: new Date(now.getTime() + 3_652 * 86_400_000),
    extensions: [
      extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
      extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    ],
  });
  return openAuthority(commonName, issued.pem, privateKey);
}

/** An authority from its stored parts; the caller has checked that they belong together. */
export function openAuthority(commonName: string, certificatePem: string, privateKey: KeyObject): Authority {
  const issuerPublicKey = createPublicKey(privateKey);
  return {
    certificatePem,
    privateKey,
    issue(options) {
      const oids = options.purposes.map((purpose) => (purpose === 'clientAuth' ? id_kp_clientAuth : id_kp_serverAuth));
      return build(nameOf(commonName), privateKey, issuerPublicKey, {
        subject: nameOf(options.commonName),
        publicKey: options.publicKey,
        notBefore: options.notBefore,
        notAfter: options.notAfter,
        extensions: [
          extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
          extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
          ...(oids.length > 0 ? [extension(id_ce_extKeyUsage, new ExtendedKeyUsage(oids))] : []),
          ...(options.names?.length
            ? [extension(id_ce_subjectAltName, new SubjectAlternativeName(options.names.map(generalName)))]
            : []),
        ],
      });
    },
  };
}

interface Body {
  readonly subject: Name;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Extension[];
}

function build(issuer: Name, issuerKey: KeyObject, issuerPublicKey: KeyObject, body: Body): Issued {
  const serial = randomBytes(16);
  // A set second-highest bit and a clear highest one: positive and of full length in DER, 126 random bits.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: arrayBuffer(serial),
    signature: ecdsaWithSHA256,
    issuer,
    validity: new Validity({ notBefore: wholeSeconds(body.notBefore), notAfter: wholeSeconds(body.notAfter) }),
    subject: body.subject,
    subjectPublicKeyInfo: AsnConvert.parse(spki(body.publicKey), SubjectPublicKeyInfo),
    extensions: new Extensions([
      ...body.extensions,
      extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(body.publicKey))),
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuerPublicKey)) }),
      ),
    ]),
  });
  const signatureValue = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), issuerKey);
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: ecdsaWithSHA256,
    signatureValue: arrayBuffer(signatureValue),
  });
  return {
    pem: toPem('CERTIFICATE', new Uint8Array(AsnConvert.serialize(certificate))),
    serial: serial.toString('hex'),
  };
}

function extension(oid: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID: oid, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function generalName(name: string): GeneralName {
  return new GeneralName(isIP(name) ? { iPAddress: name } : { dNSName: name });
}

/** Key identifier, method 1 of RFC 7093: the first 160 bits of the SHA-256 of the public point. */
function keyIdentifier(publicKey: KeyObject): ArrayBuffer {
  const info = AsnConvert.parse(spki(publicKey), SubjectPublicKeyInfo);
  return arrayBuffer(createHash('sha256').update(new Uint8Array(info.subjectPublicKey)).digest().subarray(0, 20));
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

function wholeSeconds(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
