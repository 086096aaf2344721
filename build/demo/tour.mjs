import { narrate } from '../bootstrap/narration.mjs';

/** @typedef {import('./player.mjs').LogLine} LogLine */

/**
 * Follows the player's log: says what happens, claims the screen, has each state photographed.
 * @param {import('./options.mjs').DemoOptions} options
 * @param {any} backend
 * @param {ReturnType<typeof import('./screenshots.mjs').createPhotographer> | undefined} photographer
 */
export function createTour(options, backend, photographer) {
  const shown = new Set();
  /** @type {NodeJS.Timeout | undefined} */
  let claiming;
  /** @type {string | undefined} */
  let trouble;

  const claim = async () => {
    await photographer?.photograph('1-registration');
    for (const { pin } of await backend.pending()) {
      await backend.claim(pin, 'Lobby screen');
      narrate('demo', `claimed the screen with PIN ${pin}, as an operator would in the console`);
    }
  };

  const pending = async () => {
    for (const { pin, fingerprint } of await backend.pending())
      narrate('screen', `PIN ${pin}, key fingerprint ${fingerprint}`);
    if (options.claim === 'manual') {
      void photographer?.photograph('1-registration');
      return narrate('demo', `claim the screen yourself: ${backend.origin}/ with the operator token above`);
    }
    narrate('demo', `claiming the screen in ${options.claimAfterMs / 1000} s (--claim=manual leaves it to you)`);
    clearTimeout(claiming);
    claiming = setTimeout(
      () => claim().catch((error) => narrate('demo', `claim failed: ${error.message}`)),
      options.claimAfterMs,
    );
  };

  const itemShown = (/** @type {string} */ itemId) => {
    if (shown.has(itemId)) return;
    shown.add(itemId);
    narrate('player', `shows ${itemId}`);
    if (shown.size === 1) narrate('demo', 'playing; Ctrl-C ends everything');
    if (shown.size <= 2) void photographer?.photograph(shown.size === 1 ? '2-first-item' : '3-second-item');
  };

  return {
    /** @param {LogLine} line */
    follow(line) {
      if (line['level'] === 'error' || line['level'] === 'warn')
        trouble = [line.event, line['code'], line['message']].filter(Boolean).join(' ');
      if (line.event === 'registration-pending') void pending();
      else if (line.event === 'item-shown') itemShown(String(line['itemId']));
      else if (line['level'] !== 'debug') narrate('player', describe(line));
    },
    /** @returns {string | undefined} the last warning or error of the player */
    lastTrouble: () => trouble,
    stop: () => clearTimeout(claiming),
  };
}

/** @param {LogLine} line */
function describe({ time, level, event, ...fields }) {
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [level === 'info' ? '' : `${level}:`, event, ...rest].filter(Boolean).join(' ');
}
