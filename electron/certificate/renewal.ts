/** Share of its life after which a certificate is renewed. */
const renewAfter = 2 / 3;
/** Spread of the renewal instant, as a share of the life, so that 500 screens do not come at once. */
const jitter = 1 / 20;

/**
 * When to renew: 2/3 of the certificate's life, up to 1/20 of the life earlier.
 * @param random 0 ≤ random < 1, drawn once per certificate
 * @returns Unix milliseconds
 */
export function renewalAtMs(
  certificate: { readonly notBeforeMs: number; readonly notAfterMs: number },
  random: number,
): number {
  const lifeMs = certificate.notAfterMs - certificate.notBeforeMs;
  return Math.floor(certificate.notBeforeMs + lifeMs * (renewAfter - jitter * random));
}
