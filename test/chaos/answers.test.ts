/** F17, F18: a server that fails, or sends something else than it should. */
import type { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { answering, pushUntil, strikes } from './support/answering.ts';
import * as bugs from './support/bugs.ts';
import { type Lab, openLab, type Said } from './support/lab.ts';
import { mostGrowthBytes, type Ordeal } from './support/ordeal.ts';
import { full } from './support/record.ts';
import { type Catch, codeReported, stand } from './support/row.ts';
import { SmallDisk } from './support/small-disk.ts';
import { picture } from './support/stage-server.ts';

const noise = picture('noise', 65_536);

/** A member of a gzip file stands for itself, and inflating goes on with the next: 256 MiB in 260 kB. */
const bombMember = gzipSync(Buffer.alloc(64 * 2 ** 20));
const bombMembers = 4;
const bomb = Buffer.concat(Array.from({ length: bombMembers }, () => bombMember));
if (bombMembers * 64 * 2 ** 20 < 2 * mostGrowthBytes) throw new Error('a bomb within the bounds is none');

/** A line of 60 kB that is a header. */
const header = Buffer.from(`x-noise: ${'x'.repeat(60_000)}\r\n`);

/** Send for as long as the other side takes it. */
function endlessly(stream: Writable, bytes = noise): void {
  const more = () => {
    while (!stream.destroyed && stream.write(bytes));
    if (!stream.destroyed) stream.once('drain', more);
  };
  more();
}

const statuses = full
  ? [400, 402, 404, 405, 406, 408, 409, 412, 415, 418, 425, 429, 431, 451, 500, 501, 502, 503, 504, 507, 511, 599]
  : [404, 429, 500, 503];
const retryAfter = ['1', '31536000', 'Wed, 21 Oct 2015 07:28:00 GMT', 'soon', '-5', '1e9'];

describe('a server that fails', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  const row = (
    number: string,
    fault: string,
    n: number,
    code: RegExp,
    caught: Catch | readonly [Catch, ...Catch[]],
    make: () => Ordeal,
    screen?: string,
  ): void =>
    void it(`${number} ${fault}`, () =>
      stand(
        lab,
        {
          row: number,
          fault,
          code,
          strikes: n,
          catches: 'bug' in caught ? [caught] : caught,
          ...(screen ? { screen } : {}),
        },
        make,
      ));

  let turn = 0;
  const each = Math.max(strikes, statuses.length);
  row(
    'F17',
    'error statuses on the playlist, with every kind of Retry-After',
    each,
    /SERVER_ERROR/,
    { bug: bugs.missingIsRemoved, by: /an empty display/ },
    () =>
      answering(
        'playlist',
        (_request, response) => {
          const status = statuses[turn % statuses.length] as number;
          response.writeHead(status, { 'retry-after': retryAfter[turn++ % retryAfter.length] }).end('<html>no</html>');
        },
        { times: each },
      ),
  );
  row(
    'F17',
    'error statuses on media',
    strikes,
    /SERVER_ERROR|MEDIA_MISSING/,
    { bug: bugs.swapsWithoutMedia, by: /was shown|an empty display/ },
    () =>
      answering(
        'media',
        (_request, response) => void response.writeHead(statuses[turn++ % statuses.length] as number).end('no'),
      ),
  );
  row(
    'F18',
    'media cut off in the middle',
    strikes,
    /CONNECTION_FAILED|MEDIA_LENGTH/,
    { bug: bugs.believesTheEnd, by: /something corrupt/ },
    () =>
      answering(
        'media',
        (_request, response) => {
          response.writeHead(200, { 'content-length': 40_000 });
          // Not before the other side has read them: a reset takes along what is unread.
          response.write(noise.subarray(0, 9_000), () => void setTimeout(() => response.destroy(), 100));
        },
        { pictures: () => [picture(`cut off ${turn++}`, 40_000)] },
      ),
  );
  row('F18', 'media without an end', strikes, /MEDIA_LENGTH/, { bug: bugs.noLongest, by: /filled its disk/ }, () =>
    answering('media', (_request, response) => endlessly(response.writeHead(200)), {
      disk: () => new SmallDisk(lab.stateDirectory, { sizeBytes: 48 * 2 ** 20 }),
      keepsNothing: true,
      during: async (_lab, run, from) => {
        if (run.bug === null) await pushUntil(lab, run, '/media/', strikes);
        await codeReported(run, run.bug === null ? /MEDIA_LENGTH/ : /STORE_FULL/, from, 60_000);
      },
      verdict: (_lab, run) => (run.codes().includes('STORE_FULL') ? 'it filled its disk with files of 40 kB' : null),
    }),
  );
  const ends = full ? 50 : 2;
  row(
    'F18',
    'a playlist without an end',
    ends,
    /SERVER_REPLY_TOO_LARGE/,
    [
      { bug: bugs.replyOfAnySize, by: /MiB more memory/ },
      { bug: bugs.keepsReplies, by: /MiB are kept/ },
    ],
    () =>
      answering(
        'playlist',
        (_request, response) => endlessly(response.writeHead(200, { 'content-type': 'application/json' })),
        { times: ends, keepsNothing: true },
      ),
  );
  row(
    'F18',
    'headers without an end',
    ends,
    /SERVER_REPLY_TOO_LARGE/,
    { bug: bugs.headersOfAnySize, by: /MiB more memory/ },
    () =>
      answering(
        'playlist',
        ({ socket }) => {
          socket.write('HTTP/1.1 200 OK\r\n');
          endlessly(socket, header);
        },
        { times: ends, keepsNothing: true },
      ),
  );
  row('F18', 'media of another length', strikes, /MEDIA_LENGTH/, { bug: bugs.anyLength, by: /something corrupt/ }, () =>
    answering('media', (_request, response) => void response.writeHead(200, { 'content-length': 7 }).end('0123456')),
  );
  row(
    'F18',
    'media of the right length and other bytes',
    strikes,
    /MEDIA_DIGEST/,
    { bug: bugs.anyBytes, by: /something corrupt/ },
    () =>
      answering('media', (_request, response) => void response.writeHead(200).end(picture('forged', 40_000)), {
        pictures: () => [picture(`not forged ${turn++}`, 40_000)],
      }),
  );
  row('F18', 'media that are not pictures', strikes, /MEDIA_KIND/, { bug: bugs.anyKind, by: /was shown/ }, () =>
    answering('media', (request, response) => lab.server.answerRightly(request, response), {
      pictures: () => [Buffer.from(`<html>${Math.random()}</html>`.padEnd(2_000))],
    }),
  );
  row(
    'F18',
    'a gzip bomb of 256 MiB as the playlist',
    strikes,
    /SERVER_REPLY_INVALID|SERVER_REPLY_TOO_LARGE/,
    { bug: bugs.inflatesPlaylist, by: /MiB more memory/ },
    () =>
      answering(
        'playlist',
        (_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
        },
        { keepsNothing: true },
      ),
  );
  row(
    'F18',
    'a gzip bomb of 256 MiB as media',
    strikes,
    /SERVER_REPLY_INVALID/,
    { bug: bugs.inflatesMedia, by: /MiB more memory/ },
    () =>
      answering(
        'media',
        (_request, response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
        },
        { keepsNothing: true },
      ),
  );
  row(
    'F18',
    '304 to a player that has nothing',
    strikes,
    /SERVER_REPLY_INVALID/,
    { bug: bugs.emptyForUnchanged, by: /an empty playlist was published/ },
    () => ({
      ...answering('playlist', (_request, response) => void response.writeHead(304).end(), { isBare: true }),
      verdict: (_lab, run) => {
        const isEmpty = ({ event, ...line }: Said) => event === 'playlist-published' && line['version'] === 0;
        return run.said.some(isEmpty) ? 'an empty playlist was published' : null;
      },
    }),
    'standby, then the program',
  );
});
