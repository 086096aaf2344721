import { type Check, failed, ok, warning } from './report.ts';

/** What the checks look at; a test stands in for it. Absent things are `undefined`, never an exception. */
export interface Machine {
  readonly userId: number;
  readonly userName: string;
  readonly groupIds: readonly number[];
  readonly processId: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  read(path: string): string | undefined;
  /** Target of a symbolic link, such as a namespace below /proc. */
  link(path: string): string | undefined;
  list(path: string): readonly string[];
  /** Whether this user may read and write it. */
  usable(path: string): boolean;
  owner(path: string): { readonly userId: number; readonly mode: number } | undefined;
  /** Free bytes for this user. */
  freeBytes(path: string): number | undefined;
}

/** Group `tss`, where the TPM is a device file. */
export function checkGroup(machine: Machine, tcti: string): Check {
  const device = /^device:(.+)$/.exec(tcti)?.[1];
  const name = 'group tss';
  if (device === undefined) return ok(name, `not needed for ${tcti.split(':', 1)[0]}:`);
  const group = /^tss:[^:]*:(\d+):(.*)$/m.exec(machine.read('/etc/group') ?? '');
  if (machine.usable(device)) return ok(name, `${machine.userName} may use ${device}`);
  if (machine.owner(device) === undefined) return warning(name, `there is no ${device} to use`, 'see TPM');
  if (group === null) return failed(name, 'there is no group tss', 'as root: apt-get install tpm-udev, then restart');
  if (machine.groupIds.includes(Number(group[1])))
    return failed(
      name,
      `${machine.userName} is in tss, yet may not use ${device}`,
      'as root: apt-get install tpm-udev, then restart; the device has to belong to group tss',
    );
  const listed = (group[2] ?? '').split(',').includes(machine.userName);
  return listed
    ? failed(name, `${machine.userName} joined tss after this session began`, 'log out and in again, or restart')
    : failed(
        name,
        `${machine.userName} is not in group tss`,
        `as root: adduser ${machine.userName} tss, then log in again`,
      );
}

/** User namespaces: Chromium's helpers were started by now, and show whether they are in one of their own. */
export function checkSandbox(machine: Machine): Check {
  const name = 'sandbox';
  const remedy = 'as root: sysctl -w kernel.unprivileged_userns_clone=1; on Ubuntu install the .deb (AppArmor profile)';
  const own = machine.link('/proc/self/ns/user');
  const children =
    machine.read(`/proc/${machine.processId}/task/${machine.processId}/children`)?.trim().split(' ') ?? [];
  const zygotes = children.filter((child) => /--type=zygote/.test(machine.read(`/proc/${child}/cmdline`) ?? ''));
  const apart = zygotes.some((zygote) => {
    const theirs = machine.link(`/proc/${zygote}/ns/user`);
    return theirs !== undefined && theirs !== own;
  });
  if (apart) return ok(name, 'Chromium’s helpers run in a user namespace of their own');
  const most = Number(machine.read('/proc/sys/user/max_user_namespaces') ?? '0');
  const clone = machine.read('/proc/sys/kernel/unprivileged_userns_clone')?.trim() ?? '1';
  if (most === 0) return failed(name, 'this kernel gives no user namespaces', remedy);
  if (clone === '0') return failed(name, 'kernel.unprivileged_userns_clone is 0', remedy);
  return failed(name, 'Chromium’s helpers are in no user namespace of their own', remedy);
}

export function checkGraphics(machine: Machine): Check {
  const name = 'graphics';
  const nodes = machine.list('/dev/dri').filter((node) => node.startsWith('renderD'));
  const remedy = 'videos are decoded and drawn by the processor: for more than one of 1080p use a machine with a GPU';
  if (nodes.length === 0) return warning(name, 'no GPU: everything is drawn by the processor', remedy);
  const usable = nodes.filter((node) => machine.usable(`/dev/dri/${node}`));
  if (usable.length > 0) return ok(name, `${usable.map((node) => `/dev/dri/${node}`).join(', ')} can be used`);
  return warning(
    name,
    `${machine.userName} may not use /dev/dri/${nodes[0]}`,
    `as root: adduser ${machine.userName} render, then log in again`,
  );
}

export function checkDisplay(machine: Machine): Check {
  const name = 'display';
  const session = machine.env['WAYLAND_DISPLAY'] ?? machine.env['DISPLAY'];
  const connectors = machine.list('/sys/class/drm').filter((entry) => /^card\d+-/.test(entry));
  const connected = connectors.filter(
    (entry) => machine.read(`/sys/class/drm/${entry}/status`)?.trim() === 'connected',
  );
  const names = connected.map((entry) => entry.replace(/^card\d+-/, '')).join(', ');
  if (connected.length > 0) return ok(name, `${names} connected${session === undefined ? '' : `, session ${session}`}`);
  if (session !== undefined && session !== '') return ok(name, `session ${session}`);
  if (connectors.length > 0)
    return failed(
      name,
      'no display is connected',
      'switch it on and check the cable: the machine has to see it at boot',
    );
  return failed(
    name,
    'neither a session nor a display adapter is here',
    'run it in a session, or look for the driver of the graphics card (firmware-* packages)',
  );
}

/** State folder and the room in it. @param budgetBytes of the media store */
export function checkDisk(machine: Machine, directory: string, budgetBytes: number): Check {
  const name = 'disk';
  const owner = machine.owner(directory);
  if (owner === undefined)
    return failed(name, `${directory} is not there`, `as root: install -d -m 700 -o signet -g signet ${directory}`);
  if (owner.userId !== machine.userId || !machine.usable(directory))
    return failed(
      name,
      `${directory} belongs to another user, or is read-only`,
      `run this as the player’s user, or as root: chown -R ${machine.userName} ${directory}`,
    );
  const free = machine.freeBytes(directory) ?? 0;
  if ((owner.mode & 0o077) !== 0) return warning(name, `others can look into ${directory}`, `chmod 700 ${directory}`);
  if (free < 256 * 2 ** 20)
    return failed(name, `only ${size(free)} free for ${directory}`, 'free space on that file system');
  if (free < budgetBytes)
    return warning(
      name,
      `${size(free)} free, store.budgetBytes allows ${size(budgetBytes)}`,
      'what the store already holds counts against both; else free space, or lower store.budgetBytes',
    );
  return ok(name, `${size(free)} free for ${directory}`);
}

/**
 * The clock, against the server's where one answered.
 * @param serverMs its Date header, with the second it was cut to
 */
export function checkClock(machine: Machine, builtMs: number, serverMs: number | undefined): Check {
  const name = 'clock';
  const remedy = 'as root: timedatectl set-ntp true (apt-get install systemd-timesyncd), and check the battery';
  const shown = new Date(machine.nowMs).toISOString();
  if (machine.nowMs < builtMs) return failed(name, `${shown} is before this player was made`, remedy);
  if (serverMs !== undefined) {
    const off = Math.round(Math.abs(machine.nowMs - serverMs) / 1000);
    if (off > 300) return failed(name, `${off} s away from the server’s clock`, remedy);
    if (off > 10) return warning(name, `${off} s away from the server’s clock`, remedy);
    return ok(name, `${shown}, as the server says`);
  }
  if (machine.owner('/run/systemd/timesync/synchronized') !== undefined) return ok(name, `${shown}, synchronised`);
  return warning(name, `${shown}, compared with nothing`, 'once the server answers its clock is compared');
}

function size(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
