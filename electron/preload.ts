/**
 * Builds `window.player`: one function per action, nothing generic, nothing of Electron.
 * Bundled to one CommonJS file, because a sandboxed preload cannot be a module.
 */
import type { IpcRendererEvent } from 'electron';
import { contextBridge, ipcRenderer } from 'electron';
import type { Invokes, PlayerBridge, Pushes } from './ipc/contract.ts';

function invoke<Channel extends keyof Invokes>(
  channel: Channel,
  request: Invokes[Channel]['request'],
): Promise<Invokes[Channel]['reply']> {
  return ipcRenderer.invoke(channel, request);
}

function listen<Channel extends keyof Pushes>(channel: Channel, listener: (payload: Pushes[Channel]) => void) {
  // Only the payload is handed over: the event carries the sender, and with it a way to `invoke`.
  const forward = (_event: IpcRendererEvent, payload: Pushes[Channel]) => listener(payload);
  ipcRenderer.on(channel, forward);
  return () => {
    ipcRenderer.removeListener(channel, forward);
  };
}

const player: PlayerBridge = Object.freeze({
  snapshot: () => invoke('player:snapshot', undefined),
  onSnapshot: (listener) => listen('snapshot:changed', listener),
  resume: () => invoke('playback:resume', undefined),
  report: (report) => invoke('playback:report', report),
  beat: (heartbeat) => invoke('heartbeat:beat', heartbeat),
  enterPin: (entry) => invoke('operator:enter', entry),
  onOperator: (listener) => listen('operator:changed', listener),
  prepareView: (play) => invoke('view:prepare', play),
  revealView: (play) => invoke('view:reveal', play),
  releaseView: (play) => invoke('view:release', play),
  veilViews: (veil) => invoke('view:veil', veil),
  onView: (listener) => listen('view:changed', listener),
} satisfies PlayerBridge);

contextBridge.exposeInMainWorld('player', player);
