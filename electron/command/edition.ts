import { type Check, ok, warning } from './report.ts';

/** What a package says about itself in its manifest (`signet`), written when it was made. */
export interface Edition {
  /** Hash, with `-dirty` where the checkout held changes; words where there is none. */
  readonly commit: string;
  /** One line naming the Electron inside and where it came from. */
  readonly runtime: string;
  /** Whether that Electron is the official one; absent in a checkout. */
  readonly forUsers?: boolean;
  /** `test`: the build whose debugging switches are let in. */
  readonly kind?: 'release' | 'test';
}

/** Nobody may take it for what users get. */
export function isTestPackage({ forUsers, kind }: Edition): boolean {
  return forUsers === false || kind === 'test';
}

/** The name of the package, as Debian knows it. */
export function packageName(edition: Edition): string {
  return isTestPackage(edition) ? 'signet-player-test' : 'signet-player';
}

export interface Versions {
  readonly player: string;
  readonly electron: string;
  readonly chrome: string;
  readonly openssl: string;
}

/** What `--version` says to people. */
export function versionText(edition: Edition, { player, electron, chrome, openssl }: Versions): string {
  const parts = `Electron ${electron} (${edition.runtime}), Chromium ${chrome}, OpenSSL ${openssl}`;
  const remark = isTestPackage(edition) ? '\nA test package: never for users.' : '';
  return `${packageName(edition)} ${player} of ${edition.commit}\n${parts}${remark}\n`;
}

/** What the doctor says of the program itself. */
export function checkEdition(edition: Edition, electron: string): Check {
  const program = `${packageName(edition)}, Electron ${electron}`;
  if (isTestPackage(edition))
    return warning('program', `${program}: a test package (${edition.runtime})`, 'install a release package');
  if (edition.forUsers === undefined) return ok('program', `${program}, in a checkout (${edition.runtime})`);
  return ok('program', program);
}
