/** Timestamps on the wire (OCPP 1.6 section 3.15): RFC 3339 outwards, a little more inwards. Pure arithmetic, no Date. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

// Days from 1 March of year 0, where the eras of 400 years begin, to 1 January 1970.
const EPOCH_DAY = 719_468;
const DAYS_PER_ERA = 146_097;

// A year that begins in March has its leap day last, so that month lengths need no table.
function dayNumber(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * DAYS_PER_ERA + yearOfEra * 365 + leapDays + dayOfYear - EPOCH_DAY;
}

function civilDate(days: number): { year: number; month: number; day: number } {
  const shifted = days + EPOCH_DAY;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const leapDays = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = ((marchMonth + 2) % 12) + 1;
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** Years 0000 to 9999, which is all that four digits can say. */
export const EARLIEST_MS = dayNumber(0, 1, 1) * DAY_MS;
export const LATEST_MS = dayNumber(10_000, 1, 1) * DAY_MS - 1;

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/**
 * Epoch milliseconds to `YYYY-MM-DDTHH:MM:SS.mmmZ`, UTC; fractions of a millisecond are cut off.
 * Throws RangeError for NaN and for years outside 0000 to 9999.
 */
export function formatTimestamp(epochMs: number): string {
  if (!(epochMs >= EARLIEST_MS && epochMs < LATEST_MS + 1)) throw new RangeError(`no such time: ${epochMs}`);
  const days = Math.floor(epochMs / DAY_MS);
  const ms = Math.floor(epochMs - days * DAY_MS);
  const { year, month, day } = civilDate(days);
  const hour = padded(Math.floor(ms / HOUR_MS), 2);
  const minute = padded(Math.floor((ms % HOUR_MS) / MINUTE_MS), 2);
  const second = padded(Math.floor((ms % MINUTE_MS) / SECOND_MS), 2);
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  return `${date}T${hour}:${minute}:${second}.${padded(ms % SECOND_MS, 3)}Z`;
}

const DATE = String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:\.(?<fraction>\d+))?`;
const OFFSET = String.raw`(?<zone>z|(?<sign>[+-])(?<offsetHour>\d\d)(?::?(?<offsetMinute>\d\d))?)`;
const TIMESTAMP = new RegExp(String.raw`^${DATE}[t\s]${TIME}${OFFSET}?$`, 'i');

function daysIn(year: number, month: number): number {
  const nextMonth = month === 12 ? dayNumber(year + 1, 1, 1) : dayNumber(year, month + 1, 1);
  return nextMonth - dayNumber(year, month, 1);
}

/** What a text says, provided that such a moment exists. */
function read(text: string): { epochMs: number; zoned: boolean } | undefined {
  const groups = TIMESTAMP.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const field = (name: string): number => Number(groups[name] ?? 0);
  const [year, month, day] = [field('year'), field('month'), field('day')];
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined;

  const [hour, minute, second] = [field('hour'), field('minute'), field('second')];
  const [offsetHour, offsetMinute] = [field('offsetHour'), field('offsetMinute')];
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const offset = (groups['sign'] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  // A leap second is the last of a day, and that day is one of UTC.
  const minuteOfDay = (((hour * 60 + minute - offset) % 1440) + 1440) % 1440;
  if (second > 60 || (second === 60 && minuteOfDay !== 1439)) return undefined;

  const timeMs = hour * HOUR_MS + (minute - offset) * MINUTE_MS + second * SECOND_MS;
  const fractionMs = Number((groups['fraction'] ?? '').slice(0, 3).padEnd(3, '0'));
  return { epochMs: dayNumber(year, month, day) * DAY_MS + timeMs + fractionMs, zoned: groups['zone'] !== undefined };
}

/** Strict: a date-time as the official schemas want it. 30 February and 24:00 are refused, a leap second is allowed. */
export const isDateTime = (text: string): boolean => read(text)?.zoned === true;

/**
 * Tolerant: epoch milliseconds, or undefined where no such moment exists. Takes everything that `isDateTime` takes, and a text
 * without offset as UTC. Digits below the millisecond are cut off; a leap second is the first second of the next day. What an
 * offset moves beyond the years 0000 to 9999 stays at their edge, so that `formatTimestamp` takes every answer.
 */
export function parseTimestamp(text: string): number | undefined {
  const moment = read(text);
  return moment && Math.min(Math.max(moment.epochMs, EARLIEST_MS), LATEST_MS);
}
