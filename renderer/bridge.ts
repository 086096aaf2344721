import type { PlayerBridge } from '../electron/ipc/contract.ts';

declare global {
  interface Window {
    /** Put there by the preload; the page's only way to main. */
    readonly player: PlayerBridge;
  }
}

export const bridge: PlayerBridge = window.player;
