import { run } from './command.mjs';
import { narrate, SetupError } from './narration.mjs';

/** System user that runs everything after the setup when the command was started as root. */
export const accountName = 'signet-dev';

/**
 * Find or create the unprivileged system user.
 * @returns {Promise<{uid: number, gid: number}>}
 * @throws {SetupError}
 */
export async function provideAccount() {
  const known = await lookUp();
  if (known !== undefined) return known;
  narrate(
    'account',
    `creating the system user ${accountName}: Chromium keeps its sandbox only for users other than root`,
  );
  const options = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  await run('useradd', [...options, '--shell', '/usr/sbin/nologin', accountName]);
  const created = await lookUp();
  if (created !== undefined) return created;
  throw new SetupError(
    `the system user ${accountName} could not be created`,
    'run the command as an ordinary user with sudo instead of as root',
  );
}

/** @returns {Promise<{uid: number, gid: number} | undefined>} */
async function lookUp() {
  const { code, stdout } = await run('getent', ['passwd', accountName], { quiet: true });
  const [, , uid, gid] = stdout.split(':');
  return code === 0 ? { uid: Number(uid), gid: Number(gid) } : undefined;
}
