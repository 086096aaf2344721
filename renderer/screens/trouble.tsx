import type { Trouble as Fault } from '../../electron/ipc/contract.ts';
import type { Device } from '../cover.ts';
import { useWords } from '../store.ts';
import { troubleWords } from '../words.ts';
import { Screen } from './screen.tsx';

/** What is wrong and what to do about it, for whoever has been sent to the screen. */
export function Trouble({ device, trouble }: { readonly device: Device; readonly trouble: Fault }) {
  const words = useWords();
  const [summary, remedy] = troubleWords(words, trouble);
  return (
    <Screen name="trouble" device={device}>
      <p className="kicker">{words.trouble.title}</p>
      <h1>{summary}</h1>
      <section className="remedy">
        <h2>{words.trouble.remedy}</h2>
        <p>{remedy}</p>
      </section>
      <p className="code">
        {words.trouble.code} <strong dir="ltr">{trouble.code}</strong>
      </p>
    </Screen>
  );
}
