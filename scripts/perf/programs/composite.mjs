/** Composite schedules of books that are as busy as they may be. Argument: how many of each. Prints one JSON line on descriptor 3. */
import { writeSync } from 'node:fs';
import { composing } from '../../../src/core/smart-charging/composite-schedule.ts';
import { at, bookOf, DAY_S, MIDNIGHT, profile, schedule, site } from '../../../test/core/smart-charging/builders.ts';

const RESULT = 3;
const PROFILES = 100;
const PERIODS = 500;
const PAUSE_MS = 3;
const count = Number(process.argv[2]);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

const busy = (n, stepS, rest, startS, duration) =>
  profile(n, {
    ...rest,
    ...(n % 2 === 0 ? { chargingProfilePurpose: 'ChargePointMaxProfile' } : {}),
    chargingSchedule: schedule(
      Array.from({ length: PERIODS }, (_, index) => [index * stepS, 6 + ((index * 7 + n) % 25)]),
      { startSchedule: at(startS), duration },
    ),
  });
const bookFrom = (profileOf) => bookOf(Array.from({ length: PROFILES }, (_, n) => [0, profileOf(n)]));

/** As in test/core/smart-charging/performance.test.ts. */
const BOOKS = {
  /** Every period of every profile is visible. */
  sequence: bookFrom((n) => {
    const turn = Math.floor(n / 2);
    return busy(n, 6, { stackLevel: turn }, turn * 3456 + 3 * (n % 2), 3000);
  }),
  /** The higher the level the shorter the schedule: all are looked through again and again. */
  tower: bookFrom((n) => {
    const rest = { stackLevel: n, chargingProfileKind: 'Recurring', recurrencyKind: 'Daily' };
    return busy(n, 170 - n, rest, n * 13 - DAY_S, DAY_S - n * 800);
  }),
};

function measured(book, connectorId) {
  const request = { connectorId, from: MIDNIGHT, durationS: 2 * DAY_S, unit: 'A', site: site() };
  const begun = nowMs();
  const slices = composing(book, request);
  let sliceMs = 0;
  for (let last = begun, done = false; !done; ) {
    done = slices.next().done === true;
    const now = nowMs();
    sliceMs = Math.max(sliceMs, now - last);
    last = now;
  }
  return { wholeMs: nowMs() - begun, sliceMs };
}

const cases = Object.entries(BOOKS).flatMap(([name, book]) =>
  [0, 1].map((connectorId) => ({ name: `${name}, connector ${connectorId}`, book, connectorId, samples: [] })),
);
// In turn, so that none of them has the processor's best minute; the first rounds warm the compiler up.
for (let round = -20; round < count; round++) {
  for (const { book, connectorId, samples } of cases) {
    const sample = measured(book, connectorId);
    if (round >= 0) samples.push(sample);
    // Whoever takes more than 95 % of a second under `chrt -r` is held up for the rest of it.
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
writeSync(RESULT, `${JSON.stringify(cases.map(({ name, samples }) => ({ name, samples })))}\n`);
