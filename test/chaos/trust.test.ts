/** F20: other servers in the place of the right one, and a server that refuses the screen. */
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type SoftwareTpm, startSwtpm } from '../support/swtpm.ts';
import { type TpmMaker, tpmMaker } from '../support/tpm-maker.ts';
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
      impostor.admitsAnybody = true;
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

/** How a certificate comes to its end: while a session lasts, or while the machine sleeps and no timer runs. */
type End = 'by its time' | 'while the machine sleeps';

describe('a device certificate that ends in the middle of a sync', () => {
  let maker: TpmMaker;
  let chip: SoftwareTpm | undefined;
  let lab: Lab;
  let serial = 0;
  before(async () => {
    maker = tpmMaker();
    chip = await startSwtpm({ stateFolder: await maker.again() });
    lab = await openLab({ tcti: chip.tcti, makerPem: maker.authorityPem() });
    lab.server.others = lab.registry.answer;
  });
  after(async () => {
    // What was begun ends, also where the next did not begin: swtpm would keep this process.
    await lab?.close();
    // Not asked what is left in it: players that were killed left something.
    chip?.process.kill();
    await chip?.stop();
    maker.remove();
  });

  /** Between this machine's clock and everybody's. */
  const setClocks = (aheadMs: number) => {
    lab.registry.aheadMs = aheadMs;
    lab.server.now = () => Date.now() + aheadMs;
    lab.layer.set({ clockOffsetMs: aheadMs });
  };

  const ending = (end: End): Ordeal => {
    const big = picture(`of which half comes ${serial++}`, 2_000_000);
    const sha256 = createHash('sha256').update(big).digest('hex');
    const half = big.subarray(0, big.length / 2);
    let stalled: () => void;
    const halfCame = new Promise<void>((resolve) => {
      stalled = resolve;
    });
    let reported = false;
    const { registry, server } = lab;
    const usualSeconds = registry.lifetimeSeconds;
    setClocks(0);
    return {
      begin: () => {
        server.faults.media = (request, response) => {
          if (request.url !== `/media/${sha256}`) return server.answerRightly(request, response);
          response.writeHead(200, { etag: `"${sha256}"`, 'content-type': 'image/png', 'content-length': big.length });
          response.write(half, () => stalled());
        };
      },
      pictures: () => [big, picture('beside it', 300)],
      last: () => [big, picture(`beside it ${serial++}`, 300)],
      during: async (_lab, run, from) => {
        await halfCame;
        if (end === 'by its time') {
          registry.lifetimeSeconds = 3;
          server.send('certificate', 'renew');
          await run.until('a certificate for 3 s', ({ event }) => event === 'certificate-renewed', from);
          registry.lifetimeSeconds = usualSeconds;
          server.closeIdle();
        }
        registry.isDown = true;
        if (end === 'while the machine sleeps') {
          setClocks(31 * day);
          server.push();
        }
        const told = Promise.all([
          run.until('what is shown beside it', ({ notice }) => notice === 'CERTIFICATE_DATES', from),
          run.until('a try that fails', ({ event }) => event === 're-enrolment-failed', from),
        ]);
        const seen = told.then(() => {
          reported = true;
        });
        return run.bug === null ? seen : Promise.race([seen.catch(() => undefined), sleep(7_000)]);
      },
      end: () => {
        registry.isDown = false;
        registry.lifetimeSeconds = usualSeconds;
        delete server.faults.media;
      },
      verdict: () => {
        if (!reported) return 'nobody was told that the certificate has ended';
        const again = server.asked.filter(({ path }) => path === `/media/${sha256}`).slice(1);
        const places = again.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0));
        return places.every((place) => place === half.length)
          ? null
          : `fetched again from ${places} bytes on, not ${half.length}`;
      },
    };
  };

  for (const end of ['by its time', 'while the machine sleeps'] as const) {
    const fault = `the device certificate ends in the middle of a sync, ${end}; no other is to be had meanwhile`;
    it(`F20 ${fault}`, async () => {
      const removed = { bug: bugs.endedIsRemoved, by: /an empty display/ };
      const stays = { bug: bugs.endsWithCertificate, by: /not within/ };
      await stand(
        lab,
        {
          row: 'F20',
          fault,
          code: /CERTIFICATE_DATES/,
          times: full ? 10 : 1,
          catches: full ? [removed, stays] : [removed],
        },
        () => ending(end),
      );
    });
  }
});
