/** The composite schedule against a second implementation that looks at every single second. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { install, type ProfileBook } from '../../../src/core/smart-charging/book.ts';
import { compositeSchedule } from '../../../src/core/smart-charging/composite-schedule.ts';
import type { Site, SiteConnector } from '../../../src/core/smart-charging/limit.ts';
import { limitAt } from '../../../src/core/smart-charging/limit-at.ts';
import type { ChargingProfile, ChargingSchedulePeriod } from '../../../src/core/smart-charging/profile.ts';
import { DAY_S, MIDNIGHT } from './builders.ts';
import { naiveLimit } from './naive.ts';

/** Everything happens within minutes of a few moments, so that starts, ends, recurrences and windows meet. */
const grid = (most: number) => fc.integer({ min: 1, max: Math.floor(most / 60) }).map((minutes) => minutes * 60);
const seconds = (most: number) => fc.oneof(fc.integer({ min: 1, max: most }), grid(most));

const moment = fc
  .tuple(
    fc.constantFrom(-8 * DAY_S, -7 * DAY_S, -DAY_S, 0, 0, 0, DAY_S),
    seconds(1800).map((fineS) => fineS - 900),
    fc.constantFrom(0, 0, 1, 999),
  )
  .map(([coarseS, fineS, ms]) => MIDNIGHT + (coarseS + fineS) * 1000 + ms);

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

/** Leaves out what is undefined, as the shapes of the messages do. */
const sparse = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

const phases = fc.constantFrom(1 as const, 2 as const, 3 as const);
const limitValue = (unit: 'A' | 'W') =>
  unit === 'A'
    ? fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10)
    : fc.integer({ min: 0, max: 220 }).map((n) => n * 100);

