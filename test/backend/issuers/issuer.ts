/** Who signs the screens' certificates: the server's own authority or one elsewhere, behind one interface. */

export interface IssueRequest {
  /** PKCS#10, PEM, judged by the server before. */
  readonly csrPem: string;
  /** The subject's common name. */
  readonly hostname: string;
  readonly lifetimeSeconds: number;
  /** UUID of this wish: the same for every try, so that an answer that was lost does not make a second certificate. */
  readonly requestId: string;
}

export interface IssuedCertificate {
  readonly certificatePem: string;
  /** What lies between it and the root, and the root where the issuer hands it out: PEM, one each. */
  readonly chainPem: readonly string[];
  /** How the issuer calls it, for revoking. */
  readonly reference: string;
}

export interface Issuer {
  /** @throws IssuerError */
  issue(request: IssueRequest): Promise<IssuedCertificate>;
  /** @param reference of the issued certificate. @throws IssuerError */
  revoke(reference: string): Promise<void>;
  /** Authorities that device certificates chain to, those that are announced for later included: PEM, one each. */
  roots(): Promise<readonly string[]>;
}

/** `retryable`: the same request may succeed later; else somebody must change something. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError';
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
  }
}
