import type { Device, RestReason } from '../cover.ts';
import { useWords } from '../store.ts';
import { useNow } from '../time.ts';
import { Screen } from './screen.tsx';

/** Nothing to play: a clock for the passer-by, one quiet line for the operator. */
export function Standby({ device, reason }: { readonly device: Device; readonly reason: RestReason }) {
  const { locale, standby } = useWords();
  const nowMs = useNow(60_000);
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const calendar = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
  return (
    <Screen name="standby" device={device}>
      <div className="aurora" aria-hidden="true" />
      <div className="drift">
        <time className="clock" dir="ltr">
          {clock.format(nowMs)}
        </time>
        <p className="calendar">{calendar.format(nowMs)}</p>
        <p className="reason">{standby[reason]}</p>
      </div>
    </Screen>
  );
}
