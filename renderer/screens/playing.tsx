import { useEffect, useRef } from 'react';
import { bridge } from '../bridge.ts';
import type { Stage } from '../media/stage.ts';
import { createStage } from '../media/stage.ts';
import { takeStage, useMirror } from '../store.ts';

/** The two surfaces on which items are shown; mounted for good, empty while nothing plays. */
export function Playing() {
  const first = useRef<HTMLDivElement>(null);
  const second = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const known = useMirror(({ snapshot }) => snapshot !== null);
  const program = useMirror(({ snapshot }) => (snapshot?.state === 'playing' ? snapshot.program : null));
  useEffect(() => {
    if (!known || first.current === null || second.current === null) return;
    stage.current ??= createStage({
      surfaces: [first.current, second.current],
      // Main logs reports; one that it refuses must not stop the picture.
      report: (report) => void bridge.report(report).catch(() => {}),
      changed: takeStage,
      resume: useMirror.getState().resume,
    });
    stage.current.show(program);
  }, [known, program]);
  return (
    <div className="stage" data-testid="stage">
      <div className="surface" ref={first} />
      <div className="surface" ref={second} />
    </div>
  );
}
