/** node-tss: TPM 2.0 keys, and TLS 1.3 with them. */
import { addon } from './addon.ts';

export type {
  AttestationKey,
  Certification,
  ConnectOptions,
  Credential,
  EndorsementKey,
  EndorsementKind,
  ProxyCredentials,
  ProxyOptions,
  SigningKey,
  TlsErrorCode,
  TlsStream,
  TlsVersion,
  Tpm,
  TpmErrorCode,
  TpmInfo,
  TpmLockout,
  TpmOptions,
  TssErrorShape,
} from './api.ts';
export { attestationAttribute, type CertifyStatement, ownQualifyingData } from './attestation-attribute.ts';
export { connect } from './connect.ts';
export { assertIdentity } from './contexts.ts';
export { certificateRequest } from './csr.ts';
export { TssError } from './error.ts';
export { softwareKey } from './key.ts';
export { publicAreaOf } from './key-file.ts';
export { notify } from './notify.ts';
export { type ProxyRoute, proxyRoute } from './proxy.ts';
export { openTpm } from './tpm.ts';
export {
  type ConnectionTerms,
  type ConnectorTarget,
  type UndiciConnector,
  type UndiciConnectorOptions,
  undiciConnector,
} from './undici.ts';

/** The OpenSSL inside the addon, such as `3.0.22`: not the host's. */
export function opensslVersion(): string {
  return addon.opensslVersion;
}
