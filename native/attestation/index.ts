/** node-tss/attestation: judging a device's evidence. Pure JavaScript over node:crypto; needs no TPM and no addon. */
export { type AttestedRequest, readAttestedRequest, verifyAttestedRequest } from './attested-request.ts';
export { type Challenge, type ChallengeOptions, Challenges } from './challenges.ts';
export { type Chip, chipOf, type PurposePolicy, readEndorsementCertificate } from './endorsement-certificate.ts';
export { type AttestationCode, AttestationError } from './error.ts';
export { type MadeCredential, makeCredential } from './make-credential.ts';
export { type PublicArea, readPublicArea } from './public-area.ts';
export {
  type Answer,
  type Evidence,
  type Expectation,
  endorsementHash,
  type HardwareIdentity,
  type JudgedEvidence,
  judgeEvidence,
  qualifyingData,
  type Trust,
  verifyAnswer,
} from './verification.ts';
