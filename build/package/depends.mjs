/**
 * Packages that hold the libraries which the executables are linked with, as Debian 12 names them and, where the
 * change of time_t gave them a new name, as Debian 13 does. The tests start the player in systems that have nothing else.
 */
const libraries = [
  'libasound2 | libasound2t64',
  'libatk-bridge2.0-0 | libatk-bridge2.0-0t64',
  'libatk1.0-0 | libatk1.0-0t64',
  'libatspi2.0-0 | libatspi2.0-0t64',
  'libc6 (>= 2.36)',
  'libcairo2',
  'libcups2 | libcups2t64',
  'libdbus-1-3',
  'libdrm2',
  'libexpat1',
  'libgbm1',
  'libgcc-s1',
  'libglib2.0-0 | libglib2.0-0t64',
  'libgtk-3-0 | libgtk-3-0t64',
  'libnspr4',
  'libnss3',
  'libpango-1.0-0',
  'libstdc++6 (>= 12)',
  'libtss2-esys-3.0.2-0 | libtss2-esys-3.0.2-0t64',
  'libtss2-mu0 | libtss2-mu-4.0.1-0 | libtss2-mu-4.0.1-0t64',
  'libtss2-rc0 | libtss2-rc0t64',
  'libtss2-tctildr0 | libtss2-tctildr0t64',
  'libudev1',
  'libx11-6',
  'libxcb1',
  'libxcomposite1',
  'libxdamage1',
  'libxext6',
  'libxfixes3',
  'libxkbcommon0',
  'libxrandr2',
];

/** What is opened by name at run time, or run by the scripts of the package. */
const byName = [
  // The connection to /dev/tpmrm0, opened by libtss2-tctildr.
  'libtss2-tcti-device0 | libtss2-tcti-device0t64',
  // Opened by Chromium, which ends at once without it.
  'libx11-xcb1',
  // Makes the user signet.
  'systemd | systemd-standalone-sysusers | systemd-sysusers',
];

export const depends = [...libraries, ...byName];

export const recommends = [
  // What signet-player setup-kiosk needs on Debian 13; on Debian 12 it asks for an X server instead.
  'cage (>= 0.2) | openbox',
  'seatd',
  // Gives the group tss access to /dev/tpmrm0 and to nothing else of the TPM.
  'tpm-udev',
  // The authorities that a server without server.caFile must chain to.
  'ca-certificates',
  // Drawing and decoding on the graphics card.
  'libegl1',
  'libgl1',
  'libgl1-mesa-dri',
  'libva2',
  // The texts of the screens are drawn with the font inside the package, titles in other scripts with these.
  'fonts-dejavu-core',
];

export const suggests = ['swtpm', 'fonts-noto-core', 'tpm2-tools'];
