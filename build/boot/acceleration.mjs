import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { narrate } from '../bootstrap/narration.mjs';

/** A kernel that runs at all says something well before this. */
const probeMs = 15_000;

/**
 * How QEMU can run a machine here. A /dev/kvm that is there may still be of no use (nested virtualisation), so a kernel
 * is started with it and its first words are waited for.
 * @param {string} kernel
 * @returns {Promise<'kvm' | 'tcg'>}
 */
export async function probeAcceleration(kernel) {
  const allowed = await access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!allowed) {
    narrate('boot', 'no /dev/kvm: the machine is emulated by software');
    return 'tcg';
  }
  const speaks = await firstWords(kernel);
  narrate('boot', speaks ? 'the machine runs on /dev/kvm' : '/dev/kvm runs no kernel here: emulated by software');
  return speaks ? 'kvm' : 'tcg';
}

/** @param {string} kernel @returns {Promise<boolean>} */
function firstWords(kernel) {
  const words = [
    ...['-M', 'q35', '-accel', 'kvm', '-cpu', 'host', '-m', '256', '-nodefaults', '-no-reboot', '-display', 'none'],
    ...['-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1'],
  ];
  return new Promise((resolve) => {
    const child = spawn('qemu-system-x86_64', words, { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    const end = (/** @type {boolean} */ answer) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), probeMs);
    child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ piece) => {
      text += piece;
      if (text.includes('Linux version')) end(true);
    });
    child.once('close', () => end(text.includes('Linux version')));
    child.once('error', () => end(false));
  });
}
