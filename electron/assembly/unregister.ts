import { existsSync, readSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { print } from '../command/worker.ts';
import { removeFile } from '../private-file.ts';
import { registrationFile } from '../registration/state-file.ts';
import type { Settings } from '../settings.ts';
import { holdStateFolder } from '../shell/single-instance.ts';
import { announcedRootsFile } from './anchors.ts';

/**
 * Forget that this machine is a screen. The content goes first and the certificate last: as long as that is there, an
 * interrupted command can be repeated, and meanwhile the screen is what it was.
 * @returns the exit code
 * @throws PlayerError STATE_LOCKED while a player runs, STATE_UNWRITABLE
 */
export async function unregister(
  { state }: Settings,
  { yes, forgetKey }: { readonly yes: boolean; readonly forgetKey: boolean },
): Promise<number> {
  if (!existsSync(state.directory)) {
    print(1, `There is no ${state.directory}: nothing to forget.\n`);
    return 1;
  }
  await holdStateFolder(state.directory);
  if (!yes) {
    const key = forgetKey ? 'the device key, ' : '';
    const question = `Forget ${key}certificate, registration and content in ${state.directory}? [y/N] `;
    if (!isatty(0)) {
      print(2, 'signet-player: unregister: nobody is here to be asked\n  add --yes\n');
      return 64;
    }
    print(1, question);
    if (!/^y(es)?$/i.test(readLine())) {
      print(1, 'Nothing was changed.\n');
      return 1;
    }
  }
  await rm(join(state.directory, 'store'), { recursive: true, force: true });
  await removeFile(join(state.directory, 'playlist.json'));
  await removeFile(registrationFile(state.directory));
  if (forgetKey) {
    await removeFile(join(state.directory, 'device-key.pem'));
    await removeFile(join(state.directory, 'device-key.software.pem'));
    await removeFile(join(state.directory, 'attestation-key.pem'));
  }
  await removeFile(announcedRootsFile({ state }));
  await removeFile(join(state.directory, 'certificate.pem'));
  const kept = forgetKey ? 'The key is gone too: this will be another screen.' : 'The device key stays.';
  print(
    1,
    `Forgotten. ${kept} Remove the screen in the console as well; at its next start the player shows a new PIN.\n`,
  );
  return 0;
}

function readLine(): string {
  const bytes = Buffer.alloc(256);
  return bytes.toString('utf8', 0, readSync(0, bytes)).trim();
}
