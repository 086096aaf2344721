import type { Snapshot } from '../electron/ipc/contract.ts';

/** What the screens know of every snapshot. */
export type Device = Pick<Snapshot, 'screenName' | 'hostname' | 'playerVersion' | 'keyProtection' | 'notice'>;

type Shown<State extends Snapshot['state']> = Extract<Snapshot, { state: State }>;

/** Why the screen rests: main's reasons, and the page's own, that no item of the program can be shown. */
export type RestReason = Shown<'standby'>['reason'] | 'nothing-showable';

/** The screen that is to be seen while the stage does not fill the display. */
export type Cover =
  | Shown<'starting'>
  | Shown<'registering'>
  | Shown<'trouble'>
  | (Device & { readonly state: 'standby'; readonly reason: RestReason });

/**
 * The screen after a new snapshot or a change of the stage. While a program is being prepared the screen before it
 * stays: going to a blank or to another screen for some hundred milliseconds would be a flicker.
 */
export function nextCover(before: Cover | null, snapshot: Snapshot, exhausted: boolean): Cover {
  if (snapshot.state !== 'playing') return snapshot;
  const { program: _program, state: _state, ...device } = snapshot;
  if (exhausted) return { ...device, state: 'standby', reason: 'nothing-showable' };
  return before ?? { ...device, state: 'starting' };
}
