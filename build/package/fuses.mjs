/**
 * Every fuse of Electron, written out; the test of the packages reads them from the packaged file.
 * @typedef {Required<Omit<import('app-builder-lib').FuseOptionsV1, 'resetAdHocDarwinSignature'>>} Fuses
 */

/**
 * @param {'release' | 'test'} kind the test build lets Playwright in through the inspector, and differs in nothing else
 * @returns {Fuses}
 */
export const fusesOf = (kind) => ({
  runAsNode: false,
  enableCookieEncryption: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: kind === 'test',
  // Checked on macOS and Windows only; SECURITY.md says what stands in for it here.
  enableEmbeddedAsarIntegrityValidation: false,
  onlyLoadAppFromAsar: true,
  loadBrowserProcessSpecificV8Snapshot: false,
  grantFileProtocolExtraPrivileges: false,
});

/** The fuses in the order of the wire inside the executable. @type {readonly (keyof Fuses)[]} */
export const fuseOrder = [
  'runAsNode',
  'enableCookieEncryption',
  'enableNodeOptionsEnvironmentVariable',
  'enableNodeCliInspectArguments',
  'enableEmbeddedAsarIntegrityValidation',
  'onlyLoadAppFromAsar',
  'loadBrowserProcessSpecificV8Snapshot',
  'grantFileProtocolExtraPrivileges',
];

const sentinel = Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX');

/**
 * The fuse wire of an Electron executable (docs/tutorial/fuses.md of Electron): after a sentinel one byte of version,
 * one of length, then one character a fuse: `0` off, `1` on, `r` removed.
 * @param {Buffer} executable
 * @returns {{offset: number, states: string}} offset of the first fuse, bytes
 */
export function readFuseWire(executable) {
  const at = executable.indexOf(sentinel);
  if (at < 0 || executable.indexOf(sentinel, at + 1) >= 0) throw new Error('not exactly one fuse wire');
  const head = at + sentinel.length;
  if (executable[head] !== 1) throw new Error(`fuse wire of version ${executable[head]}`);
  const length = executable[head + 1] ?? 0;
  return { offset: head + 2, states: executable.subarray(head + 2, head + 2 + length).toString('latin1') };
}
