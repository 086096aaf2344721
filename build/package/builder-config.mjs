import { inCheckout } from '../bootstrap/checkout.mjs';
import { depends, recommends, suggests } from './depends.mjs';
import { fusesOf } from './fuses.mjs';

/**
 * @typedef {object} Build what is packaged
 * @property {'release' | 'test'} kind
 * @property {string} name of the package: `signet-player`, with `-test` where the runtime is not the official one
 * @property {string} electronVersion
 * @property {string} folder where everything of this build is made, absolute
 */

/** Conffiles (Debian policy, 10.7): an administrator's changes outlive upgrades. */
const conffiles = ['/etc/signet-player/settings.json'];

/**
 * Everything that electron-builder is told. It packs the folder first and makes .deb and AppImage of copies of it.
 * @param {Build} build
 * @returns {import('app-builder-lib').Configuration}
 */
export function builderConfig({ kind, name, electronVersion, folder }) {
  const script = (/** @type {string} */ file) => inCheckout('build/package/maintainer', file);
  const other = name === 'signet-player' ? 'signet-player-test' : 'signet-player';
  return {
    appId: 'org.signet.player',
    // The folder below /opt and the name of the process; no space in it: Electron does not start from such a path.
    productName: 'signet-player',
    copyright: 'Copyright 2026 the Signet Player authors',
    directories: { app: `${folder}/app`, output: `${folder}/out`, buildResources: inCheckout('build/package/files') },
    electronVersion,
    electronDist: `${folder}/electron`,
    electronLanguages: ['en-US'],
    electronFuses: fusesOf(kind),
    asar: true,
    asarUnpack: ['**/*.node'],
    // The staged folder is the whole application: no modules are to be collected or compiled.
    files: ['**/*'],
    beforeBuild: async () => false,
    publish: null,
    // The AppImage's runtime links FUSE 3 statically; the older one needs libfuse2 of the system.
    toolsets: { appimage: '1.0.3' },
    linux: {
      executableName: 'signet-player',
      icon: inCheckout('build/package/files/icon.svg'),
      category: 'AudioVideo',
      syncDesktopName: true,
      synopsis: 'digital signage player whose identity is a key in the TPM',
      description:
        'Shows playlists of pictures and videos on a display that nobody sits in front of.\n' +
        'The key of the device is made in its TPM 2.0 and cannot leave it; every call to the\n' +
        'management server is mutual TLS with that key. What was once downloaded plays\n' +
        'without a network.',
      maintainer: 'Signet Player maintainers <maintainers@signet-player.invalid>',
      desktop: {
        entry: { Name: 'Signet Player', Comment: 'Digital signage player', Keywords: 'signage;kiosk;display;' },
      },
    },
    deb: {
      packageName: name,
      packageCategory: 'video',
      priority: 'optional',
      artifactName: `${name}_\${version}_\${arch}.\${ext}`,
      compression: 'xz',
      depends: [...depends],
      recommends: [...recommends],
      appArmorProfile: inCheckout('build/package/files/apparmor-profile'),
      afterInstall: script('postinst'),
      afterRemove: script('postrm'),
      fpm: [
        ...suggests.flatMap((word) => ['--deb-suggests', word]),
        ...['--before-remove', script('prerm')],
        ...['--conflicts', other, '--replaces', other],
        ...(other === 'signet-player' ? ['--provides', other] : []),
        ...conffiles.flatMap((file) => ['--config-files', file]),
        `${folder}/root/=/`,
      ],
    },
    appImage: { artifactName: `${name}-\${version}-\${arch}.\${ext}` },
  };
}
