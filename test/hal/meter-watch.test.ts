/** Over-current and voltage as the meter sees them, in virtual time: what trips, what does not, and how often the meter is asked. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VoltageLimits } from '../../hal/board-description.ts';
import type { ContactorState, EvseState, Lines, Offer, PilotState, Reading } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { HalError } from '../../hal/hal-error.ts';
import { COMES_BACK_WITHIN_MS, judgeVoltage, NOTED_EVERY_MS, type VoltageMemory } from '../../hal/meter-limits.ts';
import { LOOK_EVERY_MS, type MeterWatchParts, watchedMeter } from '../../hal/meter-watch.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';

const PAGE = readFileSync(new URL('../../docs/protection.md', import.meta.url), 'utf8');
const OVER_CURRENT = { factor: 1.1, marginA: 0.5, forS: 7 };
const VOLTAGE = { leastV: 207, mostV: 253, forS: 5, reconnectLeastV: 209, reconnectMostV: 251, reconnectAfterS: 60 };

class Site {
  readonly clock = new VirtualClock();
  readonly book = new FaultBook();
  readonly told: string[] = [];
  readonly listeners = new Set<(state: EvseState) => void>();
  signalled: Offer = 16;
  contactor: ContactorState = 'open';
  pilot: PilotState = 'C';
  current: Lines = { L1: 0, L2: 0, L3: 0 };
  voltage: Lines = { L1: 230, L2: 230, L3: 230 };
  /** Undefined: the meter does not measure it. */
  hz: number | undefined = 50;
  phases: 1 | 3 = 3;
  silent = false;
  readMs = 0;
  /** How each reading goes, from the first to the last and then from the first again; else all take `readMs`. */
  readings: readonly { readonly takesMs: number; readonly fails: boolean }[] = [];
  /** When a reading takes its time: what flowed when it was asked, or when it answers. */
  shows: 'first' | 'last' = 'last';
  reads = 0;
  trips = 0;
  readonly meter;

  constructor(protection: MeterWatchParts['protection'] = { overCurrent: OVER_CURRENT, voltage: VOLTAGE }) {
    const site = this;
    this.book.onChange(({ fault, raised }) => {
      this.told.push(`${raised ? '+' : '-'}${fault.code} ${fault.info ?? ''} ${this.contactor}`);
    });
    const trip = (): void => {
      this.trips++;
      this.switch('open');
    };
    this.book.attach(1, { trip, release: () => {} });
    this.meter = watchedMeter({
      connectorId: 1,
      evse: {
        get state(): EvseState {
          return { pilot: site.pilot, contactor: site.contactor };
        },
        get signalled() {
          return site.signalled;
        },
        onState: (listener) => {
          this.listeners.add(listener);
          return () => this.listeners.delete(listener);
        },
      },
      meter: { offers: {}, read: () => this.#read() },
      phases: () => this.phases,
      protection,
      book: this.book,
      clock: this.clock,
    });
  }

  async #read(): Promise<Reading> {
    const { takesMs, fails } = this.readings[this.reads % this.readings.length] ?? {
      takesMs: this.readMs,
      fails: false,
    };
    this.reads++;
    const first = this.current;
    if (takesMs > 0) await new Promise<void>((resolve) => this.clock.after(takesMs, resolve));
    if (this.silent || fails) throw new HalError('meterSilent', 'test');
    const { voltage, hz } = this;
    const current = this.shows === 'first' ? first : this.current;
    const frequency = hz === undefined ? {} : { frequency: { sum: hz } };
    return { at: this.clock.now(), serialNumber: undefined, values: { current, voltage, ...frequency } };
  }

  switch(contactor: ContactorState): void {
    this.contactor = contactor;
    for (const listener of this.listeners) listener({ pilot: this.pilot, contactor });
  }

  draws(L1: number, L2 = L1, L3 = L1): void {
    this.current = { L1, L2, L3 };
  }

  get faults(): readonly string[] {
    return this.book.current.map(({ code }) => code);
  }
}

const charging = (protection?: MeterWatchParts['protection']): Site => {
  const site = new Site(protection);
  site.switch('closed');
  return site;
};

