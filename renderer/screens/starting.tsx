import type { Device } from '../cover.ts';
import { text } from '../text.ts';
import { Screen } from './screen.tsx';

/** Before main knows what to show; says so and promises no progress that it does not measure. */
export function Starting({ device }: { readonly device: Device }) {
  return (
    <Screen name="starting" device={device}>
      <h1>{text.starting.title}</h1>
      <p className="lead">{text.starting.detail}</p>
    </Screen>
  );
}
