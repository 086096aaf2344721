/** A chip whose maker vouches for it, for each test, and a server that asks for the proof. */

import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BackendOptions } from '../../backend/backend.ts';
import { FaultLayer } from '../../chaos/support/fault-layer.ts';
import { type SoftwareTpm, startSwtpm } from '../../support/swtpm.ts';
import { type TpmMaker, tpmMaker } from '../../support/tpm-maker.ts';
import { test as base, expect, type Player, type Rig } from './rig.ts';

export interface Chip extends SoftwareTpm {
  readonly makerPem: string;
}

export const test = base.extend<{ chip: Chip }, { maker: TpmMaker }>({
  maker: [
    // biome-ignore lint/correctness/noEmptyPattern: the runner reads the names of the fixtures from the pattern
    async ({}, use) => {
      const maker = tpmMaker();
      await use(maker);
      maker.remove();
    },
    { scope: 'worker' },
  ],
  chip: async ({ maker }, use) => {
    const tpm = await startSwtpm({ stateFolder: await maker.again() });
    await use({ ...tpm, makerPem: maker.authorityPem() });
    await tpm.stop();
  },
});

/** The rig's server anew, which demands a proof unless told otherwise, and the player on a chip that has one. */
export async function attested(rig: Rig, chip: Chip, options: Partial<BackendOptions> = {}): Promise<void> {
  await rig.backend.close();
  await rig.startBackend({ attestation: 'required', endorsementAuthorities: [chip.makerPem], ...options });
  rig.settings = { ...rig.settings, identity: { ...rig.settings['identity'], tcti: chip.tcti } };
}

/** The player's clock, from its next start on; `set` counts at once. */
export function clockOf(rig: Rig): { set(offsetMs: number): void; close(): void } {
  const layer = new FaultLayer('', path.join(rig.folder, 'layer'));
  const { environment } = rig;
  rig.environment = () => ({ ...environment(), ...layer.environment });
  return { set: (clockOffsetMs) => layer.set({ clockOffsetMs }), close: () => layer.close() };
}

/** The certificate in the state folder. */
export async function certificateOf(rig: Rig): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path.join(rig.stateDirectory, 'certificate.pem')));
}

/** What the page shows, and the fault that it was told beside it. */
export function shown(player: Player): Promise<{ state: string; code: string | null }> {
  return player.page.evaluate(async () => {
    const { player: bridge } = window as unknown as {
      player: { snapshot(): Promise<{ state: string; notice: { code: string } | null }> };
    };
    const { state, notice } = await bridge.snapshot();
    return { state, code: notice?.code ?? null };
  });
}

export { expect };
