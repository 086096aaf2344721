import type { Trouble as Fault } from '../../electron/ipc/contract.ts';
import type { Device } from '../cover.ts';
import { text } from '../text.ts';
import { Screen } from './screen.tsx';

/** What is wrong and what to do about it, for whoever has been sent to the screen. */
export function Trouble({ device, trouble }: { readonly device: Device; readonly trouble: Fault }) {
  return (
    <Screen name="trouble" device={device}>
      <p className="kicker">{text.trouble.title}</p>
      <h1>{trouble.summary}</h1>
      <section className="remedy">
        <h2>{text.trouble.remedy}</h2>
        <p>{trouble.remedy}</p>
      </section>
      <p className="code">
        {text.trouble.code} <strong>{trouble.code}</strong>
      </p>
    </Screen>
  );
}
