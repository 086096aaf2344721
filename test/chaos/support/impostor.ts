/** Identities of servers: by the authority that the player trusts, or by somebody else. */
import { createPrivateKey } from 'node:crypto';
import { join } from 'node:path';
import { type Authority, createAuthority, createKey, keyPem, openAuthority } from '../../support/certificates.ts';
import { type Lab, readText } from './lab.ts';

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** By the authority that the player trusts, valid from and to so many milliseconds from now. */
export function identityOf(lab: Lab, from: number, to: number, name: string): Identity {
  const certificate = readText(join(lab.authority, 'ca.pem'));
  const key = createPrivateKey(readText(join(lab.authority, 'ca.key')));
  return issued(openAuthority('Signet reference server CA', certificate, key), from, to, name);
}

/** By an authority that nobody knows. */
export function strangerOf(from: number, to: number, name: string): Identity {
  return issued(createAuthority('Somebody else', new Date()), from, to, name);
}

function issued(authority: Pick<Authority, 'issue'>, from: number, to: number, name: string): Identity {
  const { privateKey, publicKey } = createKey();
  const { pem } = authority.issue({
    commonName: name,
    publicKey,
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + to),
    purposes: ['serverAuth'],
    names: [name],
  });
  return { key: keyPem(privateKey), cert: pem };
}
