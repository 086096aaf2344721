import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { startSwtpm } from '../support/swtpm.ts';
import { startTabrmd, type Tabrmd } from '../support/tabrmd.ts';
import { transientHandles } from '../support/tpm-fixture.ts';
import { startTpmRelay, type TpmRelay } from '../support/tpm-relay.ts';

/** Does as it is told: one method of the TPM or of its key for each message. The bus belongs to this process. */
const client = `
const { openTpm } = require('node-tss');
let tpm, key;
const steps = {
  open: async (tcti) => { tpm = await openTpm({ tcti }); },
  load: async () => { key = await tpm.loadKey(await tpm.createKey()); },
  sign: async () => (await key.sign(Buffer.alloc(32))).length,
  inUse: async () => (await tpm.info()).transientObjects,
  close: async () => { await tpm.close(); },
  exit: async () => process.exit(0),
};
process.on('message', async ([step, argument]) => {
  try { process.send({ value: await steps[step](argument) }); }
  catch (error) { process.send({ code: error.code, message: error.message }); }
});
`;

interface Answer {
  readonly value?: number;
  readonly code?: string;
  readonly message?: string;
}

interface Rig {
  readonly tabrmd: Tabrmd;
  readonly relay: TpmRelay;
  readonly child: ChildProcess;
  tell(step: string, argument?: string): Promise<Answer>;
}

/** A client of a resource manager, before a software TPM that must be empty when all is over. */
async function managedTpm(context: TestContext): Promise<Rig> {
  const emulator = await startSwtpm();
  const relay = await startTpmRelay(emulator);
  const tabrmd = await startTabrmd(relay.tcti);
  const child = spawn(process.execPath, ['-e', client], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, ...tabrmd.env },
  });
  context.after(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await tabrmd.stop();
    await relay.stop();
    assert.deepEqual(transientHandles(emulator), []);
    await emulator.stop();
  });
  const tell = async (step: string, argument?: string): Promise<Answer> => {
    child.send([step, argument]);
    const [answer] = (await once(child, 'message')) as [Answer];
    return answer;
  };
  assert.deepEqual(await tell('open', tabrmd.tcti), {});
  return { tabrmd, relay, child, tell };
}

test('keeps a key loaded behind a resource manager, which cleans up after a client that was killed', async (t) => {
  const { tell, child } = await managedTpm(t);
  assert.deepEqual(await tell('load'), {});
  for (let i = 0; i < 3; i++) assert.ok(((await tell('sign')).value ?? 0) > 0);
  assert.deepEqual(await tell('inUse'), { value: 1 });
  child.kill('SIGKILL');
  await once(child, 'exit');
});

test('gives its object back to the resource manager when it is closed', async (t) => {
  const { tell } = await managedTpm(t);
  await tell('load');
  await tell('sign');
  assert.deepEqual(await tell('close'), {});
});

test('finds its way back when the resource manager was restarted', async (t) => {
  const { tell, tabrmd } = await managedTpm(t);
  await tell('load');
  assert.ok(((await tell('sign')).value ?? 0) > 0);
  await tabrmd.restart();
  const answer = await tell('sign');
  assert.ok((answer.value ?? 0) > 0, JSON.stringify(answer));
  assert.deepEqual(await tell('inUse'), { value: 1 });
});
