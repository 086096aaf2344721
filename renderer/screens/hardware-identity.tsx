import type { HardwareWord } from '../../electron/ipc/contract.ts';
import type { Words } from '../languages/words.ts';

interface HardwareIdentityProps {
  readonly word: Exclude<HardwareWord, null>;
  readonly words: Words['hardware'];
}

/** What the server says of the TPM: verified, with its maker and model, or why not. */
export function HardwareIdentity({ word, words }: HardwareIdentityProps) {
  if (!word.verified) {
    return (
      <span className="hardware unverified" data-testid="hardware">
        {words[word.reason]}
      </span>
    );
  }
  const chip = [word.manufacturer, word.model].filter(Boolean).join(', ');
  return (
    <span className="hardware verified" data-testid="hardware">
      {words.verified}
      {/* The space and the brackets belong to the line, whichever way it runs. */}
      {chip !== '' && (
        <>
          {' ('}
          <bdi dir="ltr">{chip}</bdi>)
        </>
      )}
    </span>
  );
}
