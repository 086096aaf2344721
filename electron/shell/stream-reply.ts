/** One answer of a server, headers only; the body is read or destroyed by whoever asked. */
export interface StreamReply {
  readonly status: number;
  /** Where a redirect leads; it was not followed. */
  readonly location: string | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection; safe to call again. */
  destroy(): void;
}

export interface StreamRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why there is no answer: a short word of a–z and hyphen. */
export class StreamFault extends Error {
  readonly reason: string;
  constructor(reason: string, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}
