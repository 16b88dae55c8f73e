/** One supply, several connectors: who may offer how much and when, by example. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  balance,
  type ConnectorLoad,
  type Pace,
  type Shares,
  type Supply,
  TURN_MS,
} from '../../../src/core/load/balance.ts';
import type { GridPhase, PerPhase } from '../../../src/core/load/grid.ts';

const RST: readonly GridPhase[] = [0, 1, 2];
const all = (amps: number): PerPhase => [amps, amps, amps];
const AT_ONCE: Pace = { randomDelayMs: 0, chance: 0.5 };

const load = (id: number, more: Partial<Omit<ConnectorLoad, 'id'>> = {}): ConnectorLoad => ({
  id,
  active: true,
  phases: RST,
  closed: false,
  cap: { limitA: 32, reason: 'the connector carries 32 A', urgent: true },
  leastA: 6,
  draw: undefined,
  ...more,
});
const cap = (limitA: number, urgent = false) => ({ cap: { limitA, reason: `a profile allows ${limitA} A`, urgent } });

/** Connectors at a supply in virtual time: an example says what changes, and when the balance looks again is for it to say. */
class Table {
  supply: Supply;
  pace: Pace;
  #loads = new Map<number, ConnectorLoad>();
  #shares: Shares = new Map();
  #at = 0;
  #nextAt: number | undefined;
  /** Each EV draws all that it may, and its meter is read each second; or nobody sees it. */
  measured = true;
  /** The meters of these do not answer. */
  readonly silent = new Set<number>();
  #reasons = new Map<number, string>();
  #delayed = new Map<number, number | undefined>();
  #limits = new Map<number, number>();
  /** `second: limit` of each change. */
  readonly changes: { readonly id: number; readonly s: number; readonly limitA: number }[] = [];

  constructor(supplyA: number | PerPhase, pace: Pace = AT_ONCE) {
    const reasons = ['the fuse is shared', 'the fuse of S is shared', 'the fuse of T is shared'] as const;
    this.supply = { amps: typeof supplyA === 'number' ? all(supplyA) : supplyA, reasons };
    this.pace = pace;
  }

  put(...loads: readonly ConnectorLoad[]): void {
    for (const each of loads) this.#loads.set(each.id, each);
    this.review();
  }

