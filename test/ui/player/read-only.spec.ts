/** The player on a machine whose file system is read-only but for one folder. */
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, type Rig, test } from './rig.ts';

/** In namespaces of its own every file system is read-only; then all rights that this took are given up. */
const script = `
mount --bind "$1" "$1"
while read -r _ _ _ _ at _; do
  case $at in /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | "$1") ;; *) mount -o remount,bind,ro "$at" ;; esac
done </proc/self/mountinfo
for folder in "$2" "$HOME" /tmp /var/tmp /run; do ! touch "$folder/written" 2>/dev/null || exit 3; done
shift 2
exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all "$@"
`;

const onlyTheState = (rig: Rig) => [
  ...['unshare', '--user', '--map-current-user', '--keep-caps', '--mount', 'sh', '-ec', script, 'sh'],
  ...[rig.stateDirectory, rig.folder],
];

test('a read-only root and one folder that can be written: it registers, plays, takes a change, and plays again', async ({
  rig,
}) => {
  await mkdir(rig.stateDirectory, { mode: 0o700 });
  const within = onlyTheState(rig);
  const first = await rig.start({ within });
  rig.backend.claim(await first.shownPin(), 'Lobby');
  await first.logged('item-shown');
  const red = rig.backend.addMedia('red.png', await readFile(path.resolve('test/fixtures/clips/red.png')));
  const asset = {
    ...{ id: 'red', type: 'image', title: 'red', asset_url: `${rig.backend.origin}/media/${red.sha256}` },
    ...{ md5: red.md5, sha256: red.sha256, size: red.sizeBytes, status: 'finished' },
  };
  const items = [{ id: 'red', position: 0, duration: 1, asset }];
  const shared = { predicate: 'TRUE', priority: false, is_enabled: true, transitions: 'cut' } as const;
  rig.backend.setPlaylist({ playlists: [{ id: 'p', title: 'p', ...shared, items }] });
  await first.logged('item-shown', { itemId: 'red' });
  await first.kill();
  await rig.backend.close();
  const second = await rig.start({ within });
  await second.logged('item-shown', { itemId: 'red' });
  const faults = [...first.log, ...second.log].filter(
    ({ event, code }) => /store|journal/.test(event) && code !== undefined,
  );
  expect(faults).toEqual([]);
  await second.stop();
});
