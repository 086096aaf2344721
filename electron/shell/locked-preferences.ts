import type { WebPreferences } from 'electron';

/** What no content of ours or of others ever gets: for the player's page and for each web page alike. */
export const lockedPreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webviewTag: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  devTools: false,
  disableDialogs: true,
  safeDialogs: true,
  spellcheck: false,
  navigateOnDragDrop: false,
  plugins: false,
  backgroundThrottling: false,
  autoplayPolicy: 'no-user-gesture-required',
} as const satisfies WebPreferences;
