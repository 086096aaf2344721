import { type ReactNode, useEffect, useState } from 'react';
import type { OperatorView, Overview } from '../../electron/ipc/contract.ts';
import { bridge } from '../bridge.ts';
import type { Device } from '../cover.ts';
import type { Words } from '../languages/words.ts';
import { useWords } from '../store.ts';
import { timeLeft, useNow } from '../time.ts';
import { troubleWords } from '../words.ts';
import { Filled } from './filled.tsx';
import { HardwareIdentity } from './hardware-identity.tsx';
import { Screen } from './screen.tsx';

const longestPin = 12;
const shortestPin = 4;

/** What the operator types; main judges it, and the page keeps nothing of it. */
function PinEntry({ attempts }: { readonly attempts: number }) {
  const words = useWords().operator;
  const [pin, setPin] = useState('');
  useEffect(() => {
    const type = ({ key }: KeyboardEvent) => {
      if (/^\d$/.test(key)) setPin((typed) => (typed + key).slice(0, longestPin));
      else if (key === 'Backspace') setPin((typed) => typed.slice(0, -1));
      else if (key === 'Enter') {
        setPin('');
        // Refused or not, main answers with the next view.
        if (pin.length >= shortestPin) void bridge.enterPin({ pin }).catch(() => {});
      }
    };
    window.addEventListener('keydown', type);
    return () => window.removeEventListener('keydown', type);
  }, [pin]);
  return (
    <div className="pin-entry">
      <h1>{words.enter}</h1>
      <p className="pin-dots" dir="ltr" role="img" aria-label={String(pin.length)} data-testid="pin-dots">
        {Array.from({ length: Math.max(6, pin.length) }, (_nothing, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: dots are all alike
          <span key={at} className={at < pin.length ? 'dot typed' : 'dot'} />
        ))}
      </p>
      <p className="pin-word" data-testid="pin-word">
        {attempts > 0 ? words.refused : words.keys}
      </p>
    </div>
  );
}

interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
}

