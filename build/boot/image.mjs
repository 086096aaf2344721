import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { inCheckout } from '../bootstrap/checkout.mjs';
import { must } from '../bootstrap/command.mjs';
import { narrate } from '../bootstrap/narration.mjs';

/** Debian as a server install has it; the agent and the tools are the test's alone. */
const packages = [
  ...['linux-image-amd64', 'initramfs-tools', 'systemd-sysv', 'udev', 'dbus', 'ca-certificates', 'fonts-dejavu-core'],
  ...['procps', 'qemu-guest-agent', 'tpm2-tools'],
];
/** What setup-kiosk asks for, by Debian's code name. */
const kioskPackages = {
  trixie: ['cage', 'seatd'],
  bookworm: ['xserver-xorg-core', 'xserver-xorg-input-libinput', 'xauth', 'openbox', 'x11-utils', 'xfonts-100dpi'],
};

const network = '[Match]\nName=en*\n[Network]\nDHCP=yes\n';
/** Few modules and little to unpack: an emulated machine is slow. */
const initramfs = 'MODULES=list\n';

/**
 * A Debian with our package installed and set up as a kiosk, as a disk image without a boot loader. It is kept until
 * the package or this recipe changes. Needs root, for Debian's own tools; nothing is mounted.
 * @param {string} deb
 * @param {keyof typeof kioskPackages} release
 * @returns {Promise<string>} folder with disk.img, vmlinuz and initrd
 */
export async function provideImage(deb, release) {
  const hash = createHash('sha256').update(await readFile(deb));
  hash.update(release).update(await readFile(import.meta.filename));
  const name = `${release}-${hash.digest('hex').slice(0, 16)}`;
  const folder = inCheckout('.runtime/boot', name);
  if (existsSync(folder)) {
    narrate('boot', `the image of ${release} with ${path.basename(deb)} is there`);
    return folder;
  }
  await mkdir(inCheckout('.runtime/boot'), { recursive: true });
  for (const old of await readdir(inCheckout('.runtime/boot')))
    if (old.startsWith(release)) await rm(inCheckout('.runtime/boot', old), { recursive: true });
  const work = await mkdtemp(path.join(os.tmpdir(), 'signet-image-'));
  try {
    await makeImage(deb, release, work);
    await rename(await onSameFileSystem(work, folder), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

/** @param {string} deb @param {keyof typeof kioskPackages} release @param {string} work */
async function makeImage(deb, release, work) {
  const root = path.join(work, 'root');
  const local = path.join(work, 'player.deb');
  await copyFile(deb, local);
  narrate('boot', `making a Debian ${release} with the package, set up as a kiosk (some minutes)`);
  await writeFile(path.join(work, 'network'), network);
  await writeFile(path.join(work, 'initramfs'), initramfs);
  const hooks = [
    // Before the kernel comes, so that its first initramfs is the small one.
    ['essential', 'mkdir -p "$1/etc/initramfs-tools/conf.d"'],
    ['essential', `cp ${work}/initramfs "$1/etc/initramfs-tools/conf.d/small.conf"`],
    ['essential', 'printf "virtio_pci\\nvirtio_blk\\next4\\n" > "$1/etc/initramfs-tools/modules"'],
    ['customize', `cp ${local} "$1/player.deb"`],
    ['customize', 'chroot "$1" apt-get install -y --no-install-recommends /player.deb'],
    ['customize', 'rm "$1/player.deb"'],
    ['customize', 'chroot "$1" signet-player setup-kiosk --yes'],
    ['customize', `cp ${work}/network "$1/etc/systemd/network/80-dhcp.network"`],
    ['customize', 'chroot "$1" systemctl enable systemd-networkd.service'],
    ['customize', 'echo sign-in-a-machine > "$1/etc/hostname"'],
    ['customize', 'printf "127.0.0.1 localhost\\n127.0.1.1 sign-in-a-machine\\n" > "$1/etc/hosts"'],
    ['customize', 'echo uninitialized > "$1/etc/machine-id"'],
  ];
  await must(
    'mmdebstrap',
    [
      '--variant=minbase',
      '--mode=root',
      '--aptopt=Acquire::Languages "none"',
      `--include=${[...packages, ...kioskPackages[release]].join(',')}`,
      ...hooks.map(([when, command]) => `--${when}-hook=${command}`),
      release,
      root,
    ],
    { remedy: 'see its words above; it needs Debian’s archive, as apt-get does' },
  );
  const boot = await readdir(path.join(root, 'boot'));
  for (const [prefix, name] of [
    ['vmlinuz-', 'vmlinuz'],
    ['initrd.img-', 'initrd'],
  ])
    await copyFile(
      path.join(root, 'boot', boot.find((file) => file.startsWith(prefix)) ?? prefix),
      path.join(work, name),
    );
  narrate('boot', 'writing the disk image');
  await must(
    'mke2fs',
    ['-q', '-t', 'ext4', '-E', 'lazy_itable_init=1', '-d', root, path.join(work, 'disk.img'), '4G'],
    { remedy: 'see whether there are 8 GiB free' },
  );
  await rm(root, { recursive: true });
  await rm(local);
}

/** @param {string} work @param {string} folder @returns {Promise<string>} a finished copy beside `folder` */
async function onSameFileSystem(work, folder) {
  const beside = `${folder}.new`;
  await must('cp', ['-r', '--sparse=always', work, beside], { remedy: 'see whether there are 4 GiB free' });
  return beside;
}
