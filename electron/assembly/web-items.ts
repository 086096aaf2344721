import type { Playlist } from '../playlist/playlist.ts';
import type { WebPage } from '../shell/page-session.ts';

/** What the items of a playlist that are web pages show, by item id. */
export function webPagesOf(playlist: Playlist): ReadonlyMap<string, WebPage> {
  const pages = new Map<string, WebPage>();
  for (const { items } of playlist.playlists)
    for (const { id, asset } of items) {
      if (asset.kind !== 'web') continue;
      const { kind: _kind, title: _title, durationSeconds: _seconds, id: assetId, refreshSeconds, ...page } = asset;
      pages.set(id, { ...page, assetId, refreshMs: refreshSeconds === null ? null : refreshSeconds * 1_000 });
    }
  return pages;
}
