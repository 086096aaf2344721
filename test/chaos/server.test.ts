/** F17 – F20, F22, F25: a server that fails, lies, or means harm. */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { createAuthority, createKey, keyPem, openAuthority } from '../support/certificates.ts';
import { type Lab, openLab, type Run, readText, sleep } from './support/lab.ts';
import { mutated } from './support/mutation.ts';
import { endure, type Ordeal } from './support/ordeal.ts';
import { full, record, seeded } from './support/record.ts';
import { type Handler, picture, StageServer } from './support/stage-server.ts';

/** How often a fault strikes before it ends. */
const strikes = full ? 50 : 4;

/** Push until the server was asked so many times. */
async function pushUntil(lab: Lab, run: Run, path: string, times: number): Promise<void> {
  const withinMs = run.kind === 'naive' ? 2_000 : 30_000;
  const from = lab.server.asked.length;
  const giveUpAtMs = performance.now() + withinMs;
  const count = () => lab.server.asked.slice(from).filter((asked) => asked.path.startsWith(path)).length;
  while (count() < times && performance.now() < giveUpAtMs && !run.crashed) {
    lab.server.push();
    await sleep(25);
  }
}

const playlistPath = '/api/v2/screens/playlist';

/** Until a failed sync is reported; somebody who reports nothing gets a second. */
async function reported(run: Run, from: number): Promise<void> {
  const report = run.until('a failed sync', ({ event }) => event === 'sync-failed', from).catch(() => undefined);
  await (run.kind === 'naive' ? Promise.race([report, sleep(1_000)]) : report);
}

/** The playlist, or the media, are answered like this. */
function answering(
  what: 'playlist' | 'media',
  handler: Handler,
  more: Partial<Ordeal> & { times?: number } = {},
): Ordeal {
  return {
    begin: (lab) => {
      lab.server.faults[what] = handler;
    },
    during: async (lab, run, from) => {
      await pushUntil(lab, run, what === 'media' ? '/media/' : playlistPath, more.times ?? strikes);
      await reported(run, from);
    },
    end: (lab) => {
      delete lab.server.faults[what];
    },
    ...more,
  };
}

/** Two files of up to six hops each, asked for once more before the playlist is. */
const mostHopsInARound = 40;

const noise = picture('noise', 65_536);
const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20));

