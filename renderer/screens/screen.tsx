import type { ReactNode } from 'react';
import type { Device } from '../cover.ts';
import { text } from '../text.ts';
import { Mark } from './mark.tsx';

interface ScreenProps {
  readonly name: string;
  readonly device: Device;
  readonly children: ReactNode;
}

/** The common frame of all screens: warning above, brand, content, and below which device this is. */
export function Screen({ name, device, children }: ScreenProps) {
  return (
    <main className={`screen ${name}`} data-testid={`screen-${name}`}>
      {device.keyProtection === 'software' && (
        <p className="warning" role="alert" data-testid="software-key">
          {text.softwareKey}
        </p>
      )}
      <header className="brand">
        <Mark />
        <span>{text.product}</span>
      </header>
      <div className="content">{children}</div>
      <footer className="foot">
        <p className="notice" data-testid="notice">
          {name !== 'starting' && device.notice?.summary}
          {/* Whoever registers a screen stands in front of it and can mend what is wrong. */}
          {name === 'registering' && device.notice !== null && ` ${device.notice.remedy}`}
        </p>
        <p className="device">
          <span className="device-name">{device.screenName ?? device.hostname}</span>
          <span>{text.version(device.playerVersion)}</span>
        </p>
      </footer>
    </main>
  );
}
