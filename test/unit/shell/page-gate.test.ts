import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { isPublicAddress } from '../../../electron/sanitize/public-address.ts';
import { type Gate, type GatePorts, openGate } from '../../../electron/shell/page-gate.ts';
import { type Site, startSite } from '../../support/page-site.ts';
import { recordedLog } from '../../support/recorded-log.ts';

let site: Site;
let gate: Gate;
const { log, lines } = recordedLog();
/** What names mean; a name's answers are used up one by one, the last one stays. */
const names = new Map<string, string[][]>();
let rule: GatePorts['rule'] = () => 'public';
let upstream: Awaited<ReturnType<GatePorts['upstream']>> = null;

before(async () => {
  site = await startSite();
  site.page('/', 'here');
  gate = await openGate({
    rule: (...place) => rule(...place),
    isPublic: isPublicAddress,
    resolve: async (host) => {
      const answers = names.get(host) ?? [];
      const now = answers.length > 1 ? answers.shift() : answers[0];
      if (now === undefined) throw new Error('ENOTFOUND');
      return now.map((address) => ({ address, family: 4 }));
    },
    upstream: async () => upstream,
    log,
  });
});

after(async () => {
  gate.close();
  await site.close();
});

const gatePort = () => Number(new URL(gate.proxy.proxyRules).port);

function credentials(): string {
  const login = gate.login('127.0.0.1', gatePort());
  if (login === null) throw new Error('the gate knows itself');
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
}

/** First line of the answer to a CONNECT. */
async function connectTo(authority: string, authorization = credentials()): Promise<string> {
  const socket = connect(gatePort(), '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\nProxy-Authorization: ${authorization}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split('\r\n', 1)[0] ?? '';
}

/** Status of a plain request through the gate, or `none`. */
function plain(url: string, authorization = credentials()): Promise<number | 'none'> {
  return new Promise((resolve) => {
    const headers = { 'proxy-authorization': authorization };
    const asked = request({ host: '127.0.0.1', port: gatePort(), path: url, headers, agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    asked.on('error', () => resolve('none'));
    asked.end();
  });
}

/** Whether an answer breaks off, as opposed to staying open or looking whole. */
function broken(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'proxy-authorization': credentials() };
    const asked = request({ host: '127.0.0.1', port: gatePort(), path: url, headers, agent: false }, (reply) => {
      reply.resume();
      reply.on('close', () => resolve(!reply.complete));
      reply.on('error', () => {});
    });
    asked.end();
  });
}

describe('the gate of web pages', () => {
  it('serves nobody without its password, which changes with each gate', async () => {
    assert.match(await connectTo('example.com:443', 'Basic cGFnZXM6eA=='), / 407 /);
    assert.equal(await plain(`${site.origin}/`, 'Basic x'), 407);
    assert.equal(gate.login('127.0.0.1', gatePort() + 1), null);
    assert.equal(gate.login('proxy.lan', gatePort()), null);
    assert.equal(site.connections(), 0);
  });

  it('refuses private addresses, written out in any way or by a name', async () => {
    names.set('inside.example', [['192.168.0.1']]);
    names.set('both.example', [['93.184.215.14', '127.0.0.1']]);
    for (const host of [
      '127.0.0.1',
      '[::1]',
      '10.1.2.3',
      '169.254.169.254',
      '[fe80::1]',
      '[::ffff:127.0.0.1]',
      '0.0.0.0',
      'inside.example',
      'both.example',
    ])
      assert.match(await connectTo(`${host}:${site.port}`), / 403 /, host);
    assert.equal(await plain(`${site.origin}/`), 'none');
    assert.equal(site.connections(), 0);
    assert.ok(lines.length >= 9);
  });

  it('connects to the address that it judged, whatever the name means a moment later', async () => {
    rule = () => 'anywhere';
    names.set('rebind.example', [['127.0.0.1'], ['127.0.0.2']]);
    const before = site.connections();
    assert.match(await connectTo(`rebind.example:${site.port}`), / 200 /);
    assert.equal(site.connections(), before + 1);
    assert.equal(names.get('rebind.example')?.length, 1, 'asked once');
    rule = () => 'public';
    names.set('rebind.example', [['93.184.215.14'], ['127.0.0.1']]);
    names.get('rebind.example')?.shift();
    assert.match(await connectTo(`rebind.example:${site.port}`), / 403 /);
  });

  it('lets an allowed place through, plain and as a tunnel', async () => {
    rule = (host) => (host === '127.0.0.1' ? 'anywhere' : 'public');
    assert.match(await connectTo(`127.0.0.1:${site.port}`), / 200 /);
    assert.equal(await plain(`${site.origin}/`), 200);
    assert.equal(site.requests.at(-1)?.headers['proxy-authorization'], undefined);
    rule = () => 'refused';
    assert.match(await connectTo(`127.0.0.1:${site.port}`), / 403 /);
    assert.equal(await plain(`${site.origin}/`), 'none');
    rule = () => 'public';
  });

  it('outlives answers that Node reads and cannot write, and tells them from whole ones', async () => {
    rule = () => 'anywhere';
    const answers = new Map([
      ['/status', 'HTTP/1.1 099 x\r\nContent-Length: 0\r\n\r\n'],
      ['/trailer', 'HTTP/1.1 200 x\r\nTrailer: x\r\nContent-Length: 2\r\n\r\nab'],
      ['/proxy', 'HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'],
      ['/broken', 'HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\nab'],
    ]);
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (head) => socket.end(answers.get(String(head).split(' ')[1] ?? '') ?? ''));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    assert.equal(await plain(`${origin}/status`), 'none');
    assert.equal(await plain(`${origin}/proxy`), 'none', 'it would be asked for the gate’s password for ever');
    assert.equal(await plain(`${origin}/trailer`), 200);
    assert.equal(await broken(`${origin}/broken`), true);
    server.close();
    rule = () => 'public';
  });

  it('knows a name with the dot of the root behind it as the same name', async () => {
    rule = (host) => (host === 'signage.example' ? 'refused' : 'anywhere');
    names.set('signage.example', [['127.0.0.1']]);
    const before = site.connections();
    for (const host of ['signage.example', 'signage.example.', 'SIGNAGE.example..'])
      assert.match(await connectTo(`${host}:${site.port}`), / 403 /, host);
    assert.equal(await plain(`http://signage.example.:${site.port}/`), 'none');
    assert.equal(site.connections(), before);
    rule = () => 'public';
  });

  it('refuses what is no host and port', async () => {
    rule = () => 'anywhere';
    for (const authority of [
      'example.com',
      'example.com:0',
      'example.com:70000',
      '.:443',
      'a@b:443',
      '/:443',
      '[::1:443',
    ])
      assert.match(await connectTo(authority), / 40[03] /, authority);
    rule = () => 'public';
  });

  it('takes the way through the settings’ proxy, which resolves names; addresses written out are still judged', async () => {
    const asked: string[] = [];
    const proxy = createServer();
    proxy.on('connect', (incoming, socket) => {
      asked.push(`${incoming.url} ${incoming.headers['proxy-authorization']}`);
      socket.end('HTTP/1.1 200 ok\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    upstream = { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port, authorization: 'Basic eA==' };
    assert.match(await connectTo('far.example:443'), / 200 /);
    assert.match(await connectTo('192.168.1.1:443'), / 403 /);
    assert.deepEqual(asked, ['far.example:443 Basic eA==']);
    upstream = null;
    proxy.closeAllConnections();
    proxy.close();
  });
});
