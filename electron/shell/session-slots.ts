/** Sessions that are ever made: Electron keeps each until the player ends. */
const mostSessions = 32;

export interface SlotPorts<Session> {
  session(partition: string): Session;
  wipe(session: Session): Promise<void>;
  /** Whether a page lives in it. */
  isUsed(session: Session): boolean;
}

/**
 * A session for each asset alone. Once all have been made, a further asset gets the longest unused, wiped, in which no
 * page lives.
 */
export function createSlots<Session>(ports: SlotPorts<Session>): (assetId: string) => Promise<Session> {
  const slots: { readonly session: Session; assetId: string }[] = [];
  let made = 0;
  return async (assetId) => {
    const known = slots.findIndex((slot) => slot.assetId === assetId);
    const at = known < 0 && made >= mostSessions ? slots.findIndex(({ session }) => !ports.isUsed(session)) : known;
    const [found] = at < 0 ? [] : slots.splice(at, 1);
    // While one is wiped it is no slot, and counts all the same: each partition has one asset.
    const slot = found ?? { session: ports.session(`page-${made++}`), assetId };
    if (slot.assetId !== assetId) await ports.wipe(slot.session);
    slot.assetId = assetId;
    // Latest last: the first one is the longest unused.
    slots.push(slot);
    return slot.session;
  };
}
