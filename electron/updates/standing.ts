/** Why this player does not update itself. */
export type Unfit = 'not-an-appimage' | 'service-manager' | 'session-ends';

/** What to do instead, for the log. */
export const remedies: Readonly<Record<Unfit, string>> = {
  'not-an-appimage': 'only the AppImage updates itself: the .deb is updated by apt, a checkout by git',
  'service-manager': 'a service is ended with its player and started again: replace the file yourself, or use the .deb',
  'session-ends': 'the display ends with its player: replace the file yourself, or use the .deb',
};

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** The control group as /proc/self/cgroup names it in its last line, without `0::`. */
  readonly cgroup: string;
  /** Names of the processes above this one, the nearest first (/proc/…/comm). */
  readonly ancestors: readonly string[];
}

/** Programs that end when the one program that they show ends. */
const endWithTheirClient = new Set(['cage', 'xinit', 'startx', 'weston', 'gamescope']);

/**
 * Whether a new version could be tried here: pure. What takes the player down with its supervisor, or starts the old
 * file again meanwhile, would make a good version look like a bad one.
 */
export function unfitFor({ env, cgroup, ancestors }: Surroundings): Unfit | null {
  if ((env['APPIMAGE'] ?? '') === '') return 'not-an-appimage';
  if ((env['NOTIFY_SOCKET'] ?? '') !== '') return 'service-manager';
  // A unit of the system's manager; the user's manager is one too, and desktops run below that.
  const isUnit = /\.service$/.test(cgroup) && !/\/user@\d+\.service\//.test(cgroup);
  if ((env['INVOCATION_ID'] ?? '') !== '' && isUnit) return 'service-manager';
  return ancestors.some((name) => endWithTheirClient.has(name)) ? 'session-ends' : null;
}
