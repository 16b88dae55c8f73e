/** A moment for people, in UTC; the day goes without saying within a day. Pure. */

const padded = (value: number): string => String(value).padStart(2, '0');

/** `14:00Z`, or `14:00:30Z`; whole seconds since the epoch. */
export function timeOfDay(epochS: number): string {
  const second = epochS % 60;
  const time = `${padded(Math.floor(epochS / 3600) % 24)}:${padded(Math.floor(epochS / 60) % 60)}`;
  return second === 0 ? `${time}Z` : `${time}:${padded(second)}Z`;
}
