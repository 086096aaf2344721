import { checkCertificate, splitPem } from '../certificate/check.ts';
import type { DeviceCertificate } from '../certificate/store.ts';
import type { Log } from '../log.ts';
import type { OriginClient } from '../mtls/client.ts';
import { fetchRoots } from '../mtls/roots.ts';
import type { Identity } from './identity.ts';
import type { Poke } from './waiting.ts';

/** Roots change in years, and each session begins with a look. */
const rootsEveryMs = 24 * 60 * 60_000;
/** Each new key costs the TPM and the disk something: a server that asks too often is not heard. */
const shortestRekeyMs = 60_000;

/** Ask which roots the server uses or will use, and take them where they hold. A failure costs nothing: asked again. */
export async function learnRoots(
  api: OriginClient,
  identity: Identity,
  present: () => DeviceCertificate,
  log: Log,
): Promise<void> {
  try {
    const roots = await fetchRoots(api);
    if (roots === null) return;
    await identity.anchors.announce(
      roots,
      (bundle) => checkCertificate(splitPem(present().chainPem), identity.key.publicKey, bundle, Date.now()).ok,
    );
  } catch (thrown) {
    log.failure('roots-failed', thrown);
  }
}

/** At once, at every poke, and once a day. @throws when `signal` aborts */
export async function everyTime(poke: Poke, work: () => Promise<void>, signal: AbortSignal): Promise<never> {
  for (;;) {
    await work();
    signal.throwIfAborted();
    await poke.wait(rootsEveryMs, signal);
  }
}

/** Waits for the server to ask for another key, and for that to succeed. @throws when `signal` aborts */
export async function untilRekeyed(poke: Poke, work: () => Promise<boolean>, signal: AbortSignal): Promise<'rekeyed'> {
  let triedMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const how = await poke.wait(rootsEveryMs, signal);
    if (how === 'elapsed' || performance.now() - triedMs < shortestRekeyMs) continue;
    triedMs = performance.now();
    if (await work()) return 'rekeyed';
    signal.throwIfAborted();
  }
}
