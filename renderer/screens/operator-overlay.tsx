import { useEffect } from 'react';
import { bridge } from '../bridge.ts';
import { useMirror } from '../store.ts';
import { Operator } from './operator.tsx';

/** The operator's overlay above the stage. Web pages, which lie above everything, are put out of sight meanwhile. */
export function OperatorOverlay() {
  const view = useMirror(({ operator }) => operator);
  const snapshot = useMirror((mirror) => mirror.snapshot);
  const speechless = useMirror(({ words }) => words === null);
  const veiled = view.state !== 'closed';
  useEffect(() => {
    if (!veiled) return;
    // Main refuses only what it has lost sight of itself.
    void bridge.veilViews({ veiled: true }).catch(() => {});
    return () => void bridge.veilViews({ veiled: false }).catch(() => {});
  }, [veiled]);
  if (view.state === 'closed' || snapshot === null || speechless) return null;
  return (
    <div className="operator-layer" data-testid="operator-layer">
      <Operator device={snapshot} view={view} />
    </div>
  );
}