const periods = (unit: 'A' | 'W') =>
  fc
    .array(
      fc.record({
        gap: fc.oneof(seconds(300), fc.integer({ min: DAY_S - 600, max: DAY_S + 600 })),
        limit: limitValue(unit),
        numberPhases: optional(phases),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((list) => {
      let startPeriod = 0;
      return list.map(({ gap, limit, numberPhases }, index): ChargingSchedulePeriod => {
        startPeriod = index === 0 ? 0 : startPeriod + gap;
        return sparse({ startPeriod, limit, numberPhases }) as ChargingSchedulePeriod;
      });
    });

const schedule = fc.constantFrom('A' as const, 'W' as const).chain((chargingRateUnit) =>
  fc
    .record({
      chargingRateUnit: fc.constant(chargingRateUnit),
      duration: optional(fc.oneof(seconds(1200), fc.integer({ min: DAY_S - 600, max: DAY_S + 600 }))),
      startSchedule: optional(moment),
      chargingSchedulePeriod: periods(chargingRateUnit),
    })
    .map(sparse),
);

const profile = fc
  .record({
    chargingProfileId: fc.integer({ min: 1, max: 12 }),
    stackLevel: fc.integer({ min: 0, max: 3 }),
    chargingProfilePurpose: fc.constantFrom(
      'ChargePointMaxProfile' as const,
      'TxDefaultProfile' as const,
      'TxProfile' as const,
    ),
    chargingProfileKind: fc.constantFrom('Absolute' as const, 'Recurring' as const, 'Relative' as const),
    recurrencyKind: fc.constantFrom('Daily' as const, 'Weekly' as const),
    validFrom: optional(moment),
    validTo: optional(moment),
    chargingSchedule: schedule,
  })
  .map((each) => sparse(each) as ChargingProfile);

const connector = (connectorId: number): fc.Arbitrary<SiteConnector> =>
  fc
    .record({
      connectorId: fc.constant(connectorId),
      phases,
      maxA: fc.constantFrom(16, 32),
      transaction: optional(moment.map((startedAt) => ({ startedAt }))),
    })
    .map((each) => sparse(each) as SiteConnector);

const site: fc.Arbitrary<Site> = fc
  .record({
    nominalV: fc.constantFrom(230, 110),
    phases,
    gridA: optional(fc.constantFrom(20, 40)),
    connectors: fc.tuple(connector(1), connector(2)),
  })
  .map((each) => sparse(each) as Site);

const installation = fc.record({ connectorId: fc.integer({ min: 0, max: 2 }), profile, now: moment });

/** What SetChargingProfile would make of it; most are accepted, because connector and purpose are made to fit. */
function bookFrom(
  installations: readonly { connectorId: number; profile: ChargingProfile; now: number }[],
): ProfileBook {
  return installations.reduce<ProfileBook>((book, { connectorId, profile, now }) => {
    const purpose = profile.chargingProfilePurpose;
    const on =
      purpose === 'ChargePointMaxProfile' ? 0 : purpose === 'TxProfile' ? Math.max(1, connectorId) : connectorId;
    const installed = install(book, on, profile, { now, transaction: { startedAt: now } });
    return installed.ok ? installed.book : book;
  }, []);
}

const world = fc.record({
  book: fc.array(installation, { maxLength: 9 }).map(bookFrom),
  site,
  connectorId: fc.integer({ min: 0, max: 2 }),
  from: moment,
});

const tenthsBelow = (exact: number) => (reported: number) => reported <= exact + 1e-6 && reported > exact - 0.1;

describe('the composite schedule (OCPP 1.6 sections 3.13.3 and 5.7)', () => {
  it('says in every second what a second by second evaluation says, in as few periods as possible', () => {
    fc.assert(
      fc.property(
        world,
        fc.constantFrom('A' as const, 'W' as const),
        fc.integer({ min: 1, max: 2000 }),
        ({ book, site, connectorId, from }, unit, durationS) => {
          const composite = compositeSchedule(book, { connectorId, from, durationS, unit, site });
          const { periods = [], scheduleStart = 0 } = composite ?? {};
          expect(composite?.durationS).toBe(durationS);
          expect(scheduleStart).toBe(Math.floor(from / 1000) * 1000);
          expect(periods[0]?.startPeriod).toBe(0);
          let index = 0;
          for (let second = 0; second < durationS; second += 1) {
            if (periods[index + 1]?.startPeriod === second) index += 1;
            const period = periods[index];
            const naive = naiveLimit(book, connectorId, scheduleStart + second * 1000, from, site);
            const isRight =
              period?.numberPhases === naive.phases &&
              tenthsBelow(unit === 'A' ? naive.amps : naive.watts)(period.limit);
            if (!isRight) expect({ second, period }).toEqual({ second, period: naive });
          }
          expect(index).toBe(Math.max(0, periods.length - 1));
          for (const [n, { limit, numberPhases }] of periods.entries())
            expect([limit, numberPhases]).not.toEqual([periods[n - 1]?.limit, periods[n - 1]?.numberPhases]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('says the same as the second by second evaluation over weeks, wherever one looks', () => {
    fc.assert(
      fc.property(
        world,
        fc.integer({ min: DAY_S, max: 20 * DAY_S }),
        ({ book, site, connectorId, from }, durationS) => {
          const composite = compositeSchedule(book, { connectorId, from, durationS, unit: 'A', site });
          const { periods = [], scheduleStart = 0 } = composite ?? {};
          const looks = Array.from({ length: 400 }, (_, n) => Math.floor((n * durationS) / 400));
          const changes = periods.flatMap(({ startPeriod }) =>
            startPeriod === 0 ? [0] : [startPeriod - 1, startPeriod],
          );
          for (const second of [...looks, ...changes]) {
            const period = periods.findLast(({ startPeriod }) => startPeriod <= second);
            const naive = naiveLimit(book, connectorId, scheduleStart + second * 1000, from, site);
            const isRight = period?.numberPhases === naive.phases && tenthsBelow(naive.amps)(period.limit);
            if (!isRight) expect({ second, period }).toEqual({ second, period: naive });
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is the same book after a stay in the store', () => {
    fc.assert(
      fc.property(world, ({ book }) => {
        expect(JSON.parse(JSON.stringify(book))).toEqual(book);
      }),
      { numRuns: 100 },
    );
  });
});

describe('limitAt', () => {
  it('says what the second says, and nothing changes before `until`', () => {
    fc.assert(
      fc.property(world, ({ book, site, connectorId, from }) => {
        const now = limitAt(book, connectorId, from, site);
        const start = Math.floor(from / 1000) * 1000;
        const naive = naiveLimit(book, connectorId, start, from, site);
        expect(now).toBeDefined();
        if (now === undefined) return;
        expect(tenthsBelow(naive.amps)(now.limitA)).toBe(true);
        expect(now.numberPhases).toBe(naive.phases);
        expect(now.reason.length).toBeLessThanOrEqual(50);
        expect(now.until).toBeGreaterThan(from);
        expect(now.until).toBeLessThanOrEqual(start + DAY_S * 1000);
        for (let ms = start; ms < Math.min(now.until, start + 1_800_000); ms += 1000) {
          const then = naiveLimit(book, connectorId, ms, from, site);
          if (!tenthsBelow(then.amps)(now.limitA))
            expect({ ms, limitA: then.amps }).toEqual({ ms, limitA: now.limitA });
        }
      }),
      { numRuns: 400 },
    );
  });
});