  change(id: number, more: Partial<ConnectorLoad>): void {
    this.put({ ...(this.#loads.get(id) ?? load(id)), ...more });
  }

  review(): void {
    const result = balance(this.#shares, [...this.#loads.values()], this.supply, this.pace, this.#at);
    this.#shares = result.shares;
    this.#nextAt = result.nextAt;
    for (const [id, { limitA, reason, delayedUntil }] of result.outcomes) {
      this.#reasons.set(id, reason);
      this.#delayed.set(id, delayedUntil);
      if (this.#limits.get(id) !== limitA) this.changes.push({ id, s: this.#at / 1000, limitA });
      this.#limits.set(id, limitA);
    }
  }

  /** In steps of 100 ms. */
  until(s: number): void {
    for (const end = s * 1000; this.#at < end; ) {
      this.#at += 100;
      const isLook = this.measured && this.#at % 1000 === 0;
      if (isLook) this.#read();
      if (isLook || (this.#nextAt !== undefined && this.#at >= this.#nextAt)) this.review();
    }
  }

  limits(): readonly number[] {
    return [...this.#loads.keys()].map((id) => this.#limits.get(id) ?? 0);
  }

  reason(id: number): string | undefined {
    return this.#reasons.get(id);
  }

  delayedUntilS(id: number): number | undefined {
    const until = this.#delayed.get(id);
    return until === undefined ? undefined : until / 1000;
  }

  cancelDelay(id: number): void {
    const share = this.#shares.get(id);
    if (share !== undefined) this.#shares = new Map([...this.#shares, [id, { ...share, delayedUntil: this.#at }]]);
    this.review();
  }

  /** `[second, limit]` of each change of this one after the second. */
  of(id: number, afterS = -1): readonly (readonly [number, number])[] {
    return this.changes.filter((each) => each.id === id && each.s > afterS).map(({ s, limitA }) => [s, limitA]);
  }

  #read(): void {
    for (const each of this.#loads.values()) {
      const amps = each.closed ? (this.#limits.get(each.id) ?? 0) : 0;
      const drawn = RST.map((phase) => (each.phases.includes(phase) ? amps : 0)) as unknown as PerPhase;
      if (!this.silent.has(each.id)) this.#loads.set(each.id, { ...each, draw: { at: this.#at, amps: drawn } });
    }
  }
}

describe('a newcomer', () => {
  it.each<[string, boolean, number]>([
    ['5 s if the meter shows that the EV has followed', true, 15],
    ['6 s if nobody can see it', false, 16],
  ])('waits for the first EV to let go: %s', (_, measured, s) => {
    const table = new Table(32);
    table.measured = measured;
    table.put(load(1, { closed: true }));
    table.until(10);
    table.put(load(2));
    expect(table.limits()).toEqual([16, 0]);
    expect(table.reason(2)).toBe('waits until another EV has let go');
    table.until(s - 0.1);
    expect(table.limits()).toEqual([16, 0]);
    table.until(s);
    expect(table.limits()).toEqual([16, 16]);
    expect(table.reason(2)).toBe('the fuse is shared');
  });

  it('waits for nobody where there is enough for both', () => {
    const table = new Table(63);
    table.put(load(1), load(2, cap(16)));
    expect(table.limits()).toEqual([32, 16]);
    expect([table.reason(1), table.reason(2)]).toEqual(['the connector carries 32 A', 'a profile allows 16 A']);
  });

  it('waits for nobody on another phase', () => {
    const table = new Table(16);
    table.put(load(1, { phases: [0] }));
    table.until(10);
    table.put(load(2, { phases: [1] }));
    expect(table.limits()).toEqual([16, 16]);
  });

  it('gets at once what the first one does not have', () => {
    const table = new Table(32);
    table.put(load(1, cap(10)));
    table.until(10);
    table.put(load(2));
    expect(table.limits()).toEqual([10, 22]);
  });

  it('gets nothing as long as the first EV draws more than it may', () => {
    const table = new Table(32);
    table.measured = false;
    table.put(load(1, { closed: true }));
    table.until(10);
    table.put(load(2));
    for (let s = 11; s <= 60; s++) {
      table.change(1, { draw: { at: s * 1000, amps: all(32) } });
      table.until(s);
    }
    expect(table.limits()[1]).toBe(0);
  });

  it('does not make the first one wait: nobody is asked to change an offer that does not change', () => {
    const table = new Table(32);
    table.put(load(1, { closed: true }));
    table.put(load(2, { closed: true }));
    table.until(120);
    expect(table.of(1)).toEqual([
      [0, 32],
      [5, 16],
    ]);
  });
});

describe('an EV that leaves', () => {
  it('leaves its share to the others after 5 to 6 s', () => {
    const table = new Table(32);
    table.put(load(1, { closed: true }), load(2, { closed: true }));
    table.until(20);
    table.change(1, { active: false, closed: false });
    expect(table.limits()[1]).toBe(16);
    table.until(26);
    expect(table.of(2, 0.1)).toEqual([[25, 32]]);
  });

  it('holds what flows through its welded contactor', () => {
    const table = new Table(32);
    table.put(load(1, { closed: true }), load(2, { closed: true }));
    table.until(20);
    table.measured = false;
    table.change(1, { active: false });
    for (let s = 20; s <= 60; s++) {
      table.change(1, { draw: { at: s * 1000, amps: all(16) } });
      table.until(s);
    }
    expect(table.limits()[1]).toBe(16);
  });

  it('holds what it was last allowed behind a welded contactor and a silent meter', () => {
    const table = new Table(32);
    table.put(load(1, { closed: true }), load(2, { closed: true }));
    table.until(20);
    table.silent.add(1);
    table.change(1, { active: false });
    table.until(600);
    expect(table.limits()[1]).toBe(16);
    table.change(1, { closed: false });
    table.until(601);
    expect(table.limits()[1]).toBe(32);
  });
});

describe('turns, where 6 A are not there for all', () => {
  const queue = (count: number): Table => {
    const table = new Table(10);
    table.put(...[...Array(count).keys()].map((index) => load(index + 1, { closed: true })));
    return table;
  };

  it('serves who came first, and tells the others', () => {
    const table = queue(3);
    expect(table.limits()).toEqual([10, 0, 0]);
    expect([table.reason(2), table.reason(3)]).toEqual([
      'waits for its turn: others charge',
      'waits for its turn: others charge',
    ]);
  });

  it('hands over after 15 minutes to who has waited the longest, and so on', () => {
    const table = queue(3);
    const turnS = TURN_MS / 1000;
    expect(turnS).toBe(900);
    table.until(900 - 0.1);
    expect(table.limits()).toEqual([10, 0, 0]);
    table.until(900);
    expect(table.limits()).toEqual([0, 0, 0]);
    table.until(906);
    expect(table.limits()).toEqual([0, 10, 0]);
    table.until(905 + 900 + 6);
    expect(table.limits()).toEqual([0, 0, 10]);
    table.until(2 * 905 + 900 + 6);
    expect(table.limits()).toEqual([10, 0, 0]);
  });

  it('lets the one make room that has been served the longest', () => {
    const table = new Table(13);
    table.put(load(1, { closed: true }));
    table.until(100);
    table.put(load(2, { closed: true }));
    table.until(2000);
    expect(table.limits()).toEqual([6.5, 6.5]);
    table.put(load(3, { closed: true }));
    table.until(2899);
    expect([table.of(1, 1000), table.of(2, 1000), table.of(3)]).toEqual([
      [[2000, 0]],
      [],
      [
        [2000, 0],
        [2005, 6.5],
      ],
    ]);
    // Who has made room waits for a turn, and then for who has been served the longest.
    table.until(3000);
    expect([table.of(1, 2100), table.of(2, 1000), table.of(3, 2100)]).toEqual([[[2905, 6.5]], [[2900, 0]], []]);
  });

  it('looks again by itself when somebody has waited for a turn', () => {
    const table = new Table(13);
    table.measured = false;
    table.put(load(1));
    table.until(100);
    table.put(load(2));
    table.until(2000);
    table.put(load(3));
    table.until(2901);
    expect(table.of(2, 1000)).toEqual([[2900, 0]]);
  });

  it('takes no turn from one whom nobody waits for', () => {
    const table = queue(1);
    table.until(3600);
    expect(table.of(1)).toEqual([[0, 10]]);
  });

  it('takes the turn of one that has not drawn anything for 30 s', () => {
    const table = new Table(10);
    table.put(load(1, { closed: false }), load(2, { closed: true }));
    table.until(29);
    expect(table.limits()).toEqual([10, 0]);
    table.until(40);
    expect(table.limits()).toEqual([0, 10]);
  });

  it('lets one wait whose least is more than there is, and serves another', () => {
    const table = new Table(10);
    table.put(load(1, { leastA: 12 }), load(2));
    expect(table.limits()).toEqual([0, 10]);
  });
});

describe('the random delay', () => {
  const PACE: Pace = { randomDelayMs: 600_000, chance: 0.25 };

  it('lets a beginner wait, and says until when', () => {
    const table = new Table(63, PACE);
    table.put(load(1));
    expect(table.limits()).toEqual([0]);
    expect([table.reason(1), table.delayedUntilS(1)]).toEqual(['random delay', 150]);
    table.until(149.9);
    expect(table.limits()).toEqual([0]);
    table.until(150);
    expect(table.limits()).toEqual([32]);
    expect(table.delayedUntilS(1)).toBeUndefined();
  });

  it('lets more wait and less not', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(16)));
    table.until(200);
    table.change(1, cap(10));
    expect(table.limits()).toEqual([10]);
    table.until(300);
    table.change(1, cap(20));
    expect(table.limits()).toEqual([10]);
    expect(table.reason(1)).toBe('more after a random delay');
    table.until(449.9);
    expect(table.limits()).toEqual([10]);
    table.until(450);
    expect(table.limits()).toEqual([20]);
  });

  it('is over when what was to come is not allowed any more', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(10)));
    table.until(200);
    table.change(1, cap(20));
    table.until(210);
    table.change(1, cap(8));
    expect([table.limits()[0], table.delayedUntilS(1)]).toEqual([8, undefined]);
    table.until(220);
    table.change(1, cap(20));
    expect(table.delayedUntilS(1)).toBe(370);
  });

  it('does not begin anew while it runs', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(10)));
    table.until(100);
    table.change(1, cap(16));
    expect(table.delayedUntilS(1)).toBe(150);
    table.until(150);
    expect(table.limits()).toEqual([16]);
  });

