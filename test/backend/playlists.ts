/** The sample playlists: what a freshly claimed screen plays. */
import type { MediaLibrary } from './media-library.ts';

export interface PlaylistDocument {
  readonly id: string;
  readonly title: string;
  readonly predicate: string;
  readonly priority: boolean;
  readonly is_enabled: boolean;
  readonly transitions: boolean | 'cut' | 'fade' | 'slide';
  readonly items: readonly unknown[];
}

/** What screens are given to play: playlists, or the exact bytes of a body (for hostile documents). */
export type PlaylistContent = { readonly playlists: readonly PlaylistDocument[] } | { readonly rawBody: string };

/** Monday to Friday, 8:00 to 18:00 on the screen's clock. */
const officeHours = '$WEEKDAY IN {1, 2, 3, 4, 5} AND $TIME BETWEEN {28800000, 64800000}';

/**
 * The sample content: "Signet lobby" always, "Office hours" on weekdays from 8:00 to 18:00.
 * @param origin the server's origin, which serves the media
 */
export function samplePlaylists(origin: string, library: MediaLibrary): PlaylistContent {
  const item = (file: string, title: string, seconds: number | null, position: number) => {
    const media = library.byName(file);
    return {
      id: `item-${file.replace(/\W/g, '-')}`,
      position,
      ...(seconds === null ? {} : { duration: seconds }),
      asset: {
        id: `asset-${file.replace(/\W/g, '-')}`,
        type: media.contentType.startsWith('video/') ? 'video' : 'image',
        title,
        asset_url: `${origin}/media/${media.sha256}`,
        md5: media.md5,
        sha256: media.sha256,
        size: media.sizeBytes,
        width: 1920,
        height: 1080,
        headers: {},
        status: 'finished',
      },
    };
  };
  return {
    playlists: [
      {
        id: 'playlist-lobby',
        title: 'Signet lobby',
        predicate: 'TRUE',
        priority: false,
        is_enabled: true,
        transitions: true,
        items: [
          item('welcome.jpg', 'Welcome', 6, 100_000),
          item('tide.mp4', 'Tide', null, 200_000),
          item('wayfinding.jpg', 'Wayfinding', 8, 300_000),
          item('orbit.webm', 'Orbit', null, 400_000),
          item('strata.jpg', 'Strata', 8, 500_000),
        ],
      },
      {
        id: 'playlist-office-hours',
        title: 'Office hours',
        predicate: officeHours,
        priority: false,
        is_enabled: true,
        transitions: true,
        items: [item('meridian.jpg', 'Meridian', 8, 100_000)],
      },
    ],
  };
}
