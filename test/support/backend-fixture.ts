/** A reference server of its own for one test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Backend, type BackendOptions, startBackend } from '../backend/backend.ts';
import { type ClientIdentity, poll, register } from './player-client.ts';

/** An empty folder that goes away with the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'signet-backend-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Start a server; it ends with the test. */
export async function backendFor(t: TestContext, options: Partial<BackendOptions> = {}): Promise<Backend> {
  const backend = await startBackend({ stateDirectory: options.stateDirectory ?? temporaryFolder(t), ...options });
  t.after(() => backend.close());
  return backend;
}

export interface RegisteredScreen {
  readonly id: string;
  readonly hostname: string;
  readonly identity: ClientIdentity;
}

/** A screen that has been claimed and has fetched its certificate. */
export async function registeredScreen(backend: Backend, hostname?: string): Promise<RegisteredScreen> {
  const registration = await register(backend, hostname);
  const screen = backend.claim(registration.pin, 'Lobby', 'Europe/London');
  const { json } = await poll(backend, registration);
  const identity = { privateKey: registration.privateKey, certificatePem: json.certificate as string };
  return { id: screen.id, hostname: registration.hostname, identity };
}
