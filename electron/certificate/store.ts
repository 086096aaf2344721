import { PlayerError } from '../errors.ts';
import { readPrivateFile, removeFile, writePrivateFile } from '../private-file.ts';
import type { Verdict } from './check.ts';
import { splitPem } from './check.ts';

/** A device certificate that passed the check, ready for TLS. */
export interface DeviceCertificate {
  /** Leaf first, then intermediates, PEM. */
  readonly chainPem: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Judges a chain for the device key at this moment. */
export type Judge = (chain: readonly string[]) => Verdict;

/** Whether TLS would show this chain, leaf first, PEM, with the device key. @throws PlayerError where it cannot be told */
export type Showable = (chainPem: string) => boolean;

export interface CertificateStore {
  /**
   * The stored certificate, judged again.
   * @returns `undefined` when there is none; the refusing verdict when it no longer holds
   */
  load(): Promise<DeviceCertificate | Extract<Verdict, { ok: false }> | undefined>;
  /**
   * Judge, write through to the disk (0600), read back and judge again.
   * A refused certificate never replaces a good one, nor does one that no connection could be made with.
   */
  save(chain: readonly string[]): Promise<DeviceCertificate | Extract<Verdict, { ok: false }>>;
  /** Remove the certificate; the key stays. */
  forget(): Promise<void>;
}

export function createCertificateStore(file: string, judge: Judge, showable: Showable): CertificateStore {
  const load: CertificateStore['load'] = async () => {
    const text = await readPrivateFile(file);
    if (text === undefined) return undefined;
    const chain = splitPem(text.toString('utf8'));
    const verdict = judge(chain);
    return verdict.ok ? deviceCertificate(chain, verdict) : verdict;
  };
  return {
    load,
    save: async (given) => {
      // Judged in the form in which it will be read back, so that nothing is written that a restart would refuse.
      const chain = splitPem(given.join('\n'));
      const verdict = judge(chain);
      if (!verdict.ok) return verdict;
      const { chainPem } = deviceCertificate(chain, verdict);
      if (!showable(chainPem)) return { ok: false, reason: 'unusable' };
      await writePrivateFile(file, chainPem);
      const stored = await load();
      if (stored === undefined || 'ok' in stored)
        throw new PlayerError(
          'STATE_UNWRITABLE',
          `${file}: what was read back is not what was written: check the disk`,
        );
      return stored;
    },
    forget: () => removeFile(file),
  };
}

function deviceCertificate(chain: readonly string[], verdict: Extract<Verdict, { ok: true }>): DeviceCertificate {
  const { notBeforeMs, notAfterMs } = verdict;
  return { chainPem: `${chain.map((pem) => pem.trim()).join('\n')}\n`, notBeforeMs, notAfterMs };
}
