import type { Device, RestReason } from '../cover.ts';
import { locale, text } from '../text.ts';
import { useNow } from '../time.ts';
import { Screen } from './screen.tsx';

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });

/** Nothing to play: a clock for the passer-by, one quiet line for the operator. */
export function Standby({ device, reason }: { readonly device: Device; readonly reason: RestReason }) {
  const nowMs = useNow(60_000);
  return (
    <Screen name="standby" device={device}>
      <div className="aurora" aria-hidden="true" />
      <div className="drift">
        <time className="clock">{clock.format(nowMs)}</time>
        <p className="calendar">{calendar.format(nowMs)}</p>
        <p className="reason">{text.standby[reason]}</p>
      </div>
    </Screen>
  );
}
