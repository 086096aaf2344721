import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identityText } from '../../../electron/command/identity.ts';
import { checkCertificateOf, checkFailed, checkKey, checkTpm } from '../../../electron/command/identity-checks.ts';
import { failed, ok, reportExitCode, reportJson, reportText, warning } from '../../../electron/command/report.ts';
import { PlayerError } from '../../../electron/errors.ts';

const remedies = () => ({ remedy: 'the remedy' });

test('the report names each remedy, counts the faults, and exits with 1 only for a fault', () => {
  const checks = [ok('a', 'fine'), warning('bcd', 'so so', 'wait'), failed('e', 'broken', 'mend it')];
  assert.equal(
    reportText(checks),
    [
      'ok    a    fine',
      'note  bcd  so so',
      '           → wait',
      'FAIL  e    broken',
      '           → mend it',
      '',
      '1 of 3 checks failed.',
      '',
    ].join('\n'),
  );
  assert.equal(reportExitCode(checks), 1);
  assert.equal(reportExitCode(checks.slice(0, 2)), 0);
  assert.match(reportText(checks.slice(0, 2)), /This machine can play\.\n$/);
});

test('the report for programs is one JSON object', () => {
  const text = reportJson('1.2.3', [failed('e', 'broken', 'mend it')]);
  assert.deepEqual(JSON.parse(text), {
    version: '1.2.3',
    verdict: 'failed',
    checks: [{ check: 'e', verdict: 'failed', finding: 'broken', remedy: 'mend it' }],
  });
  assert.equal(text.trim().includes('\n'), false);
});

const tpm = {
  manufacturer: 'IFX',
  vendor: 'SLB9670',
  firmware: '7.85.4555.0',
  curveP256: true,
  ownerAuthSet: false,
  lockout: { active: false },
};

test('judges a TPM: fine, in lockout, without the curve, or not answering', () => {
  assert.equal(checkTpm('device:/dev/tpmrm0', tpm).finding, 'IFX SLB9670, firmware 7.85.4555.0, at device:/dev/tpmrm0');
  assert.equal(checkTpm('x:', { ...tpm, lockout: { active: true } }).verdict, 'warning');
  assert.equal(checkTpm('x:', { ...tpm, curveP256: false }).verdict, 'failed');
  const check = checkFailed('TPM', new PlayerError('TPM_ABSENT', 'no TPM at x:'), remedies);
  assert.deepEqual(check, failed('TPM', 'no TPM at x: (TPM_ABSENT)', 'the remedy'));
});

test('judges the key: none yet, one that does not sign, one in a file, one that signs', () => {
  assert.equal(checkKey(undefined, 'none', false).verdict, 'ok');
  assert.equal(checkKey('ab', 'tpm', false).verdict, 'failed');
  assert.equal(checkKey('ab', 'software', true).verdict, 'warning');
  assert.equal(checkKey('ab', 'tpm', true).verdict, 'ok');
});

test('judges the certificate, and says what to do without one', () => {
  const now = Date.UTC(2026, 0, 1);
  const reasons = ['dates', 'untrusted', 'key-mismatch', 'usage', 'unusable', 'invalid'] as const;
  const judged = (reason: (typeof reasons)[number]) =>
    checkCertificateOf({ ok: false, reason }, { state: 'unregistered' }, now, remedies);
  for (const reason of reasons) {
    assert.equal(judged(reason).verdict, 'failed');
    assert.equal(judged(reason).remedy, 'the remedy');
  }
  assert.match(checkCertificateOf(undefined, { state: 'unregistered' }, now, remedies).finding, /not registered/);
  const verdict = { ok: true, notBeforeMs: now, notAfterMs: now + 30 * 86_400_000 } as const;
  const good = checkCertificateOf(verdict, { state: 'unregistered' }, now, remedies);
  assert.equal(good.finding, 'valid until 2026-01-31T00:00:00.000Z (30 days)');
});

test('shows the fingerprint in the groups of the screen, and what is missing as missing', () => {
  const nothing = { registration: 'unregistered', screenId: null, screenName: null, certificate: null } as const;
  const journal = [{ time: '2026-11-26T06:00:00.000Z', event: 'key-created', key: 'ab12' }];
  const base = { hostname: 'sign', tcti: 'device:/dev/tpmrm0', hardware: null, journal, ...nothing };
  const text = identityText({ ...base, keyProtection: 'tpm', fingerprint: 'ab12cd34'.repeat(8) });
  assert.match(text, /fingerprint {3}ab12 cd34 ab12/);
  assert.match(text, /\njournal\n {2}2026-11-26T06:00:00.000Z {2}key-created, key ab12\n$/);
  assert.match(identityText({ ...base, keyProtection: 'none', fingerprint: null }), /key {11}none yet/);
});
