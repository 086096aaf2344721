import { type AddonContext, addon } from './addon.ts';
import type { ConnectOptions, SigningKey } from './api.ts';
import { translated } from './error.ts';
import { addonKeyOf } from './key.ts';

/** Where Debian's ca-certificates keeps the bundle. */
const SYSTEM_ANCHORS = '/etc/ssl/certs/ca-certificates.crt';
const MAX_CONTEXTS = 4;

interface Entry {
  readonly ca: string | undefined;
  readonly chain: string;
  readonly context: AddonContext;
}

// A context holds session tickets. One belongs to exactly one certificate and one set of anchors, so that a
// changed certificate leaves its predecessor's tickets behind.
const identified = new WeakMap<SigningKey, Entry[]>();
const anonymous: Entry[] = [];

/** The context for these anchors and this identity. @throws TssError CLIENT_CERTIFICATE_INVALID, ARGUMENT_INVALID */
export function contextFor(options: Pick<ConnectOptions, 'ca' | 'identity'>): AddonContext {
  const { ca, identity } = options;
  const key = identity === undefined ? undefined : addonKeyOf(identity.key);
  const chain = identity?.certificateChain ?? '';
  const entries = entriesOf(identity?.key);
  const known = entries.find((entry) => entry.ca === ca && entry.chain === chain);
  if (known !== undefined) return known.context;
  const context = translated(() => new addon.TlsContext(ca, SYSTEM_ANCHORS, chain, key));
  entries.push({ ca, chain, context });
  if (entries.length > MAX_CONTEXTS) entries.shift();
  return context;
}

function entriesOf(key: SigningKey | undefined): Entry[] {
  if (key === undefined) return anonymous;
  const entries = identified.get(key) ?? [];
  identified.set(key, entries);
  return entries;
}
