/** A refused request: the one error that handlers throw, turned into `{"error": {"code", "message"}}`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  /** `Retry-After` in seconds, where waiting helps. */
  readonly retryAfterSeconds: number | undefined;

  /**
   * @param status HTTP status
   * @param code machine-readable reason, kebab-case
   * @param message one sentence for a person; no secrets
   */
  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The wire form of a refusal. */
export function errorBody(code: string, message: string): { error: { code: string; message: string } } {
  return { error: { code, message } };
}