describe('over-current by the meter', () => {
  it.each<[string, number, Lines, string[]]>([
    ['what is signalled', 16, { L1: 16, L2: 16, L3: 16 }, []],
    ['a tenth more than signalled, and the error of the meter', 16, { L1: 18.15, L2: 0, L3: 0 }, []],
    ['more than that on L1', 16, { L1: 18.2, L2: 0, L3: 0 }, ['overCurrent']],
    ['more than that on L3', 16, { L1: 16, L2: 16, L3: 18.2 }, ['overCurrent']],
    ['the sum of a meter that has no phases', 6, { sum: 7.2 }, ['overCurrent']],
    ['the sum of a meter that has phases', 16, { sum: 48, L1: 16, L2: 16, L3: 16 }, []],
    ['what flows back', 6, { L1: -7.2 }, ['overCurrent']],
  ])('judges %s', async (_what, signalled, current, expected) => {
    const site = charging();
    site.signalled = signalled;
    site.current = current;
    await site.clock.advance(seconds(30));
    expect(site.faults).toEqual(expected);
  });

  it('lasts for 7 s before it trips, and has opened the contactor before anybody hears of it', async () => {
    const site = charging();
    site.draws(16, 20.04, 16);
    await site.clock.advance(6999);
    expect(site.told).toEqual([]);
    await site.clock.advance(1);
    expect(site.told).toEqual(['+overCurrent L2 draws 20.0 A of 16.0 A open']);
  });

  it('begins anew when a look in between finds no more than is allowed', async () => {
    const site = charging();
    site.draws(20);
    await site.clock.advance(6500);
    site.draws(16);
    await site.clock.advance(1000);
    site.draws(20);
    await site.clock.advance(6500);
    expect(site.faults).toEqual([]);
    await site.clock.advance(1000);
    expect(site.faults).toEqual(['overCurrent']);
  });

  it('waits for the EV to leave', async () => {
    const site = charging();
    site.draws(20);
    await site.clock.advance(seconds(8));
    site.draws(0);
    await site.clock.advance(seconds(60));
    expect(site.faults).toEqual(['overCurrent']);
    site.book.unplugged(1);
    expect(site.faults).toEqual([]);
  });

  it('gives an EV that follows within 5 s its time, also while the offer falls step by step', async () => {
    const site = charging();
    const told: [number, number][] = [];
    for (let amps = 32; amps >= 6; amps -= 2) {
      site.signalled = amps;
      told.push([site.clock.now(), amps]);
      for (let tenth = 0; tenth < 20; tenth++) {
        const followed = told.filter(([at]) => at <= site.clock.now() - 4500).at(-1);
        site.draws(followed?.[1] ?? 32);
        await site.clock.advance(100);
      }
    }
    expect(site.told).toEqual([]);
  });

  it('catches an EV that does not follow a smaller offer, 7 s after it', async () => {
    const site = charging();
    site.signalled = 32;
    site.draws(32);
    await site.clock.advance(seconds(20));
    site.signalled = 10;
    await site.clock.advance(6900);
    expect(site.faults).toEqual([]);
    await site.clock.advance(2100);
    expect(site.faults).toEqual(['overCurrent']);
  });

  it('leaves an EV to the interlock that still draws at x1', async () => {
    const site = charging();
    site.draws(16);
    site.signalled = 'x1';
    await site.clock.advance(seconds(30));
    expect(site.faults).toEqual([]);
  });

  it('does not take a silent meter for an over-current, nor what was before its silence', async () => {
    const site = charging();
    site.draws(20);
    await site.clock.advance(3000);
    site.silent = true;
    await site.clock.advance(seconds(30));
    expect(site.faults).toEqual([]);
    site.silent = false;
    await site.clock.advance(5000);
    expect(site.faults).toEqual([]);
    await site.clock.advance(4000);
    expect(site.faults).toEqual(['overCurrent']);
  });

  it('is seen in the readings that others ask for, between two looks of its own', async () => {
    const site = charging({ overCurrent: { ...OVER_CURRENT, forS: 6.2 } });
    await site.clock.advance(500);
    site.draws(40);
    await site.meter.read();
    await site.clock.advance(6200);
    expect(site.faults).toEqual([]);
    await site.meter.read();
    expect([site.contactor, site.faults]).toEqual(['open', ['overCurrent']]);
  });
});

