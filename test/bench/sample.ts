/** Milliseconds of repeated runs, or any other measure of them. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * share;
  return ((sorted[Math.floor(at)] ?? Number.NaN) + (sorted[Math.ceil(at)] ?? Number.NaN)) / 2;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Three decimals: more of them would only be noise. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
