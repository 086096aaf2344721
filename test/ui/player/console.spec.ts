/** The operator's console in a browser: what it says of a device's hardware, and that texts of devices stay texts. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { openTpm, undiciConnector } from 'node-tss';
import { readPublicArea } from 'node-tss/attestation';
import { certificateRequest } from '../../../electron/csr/request.ts';
import { createOriginClient } from '../../../electron/mtls/client.ts';
import { enrol } from '../../../electron/registration/enrolment.ts';
import { openDeviceKey } from '../../../electron/tpm/key.ts';
import { chainRoot } from '../../support/endorsement-chain.ts';
import { silentLog } from '../../support/silent-log.ts';
import { attested, type Chip, expect, test } from './chips.ts';
import { operatorBrowser } from './operator-browser.ts';
import type { Rig } from './rig.ts';

const run = promisify(execFile);

/** As the console writes what others say: in isolates. */
const quoted = (text: string) => `\u2068${text}\u2069`;

/** Enrol with the player's own code, up to the PIN. @param words what the firmware says of the machine */
async function enrolled(rig: Rig, chip: Chip, hostname: string, words = { manufacturer: 'Acme', model: 'Sign 3000' }) {
  const at = (name: string) => path.join(rig.folder, `${hostname}-${name}`);
  const key = await openDeviceKey({
    ...{ tcti: chip.tcti, ownerAuth: undefined, allowSoftwareKey: false, log: silentLog },
    ...{ keyFile: at('key.pem'), attestationKeyFile: at('ak.pem'), softwareKeyFile: at('soft.pem') },
  });
  const connector = undiciConnector({ credentials: async () => ({ caFile: rig.backend.caFile }) });
  const transport = createOriginClient(rig.backend.origin, connector);
  try {
    return await enrol({
      ...{ transport, hostname, playerVersion: 'test', fingerprint: key.fingerprint, log: silentLog },
      attestor: key.attestor,
      hardware: async () => ({ ...words, serial: '', arch: 'x64' }),
      request: () => certificateRequest(hostname, key),
    });
  } finally {
    await transport.close();
    await key.close();
  }
}

test('the console says whose hardware is verified, and claims and removes the screen that plays', async ({
  rig,
  chip,
}) => {
  await attested(rig, chip);
  const browser = await operatorBrowser(rig);
  const { page, row } = browser;
  await browser.logIn();
  await expect(page.locator('#no-pending')).toBeVisible();
  const player = await rig.start();
  const pin = await player.shownPin();
  const verdict = `Hardware identity verified (${quoted('id:00001014')}, ${quoted('swtpm')})`;
  const waiting = row('pending', pin);
  await expect(waiting.locator('.hardware')).toHaveText(verdict);
  await expect(waiting.locator('.hardware')).toHaveClass(/\bverified\b/);
  const digits = (await player.page.getByTestId('fingerprint').textContent())?.replaceAll(/\s/g, '');
  expect((await waiting.locator('.fingerprint').textContent())?.replaceAll(/\s/g, '')).toBe(digits);
  await waiting.getByRole('button', { name: 'Use this PIN' }).click();
  await expect(page.locator('#match')).toContainText('must show the fingerprint');
  await page.getByLabel('Name').fill('Lobby');
  await page.getByRole('button', { name: 'Claim' }).click();
  await expect(page.getByRole('status')).toHaveText(`${quoted('Lobby')} is claimed.`);
  await expect(row('screens', 'Lobby').locator('.hardware')).toHaveText(verdict);
  await expect(row('screens', 'Lobby')).toContainText('certificate until');
  await player.logged('item-shown');
  await row('screens', 'Lobby').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Keep' }).click();
  await expect(row('screens', 'Lobby')).toHaveCount(1);
  await row('screens', 'Lobby').getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('status')).toHaveText(`${quoted('Lobby')} was removed.`);
  await expect(page.locator('#no-screens')).toBeVisible();
  expect(rig.backend.screens()).toEqual([]);
  await player.stop();
  expect(browser.troubles).toEqual([]);
  await browser.close();
});

