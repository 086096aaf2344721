import type { Program } from '../../electron/ipc/contract.ts';
import type { Facts } from '../../electron/ipc/presenter.ts';

/** A program of one picture. */
export const oneItem: Program = {
  programId: 'p1',
  items: [
    {
      itemId: 'i1',
      kind: 'image',
      source: `player://media/${'a'.repeat(64)}`,
      title: 'Welcome',
      durationSeconds: 10,
      fit: 'contain',
      transition: 'cut',
    },
  ],
};

/** What is known at the very start. */
export const unknownFacts: Facts = {
  hostname: 'screen',
  playerVersion: '1.0.0',
  keyProtection: 'tpm',
  fingerprint: null,
  claimUrl: 'https://signage.example/claim',
  registration: null,
  program: null,
  identityProblem: null,
  problems: [],
  blanked: false,
  look: { language: 'en', theme: 'dark', rotation: null },
  rotationAsked: 0,
  sound: { volume: 1, muted: false },
};

/** What is known of a registered screen that plays. */
export const playingFacts: Facts = {
  ...unknownFacts,
  fingerprint: '0123456789abcdef'.repeat(4),
  registration: { state: 'registered', screenId: 's1', screenName: 'Lobby', suspendedSinceMs: null, hardware: null },
  program: oneItem,
};
