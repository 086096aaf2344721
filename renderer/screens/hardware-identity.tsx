import type { HardwareWord } from '../../electron/ipc/contract.ts';
import { useWords } from '../store.ts';

/** What the server says of the TPM: verified, with its maker and model, or why not. */
export function HardwareIdentity({ word }: { readonly word: Exclude<HardwareWord, null> }) {
  const { hardware } = useWords();
  if (!word.verified) {
    return (
      <span className="hardware unverified" data-testid="hardware">
        {hardware[word.reason]}
      </span>
    );
  }
  const chip = [word.manufacturer, word.model].filter(Boolean).join(', ');
  return (
    <span className="hardware verified" data-testid="hardware">
      {hardware.verified}
      {chip !== '' && <bdi dir="ltr"> ({chip})</bdi>}
    </span>
  );
}