  it('can be cancelled', () => {
    const table = new Table(63, PACE);
    table.put(load(1));
    table.until(10);
    table.cancelDelay(1);
    expect(table.limits()).toEqual([32]);
  });

  it('does not delay what another EV has left', () => {
    const table = new Table(20, PACE);
    table.put(load(1, { closed: true }), load(2, { closed: true }));
    table.until(300);
    expect(table.limits()).toEqual([10, 10]);
    table.change(1, { active: false, closed: false });
    table.until(306);
    expect(table.limits()[1]).toBe(20);
  });
});

describe('the ramp', () => {
  const PACE: Pace = { ...AT_ONCE, rampAPerMinute: 6 };

  it('begins at 6 A and grows by so many ampere a minute', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(10)));
    table.until(120);
    expect(table.of(1)).toEqual([
      [0, 6],
      [10, 7],
      [20, 8],
      [30, 9],
      [40, 10],
    ]);
  });

  it('says so', () => {
    const table = new Table(63, PACE);
    table.put(load(1));
    expect(table.reason(1)).toBe('growing by 6 A a minute');
  });

  it('does not make up for the time in which there was no more to have', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(8)));
    table.until(3600);
    table.change(1, cap(32));
    expect(table.limits()).toEqual([8]);
    table.until(3660);
    expect(table.limits()).toEqual([14]);
  });

  it('goes down at once, and up from there', () => {
    const table = new Table(63, PACE);
    table.put(load(1, cap(16)));
    table.until(300);
    table.change(1, cap(8));
    expect(table.limits()).toEqual([8]);
    table.until(305);
    table.change(1, cap(16));
    table.until(314.9);
    expect(table.limits()).toEqual([8]);
    table.until(315);
    expect(table.limits()).toEqual([9]);
  });
});

