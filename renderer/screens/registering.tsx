import type { RegistrationCard } from '../../electron/ipc/contract.ts';
import type { Device } from '../cover.ts';
import { text } from '../text.ts';
import { timeLeft, useNow } from '../time.ts';
import { QrCode } from './qr-code.tsx';
import { Screen } from './screen.tsx';

/** Half a PIN or a quarter of a fingerprint at a time: what an eye can carry over to another screen. */
function groups(characters: string, size: number): string[] {
  return characters.match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
}

function Pin({ pin }: { readonly pin: string }) {
  return (
    <p className="pin" role="img" aria-label={`${text.registering.pin} ${[...pin].join(' ')}`} data-testid="pin">
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
  const left = timeLeft(expiresAtMs, useNow(1000));
  return (
    <p className="time-left" data-testid="time-left">
      {left === null ? text.registering.expired : text.registering.validFor(left)}
    </p>
  );
}

function Card({ card }: { readonly card: RegistrationCard }) {
  return (
    <div className="claim">
      <div className="claim-words">
        <h1>{text.registering.title}</h1>
        <Pin pin={card.pin} />
        <TimeLeft expiresAtMs={card.expiresAtMs} />
        <ol className="steps">
          {text.registering.steps.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ol>
      </div>
      <div className="claim-proof">
        <QrCode address={card.claimUrl} label={text.registering.scan} />
        <p className="fingerprint-label">{text.registering.fingerprint}</p>
        <p className="fingerprint" data-testid="fingerprint">
          {groups(card.fingerprint, 4).map((quarter, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: quarters may repeat and never move
            <span key={place}>{quarter}</span>
          ))}
        </p>
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
  return (
    <Screen name="registering" device={device}>
      {card === null ? (
        <>
          <h1>{text.registering.asking}</h1>
          <p className="lead">{text.registering.askingDetail}</p>
        </>
      ) : (
        <Card card={card} />
      )}
    </Screen>
  );
}
