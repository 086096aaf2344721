/**
 * Where no window manager runs, main makes the window one row longer than the display (Chromium would shrink one of
 * exactly its size). What stands in that row nobody sees, so the page keeps to the display's own size.
 */
export function keepToDisplay(window: Window): void {
  const measure = () => {
    const hidden = Math.max(0, window.innerHeight - window.screen.height);
    window.document.documentElement.style.setProperty('--hidden-rows', `${hidden}px`);
  };
  window.addEventListener('resize', measure);
  measure();
}