describe('the pace of changes', () => {
  it('lets a decrease wait until 5 s after the last change', () => {
    const table = new Table(63);
    table.put(load(1));
    table.until(10);
    table.change(1, cap(16));
    table.until(12);
    table.change(1, cap(10));
    expect(table.limits()).toEqual([16]);
    table.until(15);
    expect(table.limits()).toEqual([10]);
  });

  it.each<[string, Partial<ConnectorLoad>, number]>([
    ['a stop', cap(5), 0],
    ['a decrease for safety', cap(10, true), 10],
  ])('does not let %s wait', (_, more, limitA) => {
    const table = new Table(63);
    table.put(load(1));
    table.until(10);
    table.change(1, cap(16));
    table.until(11);
    table.change(1, more);
    expect(table.limits()).toEqual([limitA]);
  });

  it('does not let a decrease wait that the supply wants', () => {
    const table = new Table(63);
    table.put(load(1));
    table.until(10);
    table.supply = { ...table.supply, amps: all(16) };
    table.review();
    table.until(11);
    table.supply = { ...table.supply, amps: all(10) };
    table.review();
    expect(table.limits()).toEqual([10]);
  });

  it('lets an increase wait until 5 s after the last change, and says why', () => {
    const table = new Table(63);
    table.put(load(1));
    table.until(10);
    table.change(1, cap(0));
    table.until(12);
    table.change(1, cap(16));
    expect([table.limits()[0], table.reason(1)]).toEqual([0, 'at most one change in 5 s']);
    table.until(15);
    expect(table.limits()).toEqual([16]);
  });

  it('does not make the first offer of a transaction wait for the end of the one before', () => {
    const table = new Table(63);
    table.put(load(1));
    table.until(10);
    table.change(1, { active: false });
    table.until(11);
    table.change(1, { active: true });
    expect(table.limits()).toEqual([32]);
  });

  it('takes an increase of less than 1 A for not worth a change, unless it is all that there is to have', () => {
    const table = new Table(63);
    table.put(load(1, cap(16)));
    table.until(10);
    table.change(1, cap(16.5));
    expect(table.limits()).toEqual([16.5]);
    table.until(20);
    table.supply = { ...table.supply, amps: all(14) };
    table.review();
    table.until(30);
    table.supply = { ...table.supply, amps: all(14.9) };
    table.review();
    table.until(60);
    expect(table.limits()).toEqual([14]);
  });

  it('reaches a cap that is no multiple of 0.1 A', () => {
    const table = new Table(63);
    table.put(load(1, cap(10)));
    table.until(10);
    table.change(1, cap(10.58));
    table.until(20);
    expect(table.limits()).toEqual([10.5]);
  });
});