function Fact({ name, children }: FactProps) {
  return (
    <div className="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Facts({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="facts">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  );
}

const unknown = '–';

/** Bytes in GB with one decimal, as the makers of disks count (10⁹). */
const gigabytes = (locale: string, bytes: number | null) =>
  bytes === null
    ? unknown
    : new Intl.NumberFormat(locale, { style: 'unit', unit: 'gigabyte', maximumFractionDigits: 1 }).format(bytes / 1e9);

const date = (locale: string, ms: number | null) =>
  ms === null ? null : new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(ms);

const moment = (locale: string, ms: number | null) =>
  ms === null
    ? unknown
    : new Intl.DateTimeFormat(locale, {
        day: 'numeric',
        month: 'short',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      }).format(ms);

function Content({ overview, words }: { readonly overview: Overview; readonly words: Words }) {
  const { locale, operator } = words;
  return (
    <Facts title={operator.content}>
      <Fact name={operator.now}>
        <bdi className="title">{overview.now ?? unknown}</bdi>
      </Fact>
      <Fact name={operator.next}>
        <bdi className="title">{overview.next ?? unknown}</bdi>
      </Fact>
      <Fact name={operator.items}>{new Intl.NumberFormat(locale).format(overview.items)}</Fact>
      <Fact name={operator.playlist}>{overview.playlistVersion ?? unknown}</Fact>
    </Facts>
  );
}

function Identity({ overview, words }: { readonly overview: Overview; readonly words: Words }) {
  const { locale, operator } = words;
  const until = date(locale, overview.certificateUntilMs);
  const { tpm } = overview;
  return (
    <Facts title={operator.identity}>
      <Fact name={operator.fingerprint}>
        <bdi className="code-text" dir="ltr" data-testid="operator-fingerprint">
          {overview.fingerprint?.match(/.{1,4}/g)?.join(' ') ?? unknown}
        </bdi>
      </Fact>
      <Fact name={operator.key}>{operator.protection[overview.keyProtection]}</Fact>
      {overview.hardware !== null && (
        <Fact name={operator.hardware}>
          <HardwareIdentity word={overview.hardware} words={operator.proof} />
        </Fact>
      )}
      <Fact name={operator.certificate}>
        {until === null ? unknown : <Filled text={operator.until} values={{ time: until }} />}
      </Fact>
      {overview.identityEvent !== null && (
        <Fact name={operator.lastEvent}>
          <bdi dir="ltr" data-testid="operator-identity-event">
            {overview.identityEvent.event}
          </bdi>
          , {moment(locale, overview.identityEvent.atMs)}
        </Fact>
      )}
      <Fact name="TPM">
        <bdi dir="ltr">{tpm === null ? unknown : `${tpm.maker} ${tpm.firmware}`}</bdi>
      </Fact>
      {tpm !== null && <Fact name={operator.lockout}>{tpm.lockout ? operator.yes : operator.no}</Fact>}
    </Facts>
  );
}

function OverviewFacts({ overview }: { readonly overview: Overview }) {
  const words = useWords();
  const { locale, operator } = words;
  const [summary, remedy] = overview.fault === null ? [operator.none, null] : troubleWords(words, overview.fault);
  const { versions } = overview;
  return (
    <div className="overview">
      <Facts title={operator.status}>
        <Fact name={operator.state}>
          <span className={`state ${overview.state}`} data-testid="operator-state">
            {operator.states[overview.state]}
          </span>
        </Fact>
        <Fact name={operator.since}>{moment(locale, overview.startedAtMs)}</Fact>
        <Fact name={operator.fault}>
          {summary}
          {remedy !== null && <span className="fault-remedy"> {remedy}</span>}
        </Fact>
      </Facts>
      <Content overview={overview} words={words} />
      <Identity overview={overview} words={words} />
      <Facts title={operator.network}>
        <Fact name={operator.server}>
          <bdi dir="ltr">{overview.server}</bdi>
        </Fact>
        <Fact name={operator.contact}>{moment(locale, overview.lastAnswerAtMs)}</Fact>
        <Fact name={operator.address}>
          <bdi dir="ltr">{overview.addresses.join(' ') || unknown}</bdi>
        </Fact>
      </Facts>
      <Facts title={operator.storage}>
        <Fact name={operator.used}>
          <Filled
            text={operator.ofTotal}
            values={{
              used: gigabytes(locale, overview.storeBytes),
              total: gigabytes(locale, overview.budgetBytes),
            }}
          />
        </Fact>
        <Fact name={operator.free}>{gigabytes(locale, overview.freeBytes)}</Fact>
      </Facts>
      <Facts title={operator.versions}>
        <Fact name="Signet Player">
          <bdi>{versions.player}</bdi>
        </Fact>
        <Fact name="Electron">
          <bdi>{versions.electron}</bdi>
        </Fact>
        <Fact name="Chromium">
          <bdi>{versions.chromium}</bdi>
        </Fact>
        <Fact name="OpenSSL">
          <bdi>{versions.openssl}</bdi>
        </Fact>
        <Fact name={operator.system}>
          <bdi dir="ltr">{versions.system}</bdi>
        </Fact>
      </Facts>
    </div>
  );
}

function Leaving({ leavesAtMs }: { readonly leavesAtMs: number }) {
  const { operator } = useWords();
  const left = timeLeft(leavesAtMs, useNow(1000)) ?? '0:00';
  return <Filled text={operator.leaving} values={{ time: left }} />;
}

interface OperatorProps {
  readonly device: Device;
  readonly view: Exclude<OperatorView, { readonly state: 'closed' }>;
}

/** The operator's overlay, over whatever plays: first the PIN, then what there is to know on site. */
export function Operator({ device, view }: OperatorProps) {
  const closing = <Leaving leavesAtMs={view.leavesAtMs} />;
  return (
    <Screen name={view.state === 'asking' ? 'operator-asking' : 'operator'} device={device} foot={closing}>
      {view.state === 'asking' ? (
        <PinEntry key={view.attempts} attempts={view.attempts} />
      ) : (
        <OverviewFacts overview={view.overview} />
      )}
    </Screen>
  );
}
