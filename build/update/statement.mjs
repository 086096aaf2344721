/**
 * The text that is signed of a new version; the player's own is in electron/updates/statement.ts.
 * @param {{packageName: string, version: string, arch: string, sizeBytes: number, sha512: string}} release
 */
export const statement = ({ packageName, version, arch, sizeBytes, sha512 }) =>
  `signet-player update 1\n${packageName}\n${version}\n${arch}\n${sizeBytes}\n${sha512}\n`;

/** electron-builder's names of the file's kinds of machine, as Node names them. @type {Readonly<Record<string, string>>} */
const archs = { x86_64: 'x64', arm64: 'arm64', aarch64: 'arm64' };

/**
 * What the name of an AppImage says, as `npm run dist` gives it.
 * @param {string} name without folders
 * @returns {{packageName: string, version: string, arch: string} | null}
 */
export function readName(name) {
  const parts = /^(signet-player(?:-test)?)-(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)-(x86_64|arm64|aarch64)\.AppImage$/.exec(
    name,
  );
  const [, packageName = '', version = '', machine = ''] = parts ?? [];
  return parts === null ? null : { packageName, version, arch: archs[machine] ?? machine };
}

/** The feed's own name (electron-updater), by the machine. @param {string} arch */
export const feedName = (arch) => `latest-linux${arch === 'x64' ? '' : `-${arch}`}.yml`;

/**
 * The feed, in electron-updater's form.
 * @param {{version: string, file: string, sizeBytes: number, sha512: string, time: Date}} of
 */
export function feedText({ version, file, sizeBytes, sha512, time }) {
  const lines = [
    `version: ${version}`,
    'files:',
    `  - url: ${file}`,
    `    sha512: ${sha512}`,
    `    size: ${sizeBytes}`,
    `path: ${file}`,
    `sha512: ${sha512}`,
    `releaseDate: '${time.toISOString()}'`,
  ];
  return `${lines.join('\n')}\n`;
}