describe('what others leave', () => {
  it('goes to who draws all it gets after 30 s, and comes back', () => {
    const table = new Table(32);
    table.measured = false;
    table.put(load(1, { closed: true }), load(2, { closed: true }));
    const run = (fromS: number, untilS: number, wantsA: number): void => {
      for (let s = fromS; s <= untilS; s++) {
        const [first = 0, second = 0] = table.limits();
        table.change(1, { draw: { at: s * 1000, amps: all(Math.min(wantsA, first)) } });
        table.change(2, { draw: { at: s * 1000, amps: all(second) } });
        table.until(s);
      }
    };
    run(1, 20, 32);
    expect(table.limits()).toEqual([16, 16]);
    run(21, 60, 9);
    expect(table.limits()).toEqual([11, 21]);
    run(61, 300, 9);
    expect(table.limits()).toEqual([11, 21]);
    run(301, 320, 32);
    expect(table.limits()).toEqual([16, 16]);
  });
});

describe('outside a transaction', () => {
  it('is told what might be offered', () => {
    const table = new Table([20, 10, 16]);
    table.put(load(1, { active: false }), load(2, { active: false, ...cap(8) }));
    expect(table.limits()).toEqual([10, 8]);
    expect([table.reason(1), table.reason(2)]).toEqual(['the fuse of S is shared', 'a profile allows 8 A']);
  });
});

describe('the reason', () => {
  const text = fc.integer({ min: 1, max: 50 }).map((length) => 'x'.repeat(length));
  const one = fc.record({
    active: fc.boolean(),
    closed: fc.boolean(),
    leastA: fc.constantFrom(6, 10),
    cap: fc.record({ limitA: fc.constantFrom(0, 5, 6, 10.58, 32), reason: text, urgent: fc.boolean() }),
  });
  const moment = fc.record({
    loads: fc.tuple(one, one, one),
    amps: fc.constantFrom(0, 6, 13, 20, 63),
    reason: text,
    afterMs: fc.constantFrom(0, 1000, 6000, 60_000),
  });

  it('is there, and has at most 50 characters, whatever the outcome', () => {
    const paces: fc.Arbitrary<Pace> = fc.constantFrom(
      AT_ONCE,
      { randomDelayMs: 10_000, chance: 0.9 },
      { ...AT_ONCE, rampAPerMinute: 0.1 + 0.2 },
    );
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 12 }), paces, (moments, pace) => {
        let shares: Shares = new Map();
        let at = 0;
        for (const { loads, amps, reason, afterMs } of moments) {
          const given = loads.map((each, index) => load(index + 1, each));
          const result = balance(shares, given, { amps: all(amps), reasons: [reason, reason, reason] }, pace, at);
          shares = result.shares;
          at += afterMs;
          expect(result.outcomes.size).toBe(3);
          for (const outcome of result.outcomes.values()) {
            expect(outcome.reason.length).toBeGreaterThan(0);
            expect(outcome.reason.length).toBeLessThanOrEqual(50);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
