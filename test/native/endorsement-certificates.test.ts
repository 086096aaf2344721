/** What an endorsement certificate and each authority above it must be: every breach is refused, with a code. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Challenges, endorsementHash, readPublicArea, type Trust } from 'node-tss/attestation';
import { readCertificateFields } from '../../native/attestation/certificate-fields.ts';
import { AttestationError as OwnError } from '../../native/attestation/error.ts';
import { answerOf, attestingDevice } from '../support/attesting-device.ts';
import {
  authorityExtensions,
  type ChainAuthority,
  chainRoot,
  endorsementExtensions,
  type Wording,
} from '../support/endorsement-chain.ts';
import { tpmMaker } from '../support/tpm-maker.ts';

const maker = tpmMaker();
after(() => maker.remove());

const [noAuthority, keyUsage, purpose, name] = endorsementExtensions as [string, string, string, string];
const without = (...left: readonly string[]) => endorsementExtensions.filter((line) => !left.includes(line));
const caWith = (...lines: readonly string[]): Wording => ({ extensions: [...authorityExtensions, ...lines] });
const pathLength = (most: number): Wording => ({
  extensions: [`basicConstraints=critical,CA:TRUE,pathlen:${most}`, ...authorityExtensions.slice(1)],
});

test('an endorsement certificate and its authorities are judged whole', async (t) => {
  const own = await attestingDevice(t, maker);
  const publicKeyPem = readPublicArea(own.evidence.ekPublic)
    .publicKey.export({ format: 'pem', type: 'spki' })
    .toString();
  const root = chainRoot(t);

  const challenges = (ekCertificate: Buffer, trust: Partial<Trust>) => {
    const judge = new Challenges({ authorities: [root.pem], endorsementHashes: [], ...trust }, Date.now);
    return { judge, open: () => judge.open('r1', { ...own.evidence, ekCertificate }) };
  };
  const refuses = (ekCertificate: Buffer, code: string, trust: Partial<Trust> = {}, why = /./) =>
    assert.throws(challenges(ekCertificate, trust).open, { name: 'AttestationError', code, message: why });
  const passes = async (ekCertificate: Buffer, trust: Partial<Trust> = {}) => {
    const { judge, open } = challenges(ekCertificate, trust);
    return judge.settle('r1', await answerOf(own, open(), { ...own.evidence, ekCertificate }));
  };
  /** A certificate by an authority that is reached over those between. */
  const over = (last: ChainAuthority, between: readonly ChainAuthority[], anchor = root) =>
    [last.endorse(publicKeyPem), { authorities: [anchor.pem], intermediates: between.map(({ pem }) => pem) }] as const;
  const endorsed = (wording: Wording) => root.endorse(publicKeyPem, wording);

  await t.test('passes one as makers write them, and tells the chip by its critical name', async () => {
    const identity = await passes(endorsed({}));
    assert.deepEqual([identity.manufacturer, identity.model, identity.version], ['IFX', 'SLB 9670', 'id:0755']);
    assert.equal((await passes(endorsed({ subject: '/' }))).model, 'SLB 9670');
    const below = root.authority(caWith('extendedKeyUsage=2.23.133.8.1', 'certificatePolicies=critical,1.2.3.4'));
    assert.equal((await passes(...over(below, [below]))).vouchedBy, 'certificate');
  });

  await t.test('passes a path length that is kept', async () => {
    const [upper, anchor] = [root.authority(pathLength(1)), chainRoot(t, pathLength(1))];
    const lower = upper.authority(pathLength(0));
    assert.ok(await passes(...over(lower, [upper, lower])));
    const only = anchor.authority();
    assert.ok(await passes(...over(only, [only], anchor)));
  });

  await t.test('refuses more authorities than one of them, or the pinned one, allows', () => {
    const upper = root.authority(pathLength(0));
    const lower = upper.authority();
    refuses(...withCode(over(lower, [upper, lower]), 'ENDORSEMENT_CHAIN'), /more authorities/);
    const strict = chainRoot(t, pathLength(0));
    const below = strict.authority();
    refuses(...withCode(over(below, [below], strict), 'ENDORSEMENT_CHAIN'), /more authorities/);
    // The pinned one itself may sign chips.
    assert.ok(challenges(strict.endorse(publicKeyPem), { authorities: [strict.pem] }).open());
  });

  await t.test('refuses an issuer that is no authority, or may not sign certificates', () => {
    const chip = root.authority({ extensions: ['basicConstraints=critical,CA:FALSE'] });
    refuses(...withCode(over(chip, [chip]), 'ENDORSEMENT_UNTRUSTED'));
    const mute = root.authority({ extensions: [authorityExtensions[0] ?? '', 'keyUsage=critical,cRLSign'] });
    refuses(...withCode(over(mute, [mute]), 'ENDORSEMENT_UNTRUSTED'));
  });

  await t.test('refuses a critical extension that is not known, in the chip’s certificate or above it', () => {
    const unknown = '1.2.3.4=critical,DER:0500';
    refuses(endorsed({ extensions: [...endorsementExtensions, unknown] }), 'ENDORSEMENT_CHAIN', {}, /1\.2\.3\.4/);
    assert.ok(challenges(endorsed({ extensions: [...endorsementExtensions, '1.2.3.4=DER:0500'] }), {}).open());
    const strange = root.authority(caWith(unknown));
    refuses(...withCode(over(strange, [strange]), 'ENDORSEMENT_CHAIN'), /1\.2\.3\.4/);
    const limited = root.authority(caWith('nameConstraints=critical,permitted;dirName:chip'));
    refuses(...withCode(over(limited, [limited]), 'ENDORSEMENT_CHAIN'), /2\.5\.29\.30/);
    const anchor = chainRoot(t, caWith(unknown));
    refuses(anchor.endorse(publicKeyPem), 'ENDORSEMENT_CHAIN', { authorities: [anchor.pem] }, /1\.2\.3\.4/);
  });

  await t.test('refuses an authority for other certificates than those of endorsement keys', () => {
    const web = root.authority(caWith('extendedKeyUsage=serverAuth'));
    refuses(...withCode(over(web, [web]), 'ENDORSEMENT_CHAIN'), /other certificates/);
    const any = root.authority(caWith('extendedKeyUsage=anyExtendedKeyUsage'));
    assert.ok(challenges(...over(any, [any])).open());
  });

  await t.test('refuses a certificate for another purpose than an endorsement key', () => {
    const other = [...without(purpose), 'extendedKeyUsage=clientAuth,2.23.133.8.3'];
    refuses(endorsed({ extensions: other }), 'ENDORSEMENT_PURPOSE', {}, /tcg-kp-EKCertificate/);
    refuses(endorsed({ extensions: other }), 'ENDORSEMENT_PURPOSE', { endorsementPurpose: 'if-present' });
    const any = [...without(purpose), 'extendedKeyUsage=anyExtendedKeyUsage'];
    refuses(endorsed({ extensions: any }), 'ENDORSEMENT_PURPOSE');
  });

  await t.test('refuses one that says nothing of its purpose, unless told that makers of before may', async () => {
    const silent = endorsed({ extensions: without(purpose) });
    refuses(silent, 'ENDORSEMENT_PURPOSE', {}, /tcg-kp-EKCertificate/);
    assert.equal((await passes(silent, { endorsementPurpose: 'if-present' })).manufacturer, 'IFX');
  });

  await t.test('refuses an authority’s certificate, and a key usage that opens no credentials', () => {
    const authority = [...without(noAuthority), 'basicConstraints=critical,CA:TRUE'];
    refuses(endorsed({ extensions: authority }), 'ENDORSEMENT_PURPOSE', {}, /authority/);
    for (const usage of ['keyUsage=critical,digitalSignature', 'keyUsage=critical,keyEncipherment'])
      refuses(endorsed({ extensions: [...without(keyUsage), usage] }), 'ENDORSEMENT_PURPOSE', {}, /key usage/);
    refuses(endorsed({ extensions: without(keyUsage) }), 'ENDORSEMENT_PURPOSE', {}, /key usage/);
  });

  await t.test('refuses an empty subject without a critical name, and a critical name of no TPM', () => {
    const loose = { extensions: [...without(name), 'subjectAltName=dirName:chip'] };
    refuses(endorsed({ ...loose, subject: '/' }), 'ENDORSEMENT_PURPOSE', {}, /neither a subject/);
    assert.ok(challenges(endorsed(loose), {}).open());
    refuses(endorsed({ extensions: without(name), subject: '/' }), 'ENDORSEMENT_PURPOSE', {}, /neither a subject/);
    const web = { extensions: [...without(name), 'subjectAltName=critical,DNS:chip.example'] };
    refuses(endorsed(web), 'ENDORSEMENT_PURPOSE', {}, /critical name/);
  });

  await t.test('refuses one that has ended, or whose authority has', () => {
    refuses(endorsed({ days: -1 }), 'ENDORSEMENT_EXPIRED');
    const ended = root.authority({ days: -1 });
    refuses(...withCode(over(ended, [ended]), 'ENDORSEMENT_EXPIRED'), /authority/);
    const anchor = chainRoot(t, { days: -1 });
    refuses(anchor.endorse(publicKeyPem), 'ENDORSEMENT_EXPIRED', { authorities: [anchor.pem] }, /authority/);
  });

  await t.test('refuses a signature with SHA-1 and an authority with a short RSA key', () => {
    refuses(endorsed({ digest: 'sha1' }), 'ENDORSEMENT_CHAIN', {}, /SHA-1/);
    const weak = root.authority({ digest: 'sha1' });
    refuses(...withCode(over(weak, [weak]), 'ENDORSEMENT_CHAIN'), /SHA-1/);
    const short = root.authority({ key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] });
    refuses(...withCode(over(short, [short]), 'ENDORSEMENT_CHAIN'), /1024 bits/);
  });

  await t.test('refuses an extension that comes twice', () => {
    const der = endorsed({ extensions: [...endorsementExtensions, '1.2.3.4=DER:0500', '1.2.3.5=DER:0500'] });
    const second = der.indexOf(Buffer.from('06032a0305', 'hex'));
    der.writeUInt8(4, second + 4);
    // The maker must have signed it so: a root that signs these very bytes is beyond openssl, so the reader is asked.
    assert.throws(() => readCertificateFields(der), { code: 'STRUCTURE_INVALID' });
  });

  await t.test('reads any bytes, or says that they do not parse', () => {
    const der = endorsed({});
    let refused = 0;
    for (let at = 0; at < der.length; at++) {
      for (const value of [0, 0x7f, 0x80, 0xff, (der[at] ?? 0) ^ 1]) {
        const changed = Buffer.from(der);
        changed.writeUInt8(value, at);
        for (const bytes of [changed, changed.subarray(0, at)]) {
          try {
            readCertificateFields(bytes);
          } catch (error) {
            assert.ok(error instanceof OwnError && error.code === 'STRUCTURE_INVALID', String(error));
            refused++;
          }
        }
      }
    }
    assert.ok(refused > der.length * 5);
  });

  await t.test('needs nobody above an authority that is pinned itself', async () => {
    const ended = chainRoot(t, { days: -1 });
    const middle = ended.authority();
    const chain = over(middle, [middle], ended);
    refuses(...withCode(chain, 'ENDORSEMENT_EXPIRED'), /authority/);
    assert.ok(await passes(chain[0], { ...chain[1], authorities: [ended.pem, middle.pem] }));
  });

  await t.test('repeats nothing of a listed chip whose certificate breaks a rule', async () => {
    const endorsementHashes = [endorsementHash(own.evidence.ekPublic)];
    const identity = await passes(endorsed({ extensions: without(purpose) }), { endorsementHashes });
    assert.deepEqual([identity.vouchedBy, identity.model], ['allow-list', '']);
  });
});

function withCode(chain: readonly [Buffer, Partial<Trust>], code: string): [Buffer, string, Partial<Trust>] {
  return [chain[0], code, chain[1]];
}
