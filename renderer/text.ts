/** Every word that the player shows. One language so far; another one is another value of the same shape. */
import type { RestReason } from './cover.ts';

export const locale = 'en-GB';

export const text = {
  product: 'Signet Player',
  version: (version: string) => `v${version}`,
  starting: { title: 'Starting', detail: 'This screen is getting ready.' },
  registering: {
    title: 'Add this screen',
    asking: 'Asking the server for a PIN',
    askingDetail: 'The PIN appears here as soon as the server has answered.',
    pin: 'PIN',
    fingerprint: 'Key fingerprint',
    steps: ['Scan the code, or open your signage console.', 'Enter the PIN.', 'Compare the fingerprint, then confirm.'],
    scan: 'Scan to add this screen',
    validFor: (minutes: string) => `PIN valid for another ${minutes}`,
    expired: 'The PIN has expired. A new one follows.',
  },
  standby: {
    'nothing-scheduled': 'Nothing is scheduled right now.',
    'nothing-synced': 'Waiting for the first content.',
    suspended: 'This screen has been paused.',
    'nothing-showable': 'The content cannot be shown right now. Trying again.',
  } satisfies Record<RestReason, string>,
  trouble: { title: 'This screen needs attention', remedy: 'What to do', code: 'Code for support' },
  softwareKey: 'The device key is a file, not held by a TPM. Do not use this screen in production.',
} as const;
