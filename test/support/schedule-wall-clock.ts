/**
 * A second reading of the wall clock, by another way than the product's: the
 * short Swedish form of a date, parsed, its weekday by name.
 */
export function wallClock(zone: string): (atMs: number) => { time: number; weekday: number } {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (atMs) => {
    const match = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(format.format(atMs));
    if (match === null) throw new Error('the runtime writes Swedish dates in another way');
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
    const milliseconds = ((atMs % 1_000) + 1_000) % 1_000;
    return {
      time: ((hour * 60 + minute) * 60 + second) * 1_000 + milliseconds,
      weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
    };
  };
}
