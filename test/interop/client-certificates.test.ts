import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { SigningKey } from 'node-tss';
import { issueClientCertificate, type KeyKind } from '../support/certificate-chain.ts';
import { startNginx } from '../support/nginx.ts';
import { startDemandingOpenssl } from '../support/openssl.ts';
import { getPage, toLocalhost } from '../support/tls-client.ts';
import { authorities, serverIdentity } from '../support/tls-identities.ts';
import { loadTestKey } from '../support/tpm-fixture.ts';

const { servers, clients } = authorities();
const ca = servers.certificatePem;
const issuerKinds: readonly KeyKind[] = ['RSA', 'P-384', 'Ed25519'];

/** The ports of servers that demand a certificate of this authority: openssl, nginx. */
async function demanding(context: TestContext, clientAuthorityPem: string): Promise<readonly number[]> {
  const openssl = await startDemandingOpenssl(serverIdentity(servers), clientAuthorityPem);
  context.after(openssl.stop);
  const nginx = await startNginx({ ...serverIdentity(servers), clientAuthorityPem });
  context.after(nginx.stop);
  return [openssl.port, nginx.port];
}

function publicKeyOf(key: SigningKey): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: key.publicKey, format: 'der', type: 'spki' });
}

for (const kind of issuerKinds) {
  test(`a key in the TPM is let in with a certificate of an authority whose key is ${kind}`, async (t) => {
    const key = await loadTestKey(t);
    const spki = publicKeyOf(key).export({ type: 'spki', format: 'pem' }).toString();
    const { authorityPem, certificatePem } = issueClientCertificate(kind, spki);
    for (const port of await demanding(t, authorityPem)) {
      const identity = { key, certificateChain: certificatePem };
      const { page } = await getPage(toLocalhost(port, ca, { identity }));
      assert.match(page, /^HTTP\/1\.[01] 200 [\s\S]*CN ?= ?screen/i);
    }
  });
}

test('a key in the TPM is let in with a certificate of 60 KiB', async (t) => {
  const ports = await demanding(t, clients.certificatePem);
  const key = await loadTestKey(t);
  const { pem } = clients.issue({
    commonName: 'screen',
    publicKey: publicKeyOf(key),
    notBefore: new Date(Date.now() - 60_000),
    notAfter: new Date(Date.now() + 3_600_000),
    purposes: ['clientAuth'],
    names: Array.from({ length: 1900 }, (_, index) => `${index}.signage.example`.padStart(30, 'x')),
  });
  for (const port of ports) {
    const { page } = await getPage(toLocalhost(port, ca, { identity: { key, certificateChain: pem } }));
    assert.match(page, /^HTTP\/1\.[01] 200 [\s\S]*CN ?= ?screen/i);
  }
});
