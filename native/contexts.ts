import { readFileSync, statSync } from 'node:fs';
import { type AddonContext, addon } from './addon.ts';
import type { ConnectOptions, SigningKey } from './api.ts';
import { TssError, translated } from './error.ts';
import { addonKeyOf } from './key.ts';

/** Where Debian's ca-certificates keeps the bundle. */
const SYSTEM_ANCHORS = '/etc/ssl/certs/ca-certificates.crt';
const MAX_CONTEXTS = 4;

interface Entry {
  /** Trust and version as they were; a context is good for one combination alone. */
  readonly terms: string;
  readonly chain: string;
  readonly context: AddonContext;
}

// A context holds session tickets. One belongs to exactly one certificate and one set of anchors, so that a
// changed certificate leaves its predecessor's tickets behind.
const identified = new WeakMap<SigningKey, Entry[]>();
const anonymous: Entry[] = [];

/**
 * The context for these anchors, this identity and these versions. A file of anchors, the system's included, is read
 * again once it has changed.
 * @throws TssError CLIENT_CERTIFICATE_INVALID, TRUST_INVALID, ARGUMENT_INVALID
 */
export function contextFor(options: Pick<ConnectOptions, 'ca' | 'caFile' | 'identity' | 'minVersion'>): AddonContext {
  const { ca, caFile, identity, minVersion = 'TLSv1.3' } = options;
  if (ca !== undefined && caFile !== undefined) throw new TssError('ARGUMENT_INVALID', 'give ca or caFile, not both');
  if (minVersion !== 'TLSv1.3' && minVersion !== 'TLSv1.2') {
    throw new TssError('ARGUMENT_INVALID', 'minVersion is TLSv1.3 or TLSv1.2');
  }
  const key = identity === undefined ? undefined : addonKeyOf(identity.key);
  const chain = identity?.certificateChain ?? '';
  const terms = `${minVersion} ${ca === undefined ? stampOf(caFile ?? SYSTEM_ANCHORS) : ca}`;
  const entries = entriesOf(identity?.key);
  const known = entries.find((entry) => entry.terms === terms && entry.chain === chain);
  if (known !== undefined) return known.context;
  const anchors = caFile === undefined ? ca : read(caFile);
  const context = translated(() => new addon.TlsContext(anchors, SYSTEM_ANCHORS, chain, key, minVersion === 'TLSv1.2'));
  entries.push({ terms, chain, context });
  if (entries.length > MAX_CONTEXTS) entries.shift();
  return context;
}

/**
 * What `connect` would refuse of an identity before it connects, told without connecting: a chain that does not parse, a
 * leaf for another key, a key or signature in the chain that is below OpenSSL's security level 2 (RSA 1024, SHA-1).
 * @throws TssError CLIENT_CERTIFICATE_INVALID, KEY_CLOSED, ARGUMENT_INVALID
 */
export function assertIdentity({ key, certificateChain }: NonNullable<ConnectOptions['identity']>): void {
  const inner = addonKeyOf(key);
  try {
    // A context has anchors; whom it trusts plays no part here.
    translated(() => new addon.TlsContext(certificateChain, SYSTEM_ANCHORS, certificateChain, inner, false));
  } catch (thrown) {
    if (!(thrown instanceof TssError) || thrown.code !== 'TRUST_INVALID') throw thrown;
    throw new TssError('CLIENT_CERTIFICATE_INVALID', thrown.message, { cause: thrown });
  }
}

/** What tells one state of a file from the next. Taken before the file is read: at worst it is read once more. */
function stampOf(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = unlessUnreadable(file, () => statSync(file, { bigint: true }));
  return `${file} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

function read(file: string): string {
  return unlessUnreadable(file, () => readFileSync(file, 'utf8'));
}

function unlessUnreadable<T>(file: string, look: () => T): T {
  try {
    return look();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new TssError('TRUST_INVALID', `${file}: ${reason}: trust anchors are missing`, { cause });
  }
}

function entriesOf(key: SigningKey | undefined): Entry[] {
  if (key === undefined) return anonymous;
  const entries = identified.get(key) ?? [];
  identified.set(key, entries);
  return entries;
}
