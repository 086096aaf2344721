import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCertificate } from '../certificate/check.ts';
import { certificateRefused } from '../certificate/renewer.ts';
import { asPlayerError, PlayerError } from '../errors.ts';
import type { Log } from '../log.ts';
import { createOriginClient, type OriginClient } from '../mtls/client.ts';
import { apiConnector } from '../mtls/connector.ts';
import { requestRekey } from '../mtls/renewal.ts';
import { removeFile, replaceFile, writePrivateFile } from '../private-file.ts';
import type { Settings } from '../settings.ts';
import { type Identity, requestFor } from './identity.ts';

const trialDeadlineMs = 30_000;

/** The files of the identity, and of the one that is to follow it. */
function places({ state }: Settings) {
  const at = (name: string) => join(state.directory, name);
  return {
    key: at('device-key.pem'),
    certificate: at('certificate.pem'),
    nextKey: at('device-key.next.pem'),
    nextCertificate: at('certificate.next.pem'),
  };
}

/**
 * Change the device key: a new one in the same TPM, certified by the same attestation key; the old one stays until the
 * server has taken a connection with the new certificate.
 * @param api over mutual TLS with the present key
 * @returns whether the key was changed, and the identity has to be opened anew; if not, the present one goes on
 */
export async function rekey(
  { settings, identity, log }: { readonly settings: Settings; readonly identity: Identity; readonly log: Log },
  api: OriginClient,
): Promise<boolean> {
  const files = places(settings);
  try {
    const next = await identity.key.successor(files.nextKey);
    try {
      const attestor = settings.identity.attestation === 'never' ? null : next.attestor;
      const csr = await requestFor(settings, next);
      const chain = await requestRekey(api, csr, attestor);
      const verdict = checkCertificate(chain, next.publicKey, identity.anchors.bundle(), Date.now());
      if (!verdict.ok) throw certificateRefused(verdict);
      const certificateChain = `${chain.map((pem) => pem.trim()).join('\n')}\n`;
      await writePrivateFile(files.nextCertificate, certificateChain);
      await assertWorks(settings, identity, { key: next.signingKey, certificateChain });
      await rename(files.nextKey, files.key);
      // The key has gone on: what fails from here on is done again as the identity is opened.
      await finishRekey(settings).catch((left: unknown) => log.failure('rekey-failed', left));
      log.info('device-key-changed', { fingerprint: next.fingerprint });
      await identity.journal.write('rekeyed', { key: next.fingerprint });
      return true;
    } finally {
      await next.close().catch((left: unknown) => log.failure('rekey-failed', left));
    }
  } catch (thrown) {
    const error = asPlayerError(thrown);
    // What cannot be removed now is at the next start.
    await finishRekey(settings).catch((left: unknown) => log.failure('rekey-failed', left));
    await identity.journal.write('rekey-failed', { key: identity.key.fingerprint, reason: error.code });
    log.failure('rekey-failed', error);
    return false;
  }
}

/** The server takes the new certificate: it answers the call that every screen makes. @throws PlayerError */
async function assertWorks(
  settings: Settings,
  { anchors }: Identity,
  shown: { readonly key: Identity['key']['signingKey']; readonly certificateChain: string },
): Promise<void> {
  const connector = apiConnector(settings, () => shown, anchors.announced);
  const client = createOriginClient(settings.server.origin, connector);
  try {
    const reply = await client.open('/api/v2/screens/playlist', {}, AbortSignal.timeout(trialDeadlineMs));
    reply.body.destroy();
    if (reply.status !== 200)
      throw new PlayerError('SERVER_REFUSED_CERTIFICATE', `the new certificate: the server answered ${reply.status}`);
  } finally {
    await client.close();
  }
}

/**
 * Let the next certificate take the place of the present one where its key has gone on; otherwise the change did not come
 * to its end, and the next identity is forgotten.
 * @throws PlayerError STATE_UNWRITABLE
 */
export async function finishRekey(settings: Settings): Promise<void> {
  const files = places(settings);
  if (existsSync(files.nextCertificate) && !existsSync(files.nextKey))
    return replaceFile(files.nextCertificate, files.certificate);
  // The certificate first: alone it would be taken for one whose key has gone on.
  if (existsSync(files.nextCertificate)) await removeFile(files.nextCertificate);
  if (existsSync(files.nextKey)) await removeFile(files.nextKey);
}
