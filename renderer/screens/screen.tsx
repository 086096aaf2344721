import type { ReactNode } from 'react';
import type { Device } from '../cover.ts';
import { useWords } from '../store.ts';
import { troubleWords } from '../words.ts';
import { Mark } from './mark.tsx';

interface ScreenProps {
  readonly name: string;
  readonly device: Device;
  readonly children: ReactNode;
  /** In place of the notice. */
  readonly foot?: ReactNode;
}

/** The common frame of all screens: warning above, brand, content, and below which device this is. */
export function Screen({ name, device, children, foot }: ScreenProps) {
  const words = useWords();
  const [summary = '', remedy = ''] = device.notice === null ? [] : troubleWords(words, device.notice);
  return (
    <main className={`screen ${name}`} data-testid={`screen-${name}`}>
      {device.keyProtection === 'software' && (
        <p className="warning" role="alert" data-testid="software-key">
          {words.softwareKey}
        </p>
      )}
      <header className="brand">
        <Mark />
        <span>Signet Player</span>
      </header>
      <div className="content">{children}</div>
      <footer className="foot">
        <p className="notice" data-testid="notice">
          {foot ?? (name !== 'starting' && summary)}
          {/* Whoever registers a screen stands in front of it and can mend what is wrong. */}
          {name === 'registering' && remedy !== '' && ` ${remedy}`}
        </p>
        <p className="device">
          <bdi className="device-name">{device.screenName ?? device.hostname}</bdi>
          <bdi>v{device.playerVersion}</bdi>
        </p>
      </footer>
    </main>
  );
}
