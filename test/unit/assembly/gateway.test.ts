import assert from 'node:assert/strict';
import { Server } from 'node:net';
import { mock, test } from 'node:test';
import { createGateway } from '../../../electron/assembly/gateway.ts';
import { parseSettings } from '../../../electron/settings.ts';
import { silentLog } from '../../support/silent-log.ts';

const text = JSON.stringify({
  server: { origin: 'https://signage.example' },
  identity: { deviceCaFile: '/ca.pem', hostname: 'screen' },
});

test('a gate that could not be opened once is opened at the next call', async () => {
  const gateway = createGateway(parseSettings('settings.json', text, {}), silentLog);
  const full = Object.assign(new Error('listen EMFILE'), { code: 'EMFILE' });
  const listen = mock.method(Server.prototype, 'listen', function (this: Server) {
    setImmediate(() => this.emit('error', full));
    return this;
  });
  await assert.rejects(gateway.open(), { code: 'EMFILE' });
  listen.mock.restore();
  const gate = await gateway.open();
  assert.equal(await gateway.open(), gate);
  gate.close();
});