test('the console says why hardware is not verified: preferred, required, and not asked for', async ({ rig, chip }) => {
  const browser = await operatorBrowser(rig);
  const { page, row } = browser;

  await attested(rig, chip, { attestation: 'preferred', endorsementAuthorities: [] });
  const { pin } = await enrolled(rig, chip, 'unknown-chip');
  await browser.logIn();
  const hardware = row('pending', pin).locator('.hardware');
  await expect(hardware).toHaveText(
    'Hardware identity not verified: no pinned maker vouches for its TPM, and the chip is on no list (endorsement-untrusted)',
  );
  await expect(hardware).toHaveClass(/\bunverified\b/);
  await expect(page.locator('#refused-part')).toBeHidden();
  rig.backend.claim(pin, 'Foyer');
  await expect(row('screens', 'Foyer').locator('.hardware')).toContainText('not verified: no pinned maker');

  await attested(rig, chip, { endorsementAuthorities: [] });
  const refusal = { code: 'ATTESTATION_REFUSED' };
  await expect(enrolled(rig, chip, 'refused-chip')).rejects.toMatchObject(refusal);
  await browser.logIn();
  const refused = row('refused', 'refused-chip');
  await expect(refused.locator('.hardware')).toContainText('Hardware identity not verified: no pinned maker vouches');
  await expect(refused).toContainText('Acme Sign 3000 x64');
  await expect(page.locator('#no-pending')).toBeVisible();
  // It asks again; once it is let in, it is no longer among the refused.
  const { port } = rig.backend;
  await attested(rig, chip, { port });
  const known = await enrolled(rig, chip, 'refused-chip');
  await browser.logIn();
  await expect(row('pending', known.pin).locator('.hardware')).toContainText('Hardware identity verified (');
  await expect(page.locator('#refused-part')).toBeHidden();

  await attested(rig, chip, { attestation: 'off' });
  const unasked = await enrolled(rig, chip, 'not-asked');
  await browser.logIn();
  await expect(row('pending', unasked.pin).locator('.hardware')).toHaveText('Hardware identity not asked for');
  expect(browser.troubles).toEqual([]);
  await browser.close();
});

test('what devices say of themselves stays text in the console, whatever it looks like', async ({ rig, chip }) => {
  const cleanups: (() => void)[] = [];
  const root = chainRoot({ after: (work) => void cleanups.push(work as () => void) });
  const tpm = await openTpm({ tcti: chip.tcti });
  const { publicArea } = await tpm.endorsementKey();
  await tpm.close();
  const publicKeyPem = readPublicArea(publicArea).publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const maker = '<img src=x onerror=pwned()>';
  const model = '</span><script>pwned()</script>';
  // A maker that certifies such a name, in the chip's own memory.
  const certificate = root.endorse(publicKeyPem, { chip: [maker, model, 'id:1'] });
  const file = path.join(rig.folder, 'hostile.der');
  await writeFile(file, certificate);
  const env = { ...process.env, TPM2TOOLS_TCTI: chip.tcti };
  await run('tpm2_nvundefine', ['-C', 'p', '0x1c00016'], { env });
  const attributes = 'ownerwrite|ownerread|authread|no_da';
  await run('tpm2_nvdefine', ['-C', 'o', '0x1c00016', '-s', String(certificate.length), '-a', attributes], { env });
  await run('tpm2_nvwrite', ['-C', 'o', '0x1c00016', '-i', file], { env });

  await attested(rig, chip, { endorsementAuthorities: [root.pem] });
  const long = '\u202eM'.repeat(60);
  const firmware = { manufacturer: '<b onmouseover=pwned()>Acme', model: long };
  const { pin } = await enrolled(rig, chip, 'hostile', firmware);
  const browser = await operatorBrowser(rig);
  const { page, row } = browser;
  await browser.logIn();
  const waiting = row('pending', pin);
  await expect(waiting.locator('.hardware')).toHaveText(
    `Hardware identity verified (${quoted(maker)}, ${quoted(model)})`,
  );
  await expect(waiting.locator('.detail')).toContainText('<b onmouseover=pwned()>Acme');
  const name = '<svg onload=pwned()>\u202eybboL';
  await page.getByLabel('PIN on the screen').fill(pin);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Claim' }).click();
  await expect(page.getByRole('status')).toHaveText(`${quoted(name)} is claimed.`);
  await expect(row('screens', 'hostile').locator('.name')).toHaveText(name);
  await row('screens', 'hostile').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('dialog')).toContainText(`Remove “${quoted(name)}”?`);
  expect(await page.locator('#desk img, #desk script, #desk b, #desk svg, dialog svg').count()).toBe(0);
  expect(browser.troubles).toEqual([]);
  // Where a text became markup after all, the page's policy would not let it run.
  const attempts = await page.evaluate(async () => {
    const violations: string[] = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
      violations.push(effectiveDirective),
    );
    let thrown = '';
    try {
      document.body.innerHTML = '<img src=x onerror=pwned()>';
    } catch (error) {
      thrown = (error as Error).name;
    }
    const image = document.body.appendChild(document.createElement('img'));
    image.setAttribute('src', '/x');
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { thrown, violations, wide: document.documentElement.scrollWidth > innerWidth };
  });
  expect(attempts.thrown).toBe('TypeError');
  expect(attempts.violations).toContain('img-src');
  expect(attempts.wide).toBe(false);
  await browser.close();
  for (const work of cleanups) work();
});
