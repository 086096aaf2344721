/** F22: a server that sends the player elsewhere. */
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { answering } from './support/answering.ts';
import * as bugs from './support/bugs.ts';
import { identityOf } from './support/impostor.ts';
import { type Lab, openLab } from './support/lab.ts';
import { full } from './support/record.ts';
import { stand } from './support/row.ts';

/** How often the player is sent elsewhere before that ends. */
const strikes = full ? 1_000 : 10;

/** Two files of up to six hops each, asked for once more before the playlist is. */
const mostHopsInARound = 40;

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

describe('a server that sends the player elsewhere', () => {
  let lab: Lab;
  let close = () => {};
  const foreignAsked: { headers: object; certified: boolean }[] = [];
  let plainAsked = 0;
  let ports = { foreign: 0, plain: 0 };

  before(async () => {
    lab = await openLab();
    // Another host that the player trusts as the system would, and that asks for a certificate.
    lab.layer.environment['SIGNET_LAYER_ANCHORS'] = join(lab.authority, 'ca.pem');
    const day = 86_400_000;
    const identity = identityOf(lab, -day, day, 'localhost');
    const foreign = createServer({ ...identity, requestCert: true, rejectUnauthorized: false });
    foreign.on('request', (request, response) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate();
      foreignAsked.push({ headers: request.headers, certified: subject !== undefined });
      response.end('<html>');
    });
    const plain = createPlainServer((_request, response) => {
      plainAsked++;
      response.end('<html>');
    });
    ports = { foreign: await listening(foreign), plain: await listening(plain) };
    close = () => {
      for (const server of [foreign, plain]) {
        server.close();
        server.closeAllConnections();
      }
    };
  });
  after(async () => {
    close();
    await lab.close();
  });

  it('F22 redirects in a circle', () =>
    stand(
      lab,
      {
        row: 'F22',
        fault: 'redirects in a circle',
        code: /SERVER_REPLY_INVALID/,
        strikes,
        catches: [{ bug: bugs.followsForEver, by: /requests in one round/ }],
      },
      () => {
        const from = lab.server.asked.length;
        return answering(
          'media',
          (request, response) => void response.writeHead(302, { location: request.url ?? '' }).end(),
          {
            times: strikes,
            verdict: () => {
              let [round, longest] = [0, 0];
              for (const { path } of lab.server.asked.slice(from)) {
                round = path.startsWith('/media/') ? round + 1 : 0;
                longest = Math.max(longest, round);
              }
              return longest > mostHopsInARound ? `${longest} requests in one round` : null;
            },
          },
        );
      },
    ));

  it('F22 redirects to another host, with secrets in the headers', () =>
    stand(
      lab,
      {
        row: 'F22',
        fault: 'redirects to another host, with secrets in the headers',
        code: /MEDIA_LENGTH|MEDIA_DIGEST/,
        strikes,
        catches: [
          { bug: bugs.headersFollow, by: /a header followed/ },
          { bug: bugs.certificateFollows, by: /the certificate followed/ },
        ],
      },
      () => {
        foreignAsked.length = 0;
        const location = `https://localhost:${ports.foreign}/away`;
        return answering('media', (_request, response) => void response.writeHead(302, { location }).end(), {
          times: strikes,
          media: { headers: { 'x-secret': 'between the two of us' } },
          verdict: () => {
            if (foreignAsked.some(({ headers }) => JSON.stringify(headers).includes('between')))
              return 'a header followed the redirect';
            if (foreignAsked.some(({ certified }) => certified)) return 'the certificate followed the redirect';
            return foreignAsked.length === 0 ? 'nobody came to the other host' : null;
          },
        });
      },
    ));

  it('F22 redirects to plain http that no setting allows, and into the own machine', () =>
    stand(
      lab,
      {
        row: 'F22',
        fault: 'redirects to plain http that no setting allows, and into the own machine',
        code: /HOST_REFUSED|SERVER_REPLY_INVALID/,
        strikes,
        catches: [{ bug: bugs.followsAnywhere, by: /in the clear/ }],
      },
      () => {
        plainAsked = 0;
        let turn = 0;
        const targets = [
          `http://localhost:${ports.plain}/`,
          'http://127.0.0.1:1/',
          'file:///etc/passwd',
          'http://169.254.169.254/',
          'https://user:pass@localhost/',
          '//',
        ];
        return answering(
          'media',
          (_request, response) =>
            void response.writeHead(307, { location: targets[turn++ % targets.length] as string }).end(),
          { times: strikes, verdict: () => (plainAsked > 0 ? `${plainAsked} requests in the clear` : null) },
        );
      },
    ));
});
