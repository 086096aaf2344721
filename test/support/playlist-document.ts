import type { Playlist } from '../../electron/playlist/playlist.ts';

/** A checked playlist document without items, of the given version. */
export function emptyPlaylist(version: number, deadlineMs = 300_000): Playlist {
  return {
    nowMs: 0,
    deadlineMs,
    version,
    screen: {
      id: 's1',
      name: 'Lobby',
      hostname: 'screen',
      timezone: 'Europe/London',
      displayRotate: 0,
      shufflePlaylist: false,
      audioOutput: null,
      playHistoryEnabled: false,
    },
    playlists: [],
  };
}
