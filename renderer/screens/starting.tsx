import type { Device } from '../cover.ts';
import { useWords } from '../store.ts';
import { Screen } from './screen.tsx';

/** Before main knows what to show; says so and promises no progress that it does not measure. */
export function Starting({ device }: { readonly device: Device }) {
  const words = useWords();
  return (
    <Screen name="starting" device={device}>
      <h1>{words.starting.title}</h1>
      <p className="lead">{words.starting.detail}</p>
    </Screen>
  );
}