/** Send for as long as the other side takes it. */
function endlessly(response: Parameters<Handler>[1]): void {
  const more = () => {
    while (!response.destroyed && response.write(noise));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}

const statuses = full
  ? [400, 402, 404, 405, 406, 408, 409, 412, 415, 418, 425, 429, 431, 451, 500, 501, 502, 503, 504, 507, 511, 599]
  : [404, 429, 500, 503];
const retryAfter = ['1', '31536000', 'Wed, 21 Oct 2015 07:28:00 GMT', 'soon', '-5', '1e9'];

describe('a server that fails', () => {
  let lab: Lab;
  let foreign: Server;
  const foreignAsked: { url: string; headers: object; certified: boolean }[] = [];
  let foreignPort = 0;

  before(async () => {
    lab = await openLab();
    // Another host that the player trusts as the system would, and that asks for a certificate.
    lab.layer.environment['SIGNET_LAYER_ANCHORS'] = join(lab.authority, 'ca.pem');
    const day = 86_400_000;
    foreign = createServer({
      ...identityOf(lab, -day, day, 'localhost'),
      requestCert: true,
      rejectUnauthorized: false,
    });
    foreign.on('request', (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      foreignAsked.push({ url: request.url ?? '', headers: request.headers, certified: subject !== undefined });
      response.end('<html>');
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    foreignPort = (foreign.address() as AddressInfo).port;
  });
  after(async () => {
    foreign.close();
    foreign.closeAllConnections();
    await lab.close();
  });

  const row = (number: string, fault: string, ordeal: Ordeal | (() => Ordeal), n: number, code: RegExp): void =>
    void it(`${number} ${fault}`, async () => {
      const make = () => (typeof ordeal === 'function' ? ordeal() : ordeal);
      const endured = await endure(lab, 'headless', make());
      assert.deepEqual(endured.wrong, []);
      assert.match(endured.codes.join(' '), code, 'the fault is reported');
      const naive = await endure(lab, 'naive', make());
      assert.notDeepEqual(naive.wrong, [], 'the row would not notice a player that believes everything');
      record({
        row: number,
        fault,
        n,
        screen: 'the old program, then the next right one',
        reported: endured.codes,
        recoveryMs: [endured.recoveryMs],
        caught: `${naive.wrong[0]}`.split('\n')[0] ?? '',
      });
    });

  /** A row of the full form alone. */
  const rowInFull: typeof row = (...args) => (full ? row(...args) : undefined);
  const itInFull = (name: string, test: () => Promise<void>) => (full ? void it(name, test) : undefined);

  let turn = 0;
  row(
    'F17',
    'error statuses on the playlist, with every kind of Retry-After',
    answering(
      'playlist',
      (_request, response) => {
        const status = statuses[turn % statuses.length] as number;
        response.writeHead(status, { 'retry-after': retryAfter[turn++ % retryAfter.length] }).end('<html>no</html>');
      },
      { times: Math.max(strikes, statuses.length) },
    ),
    Math.max(strikes, statuses.length),
    /SERVER_ERROR/,
  );
  row(
    'F17',
    'error statuses on media',
    answering(
      'media',
      (_request, response) => void response.writeHead(statuses[turn++ % statuses.length] as number).end('no'),
    ),
    strikes,
    /SERVER_ERROR|MEDIA_MISSING/,
  );
  row(
    'F18',
    'media cut off in the middle',
    answering('media', (_request, response) => {
      response.writeHead(200, { 'content-length': 40_000 });
      response.write(noise.subarray(0, 9_000), () => response.destroy());
    }),
    strikes,
    /CONNECTION_FAILED|MEDIA_LENGTH/,
  );
  row(
    'F18',
    'media without an end',
    answering('media', (_request, response) => endlessly(response.writeHead(200))),
    strikes,
    /MEDIA_LENGTH/,
  );
  row(
    'F18',
    'a playlist without an end',
    answering(
      'playlist',
      (_request, response) => endlessly(response.writeHead(200, { 'content-type': 'application/json' })),
      {
        times: full ? 20 : 2,
      },
    ),
    full ? 20 : 2,
    /SERVER_REPLY_TOO_LARGE/,
  );
  row(
    'F18',
    'media of another length',
    answering('media', (_request, response) => void response.writeHead(200, { 'content-length': 7 }).end('0123456')),
    strikes,
    /MEDIA_LENGTH/,
  );
  row(
    'F18',
    'media of the right length and other bytes',
    answering('media', (request, response) => {
      const size = (request.url ?? '').length % 2 === 0 ? 40_000 : 300;
      response.writeHead(200).end(picture('forged', size));
    }),
    strikes,
    /MEDIA_DIGEST|MEDIA_LENGTH/,
  );
  row(
    'F18',
    'media that are not pictures',
    {
      ...answering('media', (request, response) => lab.server.answerRightly(request, response), { times: 1 }),
      pictures: () => [Buffer.from(`<html>${Math.random()}</html>`.padEnd(2_000))],
    },
    1,
    /MEDIA_KIND/,
  );
  row(
    'F18',
    'a gzip bomb as the playlist',
    answering('playlist', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    }),
    strikes,
    /SERVER_REPLY_INVALID|SERVER_REPLY_TOO_LARGE/,
  );
  rowInFull(
    'F18',
    'a gzip bomb as media',
    answering('media', (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb);
    }),
    strikes,
    /SERVER_REPLY_INVALID/,
  );
  rowInFull(
    'F18',
    'headers a byte at a time',
    {
      ...answering('playlist', (request) => {
        const { socket } = request;
        socket.write('HTTP/1.1 200 OK\r\n');
        const timer = setInterval(() => socket.write('x'), 200);
        socket.once('close', () => clearInterval(timer));
      }),
      // The player gives up after 15 s without a whole head.
      during: async (_lab, run, from) => {
        await Promise.race([
          run.until('given up', (line) => line.event === 'sync-failed', from).catch(() => undefined),
          sleep(run.kind === 'naive' ? 3_000 : 60_000),
        ]);
      },
    },
    1,
    /CONNECTION_TIMEOUT|CONNECTION_FAILED/,
  );
  rowInFull(
    'F22',
    'redirects in a circle',
    () => {
      const from = lab.server.asked.length;
      return {
        ...answering(
          'media',
          (request, response) => void response.writeHead(302, { location: request.url ?? '' }).end(),
        ),
        verdict: () => {
          let [round, longest] = [0, 0];
          for (const { path } of lab.server.asked.slice(from)) {
            round = path.startsWith('/media/') ? round + 1 : 0;
            longest = Math.max(longest, round);
          }
          return longest > mostHopsInARound ? `${longest} requests in one round` : null;
        },
      };
    },
    strikes,
    /SERVER_REPLY_INVALID/,
  );
  rowInFull(
    'F22',
    'redirects to another host, with secrets in the headers',
    () => {
      foreignAsked.length = 0;
      return {
        ...answering(
          'media',
          (_request, response) =>
            void response.writeHead(302, { location: `https://localhost:${foreignPort}/away` }).end(),
        ),
        media: { headers: { 'x-secret': 'between the two of us' } },
        verdict: () => {
          if (foreignAsked.some(({ headers }) => JSON.stringify(headers).includes('between')))
            return 'a header followed the redirect';
          if (foreignAsked.some(({ certified }) => certified)) return 'the certificate followed the redirect';
          return foreignAsked.length === 0 ? 'nobody came to the other host' : null;
        },
      };
    },
    strikes,
    /MEDIA_LENGTH|MEDIA_DIGEST/,
  );
  rowInFull(
    'F22',
    'redirects to plain http that no setting allows, and into the own machine',
    answering('media', (_request, response) => {
      const targets = [
        'http://127.0.0.1:1/',
        'file:///etc/passwd',
        'http://169.254.169.254/',
        'https://user:pass@localhost/',
        '//',
      ];
      response.writeHead(307, { location: targets[turn++ % targets.length] as string }).end();
    }),
    strikes,
    /HOST_REFUSED|SERVER_REPLY_INVALID/,
  );

  it('F18 304 to a player that has nothing', async () => {
    lab.resetState();
    lab.server.program([picture('304', 300)]);
    lab.server.faults.playlist = (_request, response) => void response.writeHead(304).end();
    const run = lab.start();
    try {
      const line = await run.until('the sync fails', ({ event }) => event === 'sync-failed');
      assert.equal(line['code'], 'SERVER_REPLY_INVALID');
      delete lab.server.faults.playlist;
      const healedAtMs = performance.now();
      lab.server.push();
      const shown = await run.shows(lab.server.version);
      record({
        row: 'F18',
        fault: '304 without a previous body',
        n: 1,
        screen: 'standby, then the program',
        reported: run.codes(),
        recoveryMs: [shown.atMs - healedAtMs],
        caught: 'asserted by its code',
      });
    } finally {
      await run.kill();
    }
  });

  it('F19 mutated playlist documents', async () => {
    const wanted = full ? 5_000 : 300;
    const random = seeded(19);
    let served = 0;
    let good = '';
    const ordeal = (times: number): Ordeal => ({
      begin: () => {
        served = 0;
        good = lab.server.document;
        lab.server.faults.playlist = (_request, response) => {
          served++;
          response.writeHead(200, { 'content-type': 'application/json' }).end(mutated(good, random));
        };
      },
      during: async (_lab, run) => {
        const giveUpAtMs = performance.now() + 150_000 * (full ? 10 : 1);
        while (served < times && performance.now() < giveUpAtMs && !run.crashed) {
          lab.server.push();
          await sleep(4);
        }
      },
      end: () => {
        delete lab.server.faults.playlist;
      },
      // A mutation may leave a valid document: the same program, or one whose items come in another order.
      mayArrive: true,
    });
    const endured = await endure(lab, 'headless', ordeal(wanted));
    assert.deepEqual(endured.wrong, []);
    assert.ok(served >= wanted, `${served} documents were served`);
    assert.match(endured.codes.join(' '), /PLAYLIST_INVALID/);
    const naive = await endure(lab, 'naive', ordeal(60));
    assert.notDeepEqual(naive.wrong, []);
    record({
      row: 'F19',
      fault: 'mutated playlist documents',
      n: wanted,
      screen: 'the last good program',
      reported: endured.codes,
      recoveryMs: [endured.recoveryMs],
      caught: `${naive.wrong[0]}`.split('\n')[0] ?? '',
    });
  });

  itInFull(
    'F20 other servers in its place: expired, not yet valid, another name, another authority, the client refused',
    async () => {
      const right = lab.server;
      const authority = right.issuer;
      const day = 86_400_000;
      const identity = (from: number, to: number, name: string) => identityOf(lab, from, to, name);
      const stranger = () => {
        const other = createAuthority('Somebody else', new Date());
        const { privateKey, publicKey } = createKey();
        const { pem } = other.issue({
          commonName: 'localhost',
          publicKey,
          notBefore: new Date(Date.now() - day),
          notAfter: new Date(Date.now() + day),
          purposes: ['serverAuth'],
          names: ['localhost'],
        });
        return { key: keyPem(privateKey), cert: pem };
      };
      const impostors: readonly (readonly [string, () => { key: string; cert: string }, RegExp])[] = [
        ['expired', () => identity(-2 * day, -day, 'localhost'), /SERVER_EXPIRED/],
        ['not yet valid', () => identity(day, 2 * day, 'localhost'), /SERVER_EXPIRED|SERVER_UNTRUSTED/],
        ['of another name', () => identity(-day, day, 'example.org'), /SERVER_WRONG_HOST/],
        ['of another authority', stranger, /SERVER_UNTRUSTED/],
      ];
      assert.ok(authority.caPem.includes('CERTIFICATE'));
      for (const [what, tls, code] of impostors) {
        const impostor = await StageServer.start(lab.authority, tls());
        impostor.mediaOrigin = `https://localhost:${lab.proxy.port}`;
        const ordeal: Ordeal = {
          begin: async () => {
            // A sync is under way when the wire is cut, so that the next one follows soon and meets the impostor.
            lab.server.faults.playlist = () => undefined;
            lab.server.push();
            await sleep(300);
            lab.proxy.target = () => impostor.port;
            lab.proxy.cut();
            delete lab.server.faults.playlist;
            impostor.program([picture('an impostor', 300)], { version: 1_000 });
          },
          during: (_lab, run, from) =>
            run.until('it is refused', (line) => code.test(String(line['code'])), from, 70_000).catch(() => undefined),
          end: () => {
            lab.proxy.target = () => right.port;
            lab.proxy.cut();
          },
        };
        const endured = await endure(lab, 'headless', ordeal);
        assert.deepEqual(endured.wrong, [], what);
        assert.match(endured.codes.join(' '), code, what);
        const naive = await endure(lab, 'naive', { ...ordeal, during: () => sleep(1_500) });
        assert.notDeepEqual(naive.wrong, [], what);
        await impostor.close();
        record({
          row: 'F20',
          fault: `a server certificate ${what}`,
          n: 1,
          screen: 'the old program, then the next right one',
          reported: endured.codes,
          recoveryMs: [endured.recoveryMs],
          caught: `${naive.wrong[0]}`.split('\n')[0] ?? '',
        });
      }
    },
  );

  itInFull('F20 the screen is revoked in the middle, and taken back', async () => {
    const ordeal: Ordeal = {
      ...answering('playlist', (_request, response) => void response.writeHead(403).end()),
      during: async (_lab, run) => {
        await pushUntil(lab, run, playlistPath, 2);
        await sleep(500);
      },
    };
    const endured = await endure(lab, 'headless', ordeal);
    assert.deepEqual(endured.wrong, [], 'within the grace period the old program plays');
    record({
      row: 'F20',
      fault: 'the screen is revoked in the middle, and taken back',
      n: 2,
      screen: 'the old program, within the grace period',
      reported: endured.notices,
      recoveryMs: [endured.recoveryMs],
      caught: 'asserted by what is shown',
    });
  });

  itInFull('F25 a document of an earlier version', async () => {
    let old = '';
    const ordeal: Ordeal = {
      begin: () => {
        old = lab.server.document.replace(/"version":\d+/, '"version":0');
        lab.server.faults.playlist = (_request, response) =>
          void response.writeHead(200, { 'content-type': 'application/json' }).end(old);
      },
      during: async (_lab, run) => {
        await pushUntil(lab, run, playlistPath, strikes);
        await sleep(300);
      },
      end: () => {
        delete lab.server.faults.playlist;
      },
    };
    const endured = await endure(lab, 'headless', ordeal);
    assert.deepEqual(endured.wrong, []);
    assert.match(endured.codes.join(' '), /PLAYLIST_STALE/);
    record({
      row: 'F25',
      fault: 'a document of an earlier version',
      n: strikes,
      screen: 'the newer program goes on',
      reported: endured.codes,
      recoveryMs: [endured.recoveryMs],
      caught: 'asserted by its code',
    });
  });

  itInFull('F26 one change after the other', async () => {
    const changes = full ? 1_000 : 40;
    lab.resetState();
    lab.server.program([picture('f26', 300)]);
    const run = lab.start();
    const latencies: number[] = [];
    try {
      await run.shows(lab.server.version);
      while (lab.server.listening === 0) await sleep(20);
      for (let change = 0; change < changes; change++) {
        const from = run.said.length;
        const changedAtMs = performance.now();
        lab.server.program([picture(`f26 ${change}`, 2_000)]);
        latencies.push((await run.shows(lab.server.version, from)).atMs - changedAtMs);
      }
      assert.deepEqual([run.corrupt.length, run.blanks()], [0, 0]);
    } finally {
      await run.kill();
    }
    record({
      row: 'F26',
      fault: 'changes one after the other',
      n: changes,
      screen: 'each new program',
      reported: run.codes(),
      recoveryMs: latencies,
      caught: 'asserted by the version shown',
    });
  });
});

/** An identity of a server, by the authority that the player trusts, valid from and to so many milliseconds from now. */
function identityOf(lab: Lab, from: number, to: number, name: string): { key: string; cert: string } {
  const { privateKey, publicKey } = createKey();
  const { pem } = createAuthorityOf(lab).issue({
    commonName: name,
    publicKey,
    notBefore: new Date(Date.now() + from),
    notAfter: new Date(Date.now() + to),
    purposes: ['serverAuth'],
    names: [name],
  });
  return { key: keyPem(privateKey), cert: pem };
}

function createAuthorityOf(lab: Lab) {
  const certificate = readText(join(lab.authority, 'ca.pem'));
  return openAuthority(
    'Signet reference server CA',
    certificate,
    createPrivateKey(readText(join(lab.authority, 'ca.key'))),
  );
}