describe('over-current by a meter that takes its time', () => {
  /** From one look to the next, in ms, as docs/protection.md has it. */
  const everyMs = (readMs: number): number => Math.max(readMs, Math.min(Math.max(1000, 4 * readMs), 3000));
  const readMs = fc.integer({ min: 0, max: 12_000 });

  it('trips however slow the meter is, not before 7 s, and within what the page says', async () => {
    const story = fc.record({
      readMs,
      beforeMs: fc.integer({ min: 0, max: 12_000 }),
      shows: fc.constantFrom('first', 'last'),
    });
    await fc.assert(
      fc.asyncProperty(story, async ({ readMs, beforeMs, shows }) => {
        const site = charging();
        Object.assign(site, { readMs, shows, signalled: 6 });
        await site.clock.advance(beforeMs);
        site.draws(32);
        const from = site.clock.now();
        let trippedAfter: number | undefined;
        site.book.onChange(() => {
          trippedAfter = site.clock.now() - from;
        });
        await site.clock.advance(seconds(60));
        const every = everyMs(readMs);
        expect(trippedAfter).toBeGreaterThanOrEqual(7000);
        expect(trippedAfter).toBeLessThanOrEqual(every + readMs + Math.ceil(7000 / every) * every);
      }),
      { numRuns: 60 },
    );
  });

  it('trips also where readings fail, unless it is three in a row: later by two looks at most before each of the two that it needs', async () => {
    /** So many fail before each one that does not. */
    const failing = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(readMs, failing, async (takesMs, failing) => {
        const site = charging();
        Object.assign(site, { signalled: 6 });
        site.readings = failing.flatMap((times) =>
          [...Array<boolean>(times).fill(true), false].map((fails) => ({ takesMs, fails })),
        );
        site.draws(32);
        let trippedAfter: number | undefined;
        const from = site.clock.now();
        site.book.onChange(() => {
          trippedAfter ??= site.clock.now() - from;
        });
        await site.clock.advance(seconds(120));
        const every = everyMs(takesMs);
        expect(trippedAfter).toBeGreaterThanOrEqual(7000);
        expect(trippedAfter).toBeLessThanOrEqual(every + takesMs + Math.ceil(7000 / every) * every + 4 * every);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    [250, 8.3],
    [400, 10],
    [750, 12.8],
    [3000, 15],
    [6000, 24],
  ])('is told on the page for %i ms: %d s', (readMs, withinS) => {
    const every = everyMs(readMs);
    const mostMs = every + readMs + Math.ceil(7000 / every) * every;
    expect(Math.ceil(mostMs / 100) / 10).toBe(withinS);
    expect(PAGE).toContain(`| ${readMs / 1000} s | ${every / 1000} s | ${withinS} s |`);
  });

  it('never trips an EV that follows within 5 s, whatever is offered, withdrawn or read, and whenever', async () => {
    const current = fc.record({
      forMs: fc.integer({ min: NOTED_EVERY_MS, max: 9000 }),
      offer: fc.integer({ min: 6, max: 32 }),
    });
    const withdrawn = fc.record({ forMs: fc.integer({ min: 1, max: 3000 }), offer: fc.constant<Offer>('x1') });
    const offers = fc.array(fc.oneof({ weight: 3, arbitrary: current }, { weight: 1, arbitrary: withdrawn }), {
      minLength: 5,
      maxLength: 12,
    });
    const readings = fc.array(
      fc.record({
        takesMs: fc.oneof(fc.integer({ min: 0, max: 500 }), readMs),
        fails: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    const slowAtLast = [0, 0, 0, 0, 0, 0, 0, 0, 5000].map((takesMs) => ({ takesMs, fails: false }));
    const told = (forMs: number, offer: Offer) => ({ forMs, offer });
    await fc.assert(
      fc.asyncProperty(readings, offers, async (readings, offers) => {
        const site = charging();
        Object.assign(site, { readings, shows: 'first' });
        const ampsOf = (offer: Offer): number => (typeof offer === 'number' ? offer : 0);
        const told: { readonly until: number; readonly amps: number }[] = [];
        // It takes all it may, as late as it may.
        const drawn = (): number => {
          const since = site.clock.now() - 4999;
          return Math.max(ampsOf(site.signalled), ...told.filter(({ until }) => until > since).map(({ amps }) => amps));
        };
        Object.defineProperty(site, 'current', { get: () => ({ L1: drawn(), L2: 0, L3: 0 }) });
        for (const { forMs, offer } of offers) {
          site.signalled = offer;
          await site.clock.advance(forMs);
          told.push({ until: site.clock.now(), amps: ampsOf(offer) });
        }
        await site.clock.advance(seconds(10));
        expect(site.told).toEqual([]);
      }),
      // Withdrawn for a moment, and then a reading that takes its time.
      { numRuns: 300, examples: [[slowAtLast, [told(3500, 32), told(1000, 'x1'), told(9000, 6)]]] },
    );
  });

  it('does not count what was before the contactor has opened', async () => {
    const site = charging();
    site.readMs = 4000;
    site.draws(20);
    await site.clock.advance(5000);
    site.switch('open');
    await site.clock.advance(seconds(60));
    site.switch('closed');
    await site.clock.advance(4500);
    expect(site.faults).toEqual([]);
    await site.clock.advance(8000);
    expect(site.faults).toEqual(['overCurrent']);
  });
});

describe('the looks at the meter', () => {
  it('come each second while the contactor is closed, and not otherwise', async () => {
    const site = new Site();
    await site.clock.advance(seconds(60));
    expect(site.reads).toBe(0);
    site.switch('closed');
    await site.clock.advance(10 * LOOK_EVERY_MS - 1);
    expect(site.reads).toBe(10);
    site.switch('open');
    await site.clock.advance(seconds(60));
    expect(site.reads).toBe(10);
  });

  it.each([
    [400, 1600],
    [700, 2800],
    [800, 3000],
    [2000, 3000],
    [5000, 5000],
  ])(
    'that take %i ms come every %i ms: a quarter of the time of a slow line, and more where they would be rare',
    async (ms, every) => {
      const site = charging();
      site.readMs = ms;
      await site.clock.advance(10 * every - 1);
      expect(site.reads).toBe(10);
    },
  );

  it('take no more than a quarter of the time of its line from a meter that has failed three times', async () => {
    const site = charging();
    site.readMs = 2000;
    site.silent = true;
    await site.clock.advance(2 * 3000 + 2000);
    expect(site.reads).toBe(3);
    await site.clock.advance(10 * 8000 - 1);
    expect(site.reads).toBe(3 + 10);
    site.silent = false;
    await site.clock.advance(2001);
    const { reads } = site;
    await site.clock.advance(30_000);
    expect(site.reads).toBe(reads + 10);
  });

  it('are not made where somebody else has asked within the second', async () => {
    const site = charging();
    await site.clock.advance(500);
    expect(site.reads).toBe(1);
    for (let half = 0; half < 20; half++) {
      await site.meter.read();
      await site.clock.advance(500);
    }
    expect(site.reads).toBe(21);
    await site.clock.advance(1000);
    expect(site.reads).toBe(22);
  });

  it('end when the board is closed', async () => {
    const site = charging();
    await site.clock.advance(1500);
    const { reads } = site;
    site.meter.close();
    await site.clock.advance(seconds(60));
    expect(site.reads).toBe(reads);
  });
});

describe('the voltage window', () => {
  it.each<[string, Lines, string[]]>([
    ['the lowest of it', { L1: 207, L2: 230, L3: 230 }, []],
    ['the highest of it', { L1: 230, L2: 253, L3: 230 }, []],
    ['less on L2', { L1: 230, L2: 206.9, L3: 230 }, ['underVoltage']],
    ['more on L3', { L1: 230, L2: 230, L3: 253.1 }, ['overVoltage']],
    ['a phase that is gone', { L1: 230, L2: 230, L3: 0 }, ['underVoltage']],
    ['a meter without a voltage', {}, []],
  ])('judges %s', async (_what, voltage, expected) => {
    const site = charging();
    site.voltage = voltage;
    await site.clock.advance(seconds(30));
    expect(site.faults).toEqual(expected);
  });

  it('looks at the phases that are connected', async () => {
    const site = charging();
    site.phases = 1;
    site.voltage = { L1: 230, L2: 0, L3: 0 };
    await site.clock.advance(seconds(30));
    expect(site.faults).toEqual([]);
  });

  it('opens after 5 s outside, and not before', async () => {
    const site = charging();
    site.voltage = { L1: 230, L2: 200, L3: 230 };
    await site.clock.advance(4999);
    expect(site.told).toEqual([]);
    await site.clock.advance(1);
    expect(site.told).toEqual(['+underVoltage L2 at 200.0 V open']);
  });

  it('is over after 60 s within the narrower window', async () => {
    const site = charging();
    site.voltage = { L1: 260, L2: 230, L3: 230 };
    await site.clock.advance(seconds(6));
    site.voltage = { L1: 252, L2: 230, L3: 230 };
    await site.clock.advance(seconds(120));
    expect(site.faults).toEqual(['overVoltage']);
    site.voltage = { L1: 250, L2: 230, L3: 230 };
    await site.clock.advance(seconds(58));
    site.voltage = { L1: 252, L2: 230, L3: 230 };
    await site.clock.advance(seconds(2));
    site.voltage = { L1: 250, L2: 230, L3: 230 };
    await site.clock.advance(seconds(59));
    expect(site.faults).toEqual(['overVoltage']);
    await site.clock.advance(seconds(3));
    expect(site.faults).toEqual([]);
  });

  it('is over after the same time where the meter sits behind the open contactor', async () => {
    const site = charging();
    site.voltage = { L1: 200, L2: 200, L3: 200 };
    await site.clock.advance(seconds(6));
    site.voltage = { L1: 0, L2: 0, L3: 0 };
    await site.clock.advance(seconds(58));
    expect(site.faults).toEqual(['underVoltage']);
    await site.clock.advance(seconds(4));
    expect(site.faults).toEqual([]);
  });

  describe('with one of the frequency for reconnecting (OVE R 37, 5.7.4.2)', () => {
    const AUSTRIA = { ...VOLTAGE, reconnectLeastHz: 49.9, reconnectMostHz: 50.1 };
    /** The voltage has been too low for a moment, and is well since. */
    const disturbed = async (hz: number | undefined, limits: VoltageLimits = AUSTRIA): Promise<Site> => {
      const site = charging({ voltage: limits });
      site.voltage = { L1: 200, L2: 230, L3: 230 };
      site.hz = hz;
      await site.clock.advance(seconds(6));
      site.voltage = { L1: 230, L2: 230, L3: 230 };
      return site;
    };

    it.each([49.89, 50.11])('waits at %d Hz, and for 60 s more once that is over', async (hz) => {
      const site = await disturbed(hz);
      await site.clock.advance(seconds(300));
      expect(site.told).toEqual([
        '+underVoltage L1 at 200.0 V open',
        '+underVoltage waits for the frequency of the grid open',
      ]);
      expect(site.trips).toBe(2);
      site.hz = 50;
      await site.clock.advance(seconds(60));
      expect(site.faults).toEqual(['underVoltage']);
      await site.clock.advance(seconds(2));
      expect(site.faults).toEqual([]);
    });

    it('begins to wait anew when the frequency leaves it', async () => {
      const site = await disturbed(50);
      await site.clock.advance(seconds(50));
      site.hz = 49.8;
      await site.clock.advance(seconds(2));
      site.hz = 50;
      await site.clock.advance(seconds(58));
      expect(site.faults).toEqual(['underVoltage']);
      await site.clock.advance(seconds(4));
      expect(site.faults).toEqual([]);
    });

    it.each([49.9, 50.1])('does not wait at %d Hz', async (hz) => {
      const site = await disturbed(hz);
      await site.clock.advance(seconds(62));
      expect(site.told).toEqual(['+underVoltage L1 at 200.0 V open', '-underVoltage L1 at 200.0 V open']);
    });

    it.each([47, 53])('opens no contactor at %d Hz', async (hz) => {
      const site = charging({ voltage: AUSTRIA });
      site.hz = hz;
      await site.clock.advance(seconds(300));
      expect([site.contactor, site.faults]).toEqual(['closed', []]);
    });

    it('does not wait for what the meter does not measure, or cannot behind the open contactor', async () => {
      const blind = await disturbed(undefined);
      await blind.clock.advance(seconds(62));
      expect(blind.faults).toEqual([]);
      const behind = await disturbed(0);
      behind.voltage = { L1: 0, L2: 0, L3: 0 };
      await behind.clock.advance(seconds(62));
      expect(behind.faults).toEqual([]);
    });

    it('is not looked at where the limits do not name it', async () => {
      const site = await disturbed(49, VOLTAGE);
      await site.clock.advance(seconds(62));
      expect(site.faults).toEqual([]);
    });
  });

  describe('that is left again and again, the meter behind the contactor', () => {
    /** Closes as soon as it may, for so long. */
    const opensUnder = async (site: Site, hours: number): Promise<readonly number[]> => {
      const openings: number[] = [];
      const until = site.clock.now() + hours * seconds(3600);
      while (site.clock.now() < until) {
        site.voltage = site.contactor === 'closed' ? { L1: 190, L2: 190, L3: 190 } : { L1: 0, L2: 0, L3: 0 };
        const wasClosed = site.contactor === 'closed';
        await site.clock.advance(seconds(1));
        if (wasClosed && site.contactor === 'open') openings.push(site.clock.now());
        if (site.contactor === 'open' && site.faults.length === 0) site.switch('closed');
      }
      return openings;
    };
    const pauses = (openings: readonly number[]): readonly number[] =>
      openings.slice(1).map((at, index) => Math.round((at - (openings[index] ?? 0)) / 10_000) * 10);

    it('keeps the contactor open twice as long each time, an hour at most', () => {
      const openings: number[] = [];
      let memory: VoltageMemory = {};
      for (let at = 0; at < 6 * COMES_BACK_WITHIN_MS; at += 1000) {
        const closed = memory.fault === undefined;
        const verdict = judgeVoltage(memory, { at, volts: [['L1', closed ? 190 : 0]], closed }, VOLTAGE);
        memory = verdict.memory;
        if (verdict.begins !== undefined) openings.push(at);
      }
      expect(pauses(openings).slice(0, 8)).toEqual([70, 130, 250, 490, 970, 1930, 3610, 3610]);
      expect(openings.length).toBeLessThan(13);
    });

    it('begins anew with the next EV', async () => {
      const site = charging();
      await opensUnder(site, 0.1);
      site.switch('open');
      site.pilot = 'A';
      site.switch('open');
      await site.clock.advance(seconds(62));
      expect(site.faults).toEqual([]);
      site.pilot = 'C';
      expect(pauses(await opensUnder(site, 0.1)).slice(0, 2)).toEqual([70, 130]);
    });

    it('begins anew after an hour in which the voltage was well', async () => {
      const site = charging();
      await opensUnder(site, 0.1);
      site.voltage = { L1: 230, L2: 230, L3: 230 };
      await site.clock.advance(seconds(300));
      expect(site.faults).toEqual([]);
      site.switch('closed');
      await site.clock.advance(seconds(3600));
      expect(pauses(await opensUnder(site, 0.1)).slice(0, 2)).toEqual([70, 130]);
    });
  });

  it('begins no fault behind an open contactor', async () => {
    const site = new Site();
    site.voltage = { L1: 0, L2: 0, L3: 0 };
    for (let second = 0; second < 20; second++) {
      await site.meter.read();
      await site.clock.advance(1000);
    }
    expect(site.faults).toEqual([]);
  });
});
