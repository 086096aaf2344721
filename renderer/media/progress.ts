/** What a look at a playing video shows. */
export interface Glance {
  /** Milliseconds of a steady clock. */
  readonly atMs: number;
  /** The media clock in seconds. */
  readonly mediaSeconds: number;
  /** Frames handed to the display since the reveal. */
  readonly presentedFrames: number;
  /** Frames that the decoder has made. */
  readonly decodedFrames: number;
}

/** How long a video may stand still. */
export const patienceMs = 2000;

/** How long a stream may: its next segment comes over a network. */
export const streamPatienceMs = 5000;

/** Frames that a decoder makes ahead of the display; a video of still pictures presents few, and that is no fault. */
const decodedAhead = 8;

/**
 * Judges glances at a video: `true` when its clock has stood still, or its decoder has worked without a frame reaching
 * the display, for `patience`. Events are no evidence: a decoder may hang without any.
 */
export function progressJudge(first: Glance, patience = patienceMs): (glance: Glance) => boolean {
  let clockMoved = first;
  let framePresented = first;
  return (glance) => {
    if (glance.mediaSeconds !== clockMoved.mediaSeconds) clockMoved = glance;
    const workedFor = glance.decodedFrames - framePresented.decodedFrames;
    if (glance.presentedFrames !== framePresented.presentedFrames) framePresented = glance;
    else if (workedFor <= decodedAhead) framePresented = { ...framePresented, atMs: glance.atMs };
    return glance.atMs - Math.min(clockMoved.atMs, framePresented.atMs) > patience;
  };
}
