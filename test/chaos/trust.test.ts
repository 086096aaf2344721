/** F20: other servers in the place of the right one, and a server that refuses the screen. */
import { after, before, describe, it } from 'node:test';
import { answering, playlistPath, pushUntil } from './support/answering.ts';
import * as bugs from './support/bugs.ts';
import { type Identity, identityOf, strangerOf } from './support/impostor.ts';
import { type Lab, openLab, sleep } from './support/lab.ts';
import type { Ordeal } from './support/ordeal.ts';
import { full } from './support/record.ts';
import { stand } from './support/row.ts';
import { picture, StageServer } from './support/stage-server.ts';

const day = 86_400_000;

describe('a server that is not the right one, or refuses the screen', () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(() => lab.close());

  const impostors: readonly (readonly [what: string, tls: () => Identity, codes: readonly string[]])[] = [
    ['expired', () => identityOf(lab, -2 * day, -day, 'localhost'), ['SERVER_EXPIRED']],
    ['not yet valid', () => identityOf(lab, day, 2 * day, 'localhost'), ['SERVER_EXPIRED', 'SERVER_UNTRUSTED']],
    ['of another name', () => identityOf(lab, -day, day, 'example.org'), ['SERVER_WRONG_HOST']],
    ['of another authority', () => strangerOf(-day, day, 'localhost'), ['SERVER_UNTRUSTED']],
  ];
  for (const [what, tls, codes] of impostors)
    it(`F20 a server certificate ${what}`, async () => {
      const right = lab.server;
      const impostor = await StageServer.start(lab.authority, tls());
      impostor.mediaOrigin = `https://localhost:${lab.proxy.port}`;
      const code = new RegExp(codes.join('|'));
      const strange = 1_000;
      const ordeal = (): Ordeal => ({
        begin: async () => {
          // A sync is under way when the wire is cut, so that the next one follows soon and meets the impostor.
          lab.server.faults.playlist = () => undefined;
          lab.server.push();
          await sleep(300);
          lab.proxy.target = () => impostor.port;
          lab.proxy.cut();
          delete lab.server.faults.playlist;
          impostor.program([picture('an impostor', 300)], { version: strange });
        },
        during: async (_lab, run, from) => {
          const refused = run.until('it is refused', (line) => code.test(String(line['code'])), from, 70_000);
          const ends = [refused, ...(run.bug === null ? [] : [run.shows(strange, from, 70_000)])];
          await Promise.race(ends.map((end) => end.catch(() => undefined)));
        },
        end: () => {
          lab.proxy.target = () => right.port;
          lab.proxy.cut();
        },
      });
      const fault = `a server certificate ${what}`;
      const catches = [{ bug: bugs.goesOnUnchecked(...codes), by: /v1000-0|version \d+ was shown/ }] as const;
      try {
        await stand(lab, { row: 'F20', fault, code, times: full ? 3 : 1, catches }, ordeal);
      } finally {
        await impostor.close();
      }
    });

  const refusing = (graceSeconds: number, more: Partial<Ordeal>): Ordeal => {
    lab.settings['policy'] = { graceSeconds };
    return {
      ...answering('playlist', (_request, response) => void response.writeHead(403).end()),
      during: async (_lab, run) => {
        await pushUntil(lab, run, playlistPath, 2);
        await sleep(500);
      },
      ...more,
    };
  };

  it('F20 the screen is revoked in the middle, and taken back within the grace period', async () => {
    const fault = 'the screen is revoked in the middle, and taken back within the grace period';
    const screen = 'the old program, then the next right one';
    await stand(
      lab,
      {
        row: 'F20',
        fault,
        screen,
        code: /SCREEN_SUSPENDED/,
        strikes: 2,
        times: full ? 10 : 1,
        catches: [{ bug: bugs.revokedIsRemoved, by: /an empty display/ }],
      },
      () => refusing(3_600, {}),
    );
  });

  it('F20 the screen is revoked for longer than the grace period, and taken back', async () => {
    const fault = 'the screen is revoked for longer than the grace period, and taken back';
    await stand(
      lab,
      {
        row: 'F20',
        fault,
        screen: 'the old program, standby after the grace period, then the next right one',
        code: /SCREEN_SUSPENDED/,
        strikes: 2,
        times: full ? 10 : 1,
        catches: [{ bug: bugs.ignoresRefusal, by: /plays on/ }],
      },
      () => {
        let isDark = false;
        return refusing(2, {
          during: async (_lab, run, from) => {
            await pushUntil(lab, run, playlistPath, 2);
            const dark = run.until(
              'standby',
              ({ event, state }) => event === 'screen' && state === 'standby',
              from,
              8_000,
            );
            isDark = await dark.then(
              () => true,
              () => false,
            );
          },
          mayBlank: true,
          verdict: () => (isDark ? null : 'it plays on after the grace period'),
        });
      },
    );
  });
});
