import type { ErrorCode, PlayerError } from '../errors.ts';
import type { RefusalReason } from '../registration/machine.ts';
import type { Trouble } from './contract.ts';

/**
 * What the operator reads, in English; the other languages are files of `renderer/languages/`. No address, path, token
 * or native text is ever put in.
 */
const words: Readonly<Record<ErrorCode, readonly [summary: string, remedy: string]>> = {
  SETTINGS_INVALID: ['The settings cannot be used.', 'Correct the settings file; the log names the key.'],
  STATE_UNWRITABLE: ['The player cannot write its state.', 'Check the disk and the owner of the state folder.'],
  STATE_LOCKED: ['Another player uses this state folder.', 'Stop the other player.'],
  STATE_CORRUPT: ['Stored state is damaged.', 'It is fetched again by itself.'],
  SWITCH_REFUSED: ['A dangerous command-line switch was refused.', 'Start without it; the log names it.'],
  TPM_ABSENT: ['No TPM 2.0 was found.', 'Enable the TPM in the firmware setup, or check identity.tcti.'],
  TPM_ACCESS_DENIED: ['The player may not use the TPM.', 'Add the player’s user to the group tss.'],
  TPM_BUSY: ['The TPM has no free object slot.', 'Another program holds them; the player keeps trying.'],
  TPM_LOCKED_OUT: ['The TPM is in lockout.', 'It recovers by itself; the player keeps trying.'],
  TPM_AUTH_REFUSED: ['The TPM asks for a password.', 'Give the owner password with identity.ownerAuthFile.'],
  TPM_FAILED: ['The TPM does not answer as it should.', 'The player keeps trying; if it lasts, restart the device.'],
  KEY_LOST: ['This key was made by another TPM, or the TPM was cleared.', 'Claim the screen again.'],
  KEY_INVALID: ['The device key file cannot be used.', 'The log says why; restore it, or remove it and claim again.'],
  KEY_PARENT_MISSING: [
    'The TPM lacks the storage key above the device key.',
    'Provision it again at the handle that the log names; or remove the key file, and claim again.',
  ],
  KEY_AUTH_REFUSED: [
    'The device key asks for a password, and keys with one are not supported.',
    'Remove the key file, start the player again and claim the screen.',
  ],
  ATTESTATION_UNAVAILABLE: [
    'The TPM cannot prove that it is genuine.',
    'The log says why; the screen can be claimed where the server does not require the proof.',
  ],
  ATTESTATION_REQUIRED: [
    'The server takes screens with a verified TPM only.',
    'Use a device whose TPM can prove itself, or change the server’s policy.',
  ],
  ATTESTATION_REFUSED: [
    'The server does not accept this device’s hardware identity.',
    'Add the TPM maker’s authority or this chip at the server; the log names the check.',
  ],
  REQUEST_INVALID: ['The certificate request could not be made.', 'Please report this fault.'],
  CERTIFICATE_INVALID: ['The device certificate is damaged.', 'Claim the screen again.'],
  CERTIFICATE_KEY_MISMATCH: ['The certificate was made for another key.', 'Check the server’s certificate authority.'],
  CERTIFICATE_UNTRUSTED: ['The certificate comes from an unknown authority.', 'Check identity.deviceCaFile.'],
  CERTIFICATE_USAGE: ['The certificate is not for client authentication.', 'Check the authority’s profile.'],
  CERTIFICATE_UNUSABLE: [
    'The certificate’s chain is too weak for TLS.',
    'Have the authority sign with SHA-256, and with RSA 2048 or P-256; see the log.',
  ],
  CERTIFICATE_DATES: ['The certificate is not valid at this time.', 'Check the clock of this device.'],
  CONNECTION_FAILED: ['The server cannot be reached.', 'Check the network; the player keeps trying.'],
  CONNECTION_TIMEOUT: ['The server does not answer in time.', 'Check the network; the player keeps trying.'],
  CONNECTION_REFUSED: ['The server takes no connections.', 'Start it or check server.origin; the player keeps trying.'],
  PROXY_UNREACHABLE: ['The proxy cannot be reached.', 'Check proxy.url and the network; the player keeps trying.'],
  PROXY_REFUSED: [
    'The proxy refuses to connect this screen.',
    'Check its rules and proxy.credentialsFile; see the log.',
  ],
  PROXY_PROTOCOL: ['What answers at the proxy’s address is no proxy.', 'Check host and port in proxy.url.'],
  TLS_PROTOCOL: ['No secure connection comes about.', 'Check the server’s TLS: version 1.3, or server.allowTls12.'],
  TRUST_INVALID: ['The trusted authorities cannot be read.', 'Check server.caFile, or the package ca-certificates.'],
  NAME_UNRESOLVED: ['The server’s name is not known to the network.', 'Check DNS and server.origin.'],
  SERVER_UNTRUSTED: ['The server’s certificate is not trusted.', 'Check server.caFile.'],
  SERVER_EXPIRED: [
    'The server’s certificate is not valid at this time.',
    'Renew it, or check the clock of this device.',
  ],
  SERVER_WRONG_HOST: ['The server’s certificate is for another name.', 'Check server.origin and the certificate.'],
  SERVER_REFUSED_CERTIFICATE: ['The server refused this screen’s certificate.', 'Check the screen in the console.'],
  SERVER_REPLY_INVALID: ['The server’s answer was not understood.', 'Check that the versions fit together.'],
  SERVER_REPLY_TOO_LARGE: ['The server’s answer was too large.', 'Make the playlist smaller.'],
  SERVER_ERROR: ['The server has a fault.', 'The player keeps trying.'],
  HOST_REFUSED: ['An address outside the allowed ones was refused.', 'Check the media addresses of the playlist.'],
  REGISTRATION_REFUSED: ['The server refused the registration.', 'Check server.origin and the server’s version.'],
  REGISTRATION_DENIED: ['The registration was denied in the console.', 'A new PIN is shown in a few minutes.'],
  SCREEN_SUSPENDED: ['The server refuses this screen for now.', 'Take it back in the console.'],
  PLAYLIST_INVALID: ['The new playlist cannot be used.', 'The old one keeps playing; the log names the fault.'],
  PLAYLIST_STALE: [
    'The server sent an older playlist.',
    'The newer one keeps playing; check the server and its caches.',
  ],
  MEDIA_LENGTH: ['A media file has the wrong length.', 'Upload it again; the old playlist keeps playing.'],
  MEDIA_DIGEST: ['A media file differs from its digest.', 'Upload it again; the old playlist keeps playing.'],
  MEDIA_KIND: ['A media file is not what it claims to be.', 'Upload another; the old playlist keeps playing.'],
  MEDIA_MISSING: ['A media file cannot be had.', 'Check it on the server; the old playlist keeps playing.'],
  STORE_FULL: ['The disk is full.', 'Free space, or give the store a smaller budget; what is stored plays on.'],
  STORE_INODES_FULL: ['The disk can hold no more files.', 'Remove files from it; what is stored plays on.'],
  STORE_READ_ONLY: ['The disk is read-only.', 'Check it and mount it for writing; what is stored plays on.'],
  STORE_FAILED: ['The disk has a fault.', 'Check or replace it; what can be read plays on.'],
  PREDICATE_INVALID: ['A schedule rule cannot be read.', 'Correct the rule of the playlist that the log names.'],
  IPC_REFUSED: ['An internal message was refused.', 'Please report this fault.'],
  INTERNAL: ['The player has a fault.', 'It restarts by itself; please report it.'],
};

const refusals: Readonly<Record<RefusalReason, ErrorCode>> = {
  denied: 'REGISTRATION_DENIED',
  'key-mismatch': 'CERTIFICATE_KEY_MISMATCH',
  untrusted: 'CERTIFICATE_UNTRUSTED',
  usage: 'CERTIFICATE_USAGE',
  dates: 'CERTIFICATE_DATES',
  unusable: 'CERTIFICATE_UNUSABLE',
  invalid: 'CERTIFICATE_INVALID',
};

/** An error in words for the operator. */
export function troubleOf(error: PlayerError): Trouble {
  return trouble(error.code);
}

/** Why a registration was refused, in words for the operator. */
export function refusalTrouble(reason: RefusalReason): Trouble {
  return trouble(refusals[reason]);
}

function trouble(code: ErrorCode): Trouble {
  const [summary, remedy] = words[code];
  return { code, summary, remedy };
}
