import process from 'node:process';
import { run } from './command.mjs';
import { narrate, SetupError } from './narration.mjs';

/** @typedef {'build' | 'run' | 'package' | 'test' | 'boot' | 'arm64' | 'step-ca'} Purpose */

/**
 * Debian packages (names of Debian 12; newer releases provide them under the same names), by purpose and reason.
 * @type {Record<Purpose, Record<string, string>>}
 */
export const debianPackages = {
  build: {
    'g++': 'compiles the native addon',
    make: 'node-gyp drives it',
    python3: 'node-gyp is written in it',
    'libssl-dev': 'static OpenSSL 3 for the native addon',
    'libtss2-dev': 'the TPM 2.0 software stack, with its connections (device, swtpm, tabrmd)',
  },
  run: {
    swtpm: 'the software TPM of the demo and the tests',
    'swtpm-tools': 'gives a software TPM its endorsement certificate (swtpm_setup), resets it (swtpm_ioctl)',
    xvfb: 'a display where there is none',
    'ca-certificates': 'the trust store of the system',
    'fonts-dejavu-core': 'a fallback font for Chromium',
    'libgtk-3-0': 'Electron: windows',
    libnss3: 'Electron: Chromium network security library',
    libasound2: 'Electron: sound',
    libgbm1: 'Electron: graphics buffers',
    libdrm2: 'Electron: graphics',
    libcups2: 'Electron: linked by Chromium',
    'libatk-bridge2.0-0': 'Electron: accessibility',
    'libatspi2.0-0': 'Electron: accessibility',
    libxkbcommon0: 'Electron: keyboards',
  },
  package: {
    'xz-utils': 'compresses the .deb',
    'squashfs-tools': 'makes the file system inside the AppImage',
    'libsquashfuse-dev': 'the runtime in front of the AppImage, static',
    'libfuse3-dev': 'the runtime in front of the AppImage, static',
    'libzstd-dev': 'the runtime in front of the AppImage, static',
    'zlib1g-dev': 'the runtime in front of the AppImage, static',
    'liblzma-dev': 'the runtime in front of the AppImage, static',
    'liblz4-dev': 'the runtime in front of the AppImage, static',
    'liblzo2-dev': 'the runtime in front of the AppImage, static',
    'desktop-file-utils': 'checks the desktop entry',
  },
  test: {
    openssl: 'checks certificate requests against another implementation',
    'tpm2-openssl': 'key files against another implementation',
    'tpm2-tools': 'looks for objects left in the TPM',
    socat: 'the software TPM as a character device: a pseudo terminal before it',
    'tpm2-abrmd': 'the resource manager in user space, in front of the software TPM',
    'libtss2-tcti-tabrmd0': 'the connection to that resource manager',
    'dbus-daemon': 'a message bus of its own for the resource manager',
    'libglib2.0-bin': 'gdbus waits for the resource manager to come up',
    clang: 'the fuzzers, with libFuzzer',
    'libclang-rt-14-dev': 'libFuzzer and the sanitizers of clang',
    llvm: 'names in the reports of the fuzzers',
    'nginx-light': 'mutual TLS against another implementation',
    haproxy: 'mutual TLS against another implementation',
    stunnel4: 'mutual TLS against another implementation',
    'tinyproxy-bin': 'tunnels through an HTTP proxy of another implementation',
    openbox: 'the window under a window manager',
    'clang-format': 'format of the C++ sources',
    mmdebstrap: 'clean systems in which the packages are tested',
    uidmap: 'the same for users other than root',
    fuse3: 'mounts the AppImage',
    lintian: 'checks the .deb',
    'apt-utils': 'makes the apt repository of a test',
    gpg: 'signs the apt repository of a test',
  },
  boot: {
    'qemu-system-x86': 'the machine of npm run test:boot',
    mmdebstrap: 'makes the Debian that it boots',
    e2fsprogs: 'its disk image, without mounting it',
    iproute2: 'the loopback interface of its network namespace',
  },
  arm64: {
    'g++-aarch64-linux-gnu': 'compiles the native addon for arm64',
    mmdebstrap: 'unpacks Debian’s libraries for arm64, which it is linked against',
    'qemu-user-static': 'runs the tests of the addon on an emulated arm64',
  },
  'step-ca': {
    'golang-go': 'compiles the server of step-ca',
    'golang-github-smallstep-certificates-dev': 'its sources',
  },
};

/** @returns {Promise<Set<string>>} names of installed packages and of what they provide */
async function installedPackages() {
  const format = ['-f', '$' + '{db:Status-Status}\\t$' + '{Package}\\t$' + '{Provides}\\n'];
  const { code, stdout } = await run('dpkg-query', ['-W', ...format], { quiet: true });
  if (code !== 0) {
    throw new SetupError(
      'this system has no dpkg',
      `use Debian 12, or install the equivalents of ${allNames().join(' ')} and set SIGNET_DEBIAN_PACKAGES=skip`,
    );
  }
  const names = new Set();
  for (const line of stdout.split('\n')) {
    const [status, name, provides = ''] = line.split('\t');
    if (status !== 'installed' || name === undefined) continue;
    names.add(name);
    for (const provided of provides.split(',')) names.add(provided.trim().split(' ')[0]);
  }
  return names;
}

/** @returns {string[]} */
const allNames = () => Object.values(debianPackages).flatMap((group) => Object.keys(group));

/**
 * How this user becomes root for apt-get: the words before it.
 * @param {string} remedy
 * @returns {Promise<string[]>}
 */
async function rootPrefix(remedy) {
  if (process.getuid?.() === 0) return [];
  if ((await run('sudo', ['-n', 'true'], { quiet: true })).code === 0) return ['sudo', '-n'];
  // sudo asks for the password on the terminal itself.
  const hasSudo = (await run('sudo', ['-V'], { quiet: true })).code === 0;
  if (hasSudo && process.stderr.isTTY) return ['sudo'];
  throw new SetupError('Debian packages are missing and this user cannot install them', remedy);
}

/**
 * Install what is missing of the packages for the given purposes; says what and why.
 * @param {readonly Purpose[]} purposes
 * @throws {SetupError} with the command for an administrator
 */
export async function provideDebianPackages(purposes) {
  if (process.env.SIGNET_DEBIAN_PACKAGES === 'skip') return narrate('debian', 'packages not checked, as asked');
  const installed = await installedPackages();
  const wanted = purposes.flatMap((purpose) => Object.entries(debianPackages[purpose]));
  const missing = wanted.filter(([name]) => !installed.has(name));
  if (missing.length === 0) return narrate('debian', `all ${wanted.length} packages are there`);
  for (const [name, reason] of missing) narrate('debian', `missing ${name}: ${reason}`);
  const names = missing.map(([name]) => name);
  const remedy = `as root: apt-get update && apt-get install -y --no-install-recommends ${names.join(' ')}`;
  const [program = '', ...prefix] = [...(await rootPrefix(remedy)), 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  const install = [...prefix, 'install', '-y', '-qq', '--no-install-recommends', ...names];
  narrate('debian', `installing ${names.join(' ')}`);
  // Package lists may be absent (containers) or stale: fetch them only when the first try fails.
  if ((await run(program, install, { quiet: true })).code === 0) return;
  narrate('debian', 'fetching the package lists');
  await run(program, [...prefix, 'update', '-qq']);
  if ((await run(program, install)).code !== 0)
    throw new SetupError('apt-get could not install what is missing', remedy);
}
