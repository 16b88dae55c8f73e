/** What both messages say of when and how often to retrieve. */
import { CallError } from '../../errors.ts';
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import type { FirmwareOrder } from '../feature.ts';

/** So often at most: a central system that says more means for ever. */
const MOST_RETRIES = 1000;
const LONGEST_INTERVAL_S = 86_400;

/** Without a number one attempt: what goes on after it is the central system's to say. */
export const tries = (retries = 0, retryIntervalS?: number): Pick<FirmwareOrder, 'retries' | 'retryIntervalS'> => ({
  retries: Math.min(Math.max(retries, 0), MOST_RETRIES),
  ...(retryIntervalS === undefined
    ? {}
    : { retryIntervalS: Math.min(Math.max(retryIntervalS, 0), LONGEST_INTERVAL_S) }),
});

/** Epoch milliseconds. */
export function wallOf(dateTime: string): number {
  const wall = parseTimestamp(dateTime);
  if (wall === undefined) throw new CallError('PropertyConstraintViolation', `no time: ${dateTime.slice(0, 40)}`);
  return wall;
}
