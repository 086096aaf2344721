import type { BaseWindow, WebContentsView } from 'electron';

/** The window and the size of what is seen of it; `null` between two windows. */
export type Seen = () => { readonly window: BaseWindow; readonly width: number; readonly height: number } | null;

/** Where the views of web pages lie in the window. */
export interface ViewBounds {
  /** In sight, or in a corner where Chromium still paints it: the row that no display shows, else a single pixel. */
  place(view: WebContentsView, inSight: boolean): void;
  remove(view: WebContentsView): void;
}

/** @param resized called when everything has to be placed anew */
export function createViewBounds(seen: Seen, resized: () => void): ViewBounds {
  const laidOut = new WeakSet<BaseWindow>();
  return {
    place(view, inSight) {
      const place = seen();
      if (place === null) return;
      const { window, width, height } = place;
      if (!window.contentView.children.includes(view) || inSight) window.contentView.addChildView(view);
      const spareRow = window.getContentBounds().height > height;
      const corner = spareRow ? { x: 0, y: height } : { x: width - 1, y: height - 1 };
      view.setBounds({ ...(inSight ? { x: 0, y: 0 } : corner), width, height });
      if (laidOut.has(window)) return;
      laidOut.add(window);
      window.on('resize', resized);
    },
    remove(view) {
      const window = seen()?.window;
      if (window?.contentView.children.includes(view) === true) window.contentView.removeChildView(view);
    },
  };
}
