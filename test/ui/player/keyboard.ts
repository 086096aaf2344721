import type { Player } from './rig.ts';

/** Presses a key as a keyboard does: it reaches main before the page. */
export const press = (player: Player, keyCode: string, modifiers: ('control' | 'alt' | 'shift')[] = []) =>
  player.app.evaluate(
    ({ BrowserWindow }, [key, held]) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      const event = { keyCode: key, modifiers: held };
      contents?.sendInputEvent({ type: 'keyDown', ...event });
      if (held.length === 0 && /^\d$/.test(key)) contents?.sendInputEvent({ type: 'char', ...event });
      contents?.sendInputEvent({ type: 'keyUp', ...event });
    },
    [keyCode, modifiers] as const,
  );

export const chord = (player: Player) => press(player, 'O', ['control', 'alt', 'shift']);

export async function enter(player: Player, digits: string): Promise<void> {
  for (const digit of digits) await press(player, digit);
  await press(player, 'Enter');
}
