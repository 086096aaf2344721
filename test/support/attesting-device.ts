/** A device with a chip of its own: what a player sends and answers, and what an attacker mixes from several. */
import type { TestContext } from 'node:test';
import { certificateRequest, type EndorsementKey, publicAreaOf, type SigningKey, type Tpm } from 'node-tss';
import { type Answer, type Challenge, type Evidence, qualifyingData } from 'node-tss/attestation';
import { readCertificateRequest } from '../../native/attestation/certificate-request.ts';
import type { TpmMaker } from './tpm-maker.ts';
import { tpmRig } from './tpm-rig.ts';

export interface AttestingDevice {
  readonly tpm: Tpm;
  readonly endorsement: EndorsementKey;
  /** The attestation key's file. */
  readonly attestationPem: string;
  readonly key: SigningKey;
  readonly evidence: Evidence;
}

export async function attestingDevice(
  context: TestContext,
  maker: TpmMaker,
  hostname = 'screen',
): Promise<AttestingDevice> {
  const rig = await tpmRig(context, { stateFolder: await maker.make() });
  const tpm = await rig.open();
  const endorsement = await tpm.endorsementKey();
  const attestation = await tpm.createAttestationKey();
  const keyFile = await tpm.createKey();
  const key = await tpm.loadKey(keyFile);
  const evidence = {
    csrPem: await certificateRequest(`CN=${hostname}`, key),
    ekCertificate: endorsement.certificate,
    ekPublic: endorsement.publicArea,
    akPublic: attestation.publicArea,
    keyPublic: publicAreaOf(keyFile),
  };
  return { tpm, endorsement, attestationPem: attestation.pem, key, evidence };
}

/** What an honest device answers. */
export async function answerOf(
  from: AttestingDevice,
  challenge: Challenge,
  evidence = from.evidence,
  key = from.key,
): Promise<Answer> {
  const secret = await from.tpm.activateCredential(from.endorsement.kind, from.attestationPem, challenge);
  return certified(from, challenge.nonce, secret, evidence.csrPem, key);
}

/** A certification that says what it is told to say. */
export async function certified(
  from: AttestingDevice,
  nonce: Buffer,
  secret: Buffer,
  csrPem: string,
  key = from.key,
): Promise<Answer> {
  const data = qualifyingData(nonce, secret, readCertificateRequest(csrPem).der);
  const { attest, signature } = await from.tpm.certify(key, from.attestationPem, data);
  return { secret, certifyInfo: attest, certifySignature: signature };
}

/** A TPM2B_PUBLIC of a P-256 key with another point. */
export function withPoint(area: Buffer, { x, y }: { x?: string; y?: string }): Buffer {
  const changed = Buffer.from(area);
  Buffer.from(x ?? '', 'base64url').copy(changed, changed.length - 66);
  Buffer.from(y ?? '', 'base64url').copy(changed, changed.length - 32);
  return changed;
}
