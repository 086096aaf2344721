import type { RegistrationCard } from '../../electron/ipc/contract.ts';
import type { Device } from '../cover.ts';
import { useWords } from '../store.ts';
import { timeLeft, useNow } from '../time.ts';
import { Filled } from './filled.tsx';
import { HardwareIdentity } from './hardware-identity.tsx';
import { QrCode } from './qr-code.tsx';
import { Screen } from './screen.tsx';

/** Half a PIN or a quarter of a fingerprint at a time: what an eye can carry over to another screen. */
function groups(characters: string, size: number): string[] {
  return characters.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
}

function Pin({ pin }: { readonly pin: string }) {
  const words = useWords();
  return (
    <p
      className="pin"
      dir="ltr"
      role="img"
      aria-label={`${words.registering.pin} ${[...pin].join(' ')}`}
      data-testid="pin"
    >
      {groups(pin, 3).map((half, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: halves may be alike and never move
        <span className="pin-half" key={place}>
          {half}
        </span>
      ))}
    </p>
  );
}

function TimeLeft({ expiresAtMs }: { readonly expiresAtMs: number }) {
  const { validFor, expired } = useWords().registering;
  const left = timeLeft(expiresAtMs, useNow(1000));
  return (
    <p className="time-left" data-testid="time-left">
      {left === null ? expired : <Filled text={validFor} values={{ time: left }} />}
    </p>
  );
}

function Card({ card }: { readonly card: RegistrationCard }) {
  const { registering: words, hardware } = useWords();
  return (
    <div className="claim">
      <div className="claim-words">
        <h1>{words.title}</h1>
        <Pin pin={card.pin} />
        <TimeLeft expiresAtMs={card.expiresAtMs} />
        <ol className="steps">
          {words.steps.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ol>
      </div>
      <div className="claim-proof">
        <QrCode address={card.claimUrl} label={words.scan} />
        <p className="fingerprint-label">{words.fingerprint}</p>
        <p className="fingerprint" dir="ltr" data-testid="fingerprint">
          {groups(card.fingerprint, 4).map((quarter, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: quarters may repeat and never move
            <span key={place}>{quarter}</span>
          ))}
        </p>
        {card.hardware !== null && <HardwareIdentity word={card.hardware} words={hardware} />}
      </div>
    </div>
  );
}

interface RegisteringProps {
  readonly device: Device;
  readonly card: RegistrationCard | null;
}

/** What the operator needs to claim the screen, or the honest word that there is nothing to enter yet. */
export function Registering({ device, card }: RegisteringProps) {
  const words = useWords().registering;
  return (
    <Screen name="registering" device={device}>
      {card === null ? (
        <>
          <h1>{words.asking}</h1>
          <p className="lead">{words.askingDetail}</p>
        </>
      ) : (
        <Card card={card} />
      )}
    </Screen>
  );
}
