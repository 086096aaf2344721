/**
 * Prove that a key is in a genuine TPM: the device's side and the verifier's, which are two machines in life.
 *
 *     node attestation.mjs maker-authority.pem [TCTI]
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { certificateRequest, openTpm, publicAreaOf } from 'node-tss';
import { AttestationError, Challenges, qualifyingData } from 'node-tss/attestation';

const [authorityFile, tcti = 'device:/dev/tpmrm0'] = process.argv.slice(2);
if (authorityFile === undefined) throw new Error("give the certificate of the TPM maker's authority");

// The verifier pins the authorities of the makers whose chips it takes.
const trust = { authorities: [await readFile(authorityFile, 'utf8')], endorsementHashes: [] };
const challenges = new Challenges(trust, Date.now);

const tpm = await openTpm({ tcti });
try {
  // Device → verifier: the evidence. Both keys are files to keep; here they are forgotten again.
  const endorsement = await tpm.endorsementKey();
  const attestation = await tpm.createAttestationKey();
  const keyFile = await tpm.createKey();
  const key = await tpm.loadKey(keyFile);
  const csrPem = await certificateRequest('CN=screen-7', key);
  const challenge = challenges.open('registration-1', {
    csrPem,
    ekCertificate: endorsement.certificate,
    ekPublic: endorsement.publicArea,
    akPublic: attestation.publicArea,
    keyPublic: publicAreaOf(keyFile),
  });

  // Verifier → device: the challenge. Device → verifier: what only this TPM can answer.
  const secret = await tpm.activateCredential(endorsement.kind, attestation.pem, challenge);
  const csrDer = Buffer.from(csrPem.replaceAll(/-----[^-]+-----/g, ''), 'base64');
  const { attest, signature } = await tpm.certify(
    key,
    attestation.pem,
    qualifyingData(challenge.nonce, secret, csrDer),
  );
  const identity = challenges.settle('registration-1', { secret, certifyInfo: attest, certifySignature: signature });
  console.log(`verified: ${identity.manufacturer} ${identity.model}, endorsement key ${identity.endorsementHash}`);
} catch (error) {
  if (!(error instanceof AttestationError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = 1;
} finally {
  await tpm.close();
}
