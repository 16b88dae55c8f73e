/** Latch rules and the order "trip first, tell afterwards", for every code of the catalogue. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault, FaultChange, FaultCode } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { FAULTS, trips } from '../../hal/faults.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const CODES = Object.keys(FAULTS) as FaultCode[];
const withRule = (clears: string) => CODES.filter((code) => FAULTS[code].clears === clears);

class Connector {
  readonly reasons = new Set<string>();
  trip(reason: string): void {
    this.reasons.add(reason);
  }
  release(reason: string): void {
    this.reasons.delete(reason);
  }
}

const setUp = () => {
  const book = new FaultBook();
  const one = new Connector();
  const two = new Connector();
  book.attach(1, one);
  book.attach(2, two);
  const changes: FaultChange[] = [];
  book.onChange((change) => changes.push(change));
  return { book, one, two, changes };
};

const codes = (book: FaultBook) => book.current.map((fault) => fault.code);

describe('fault book', () => {
  it.each(CODES)('trips for %s exactly if the catalogue says that it blocks', (code) => {
    const { book, one, two } = setUp();
    book.raise({ code, connectorId: 1 }, 'test');
    expect([one.reasons.size > 0, two.reasons.size > 0]).toEqual([trips(code), false]);
  });

  it('trips every connector for a fault of the whole charge point', () => {
    const { book, one, two } = setUp();
    book.raise({ code: 'emergencyStop', connectorId: 0 }, 'test');
    expect([one.reasons.size, two.reasons.size]).toEqual([1, 1]);
    book.clear('emergencyStop', 0, 'test');
    expect([one.reasons.size, two.reasons.size]).toEqual([0, 0]);
  });

  it('has tripped before a listener hears of the fault, and has released before it hears that it is gone', () => {
    const { book, one } = setUp();
    const seen: boolean[] = [];
    book.onChange(() => seen.push(one.reasons.size > 0));
    book.raise({ code: 'internalFault', connectorId: 1 }, 'test');
    book.clear('internalFault', 1, 'test');
    expect(seen).toEqual([true, false]);
  });

  it('trips a connector that is attached while a fault is raised', () => {
    const book = new FaultBook();
    book.raise({ code: 'groundFault', connectorId: 0 }, 'test');
    const late = new Connector();
    book.attach(1, late);
    expect(late.reasons.size).toBe(1);
  });

  it('trips the other connectors when one of them cannot be tripped, and hands the error on', () => {
    const { book, two, changes } = setUp();
    book.attach(1, {
      trip: () => {
        throw new Error('EIO');
      },
      release: () => {},
    });
    expect(() => book.raise({ code: 'emergencyStop', connectorId: 0 }, 'test')).toThrow('EIO');
    expect(two.reasons.size).toBe(1);
    expect(changes).toHaveLength(1);
  });

  it('tells every listener, and releases every connector, although one throws', () => {
    const { two, changes } = setUp();
    const broken = () => {
      throw new Error('EIO');
    };
    const book = new FaultBook();
    book.attach(1, { trip: () => {}, release: broken });
    book.attach(2, two);
    book.onChange(broken);
    book.onChange((change) => changes.push(change));
    expect(() => book.raise({ code: 'emergencyStop', connectorId: 0 }, 'test')).toThrow('EIO');
    expect(() => book.clear('emergencyStop', 0, 'test')).toThrow('EIO');
    expect([two.reasons.size, changes.map(({ raised }) => raised), book.current]).toEqual([0, [true, false], []]);
  });

  it.each<[string, (book: FaultBook) => void]>([
    ['raises a fault', (book) => book.raise({ code: 'meterSilent', connectorId: 1, info: 'b' }, 'test')],
    ['ends it', (book) => book.clear('emergencyStop', 1, 'test')],
    ['takes one of two causes back', (book) => book.clear('otherFault', 1, 'b')],
  ])('lets nobody who %s keep what a connector or a listener throws', async (_what, happens) => {
    const clock = new VirtualClock();
    const book = new FaultBook({}, clock);
    book.raise({ code: 'emergencyStop', connectorId: 1 }, 'test');
    for (const info of ['a', 'b']) book.raise({ code: 'otherFault', connectorId: 1, info }, info);
    book.onChange(() => {
      throw new Error('EIO');
    });
    expect(() => happens(book)).toThrow('EIO');
    await expect(clock.advance(0)).rejects.toThrow('EIO');
  });

  it.each(withRule('itself'))('ends %s with its cause', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 1 }, 'test');
    book.clear(code, 1, 'test');
    expect(book.current).toEqual([]);
  });

  it.each(withRule('unplug'))('keeps %s until cause and EV have gone, in either order', (code) => {
    for (const order of [
      ['clear', 'unplug'],
      ['unplug', 'clear'],
    ]) {
      const { book, one } = setUp();
      book.raise({ code, connectorId: 1 }, 'test');
      for (const step of order) {
        expect(codes(book)).toEqual([code]);
        if (step === 'clear') book.clear(code, 1, 'test');
        else book.unplugged(1);
      }
      expect(book.current).toEqual([]);
      expect(one.reasons.size).toBe(0);
    }
  });

  it.each(withRule('reset'))('keeps %s over clearing and unplugging until it is reset', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 1 }, 'test');
    book.clear(code, 1, 'test');
    book.unplugged(1);
    expect(codes(book)).toEqual([code]);
    book.reset(2);
    expect(codes(book)).toEqual([code]);
    book.reset(1);
    expect(book.current).toEqual([]);
  });

  it.each(CODES)('does not reset %s while its cause is there', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 2 }, 'test');
    book.reset(0);
    expect(codes(book)).toEqual([code]);
  });

  it('resets every connector with connector 0', () => {
    const { book } = setUp();
    for (const connectorId of [0, 1, 2]) {
      book.raise({ code: 'groundFault', connectorId }, 'test');
      book.clear('groundFault', connectorId, 'test');
    }
    book.reset(0);
    expect(book.current).toEqual([]);
  });

  it('latches again for the next EV', () => {
    const { book } = setUp();
    book.raise({ code: 'diodeFault', connectorId: 1 }, 'test');
    book.unplugged(1);
    book.raise({ code: 'diodeFault', connectorId: 1 }, 'test');
    book.clear('diodeFault', 1, 'test');
    expect(codes(book)).toEqual(['diodeFault']);
  });

  it('tells a fault once, and again only if its texts change', () => {
    const { book, changes } = setUp();
    const fault: Fault = { code: 'otherFault', connectorId: 1, info: 'a' };
    book.raise(fault, 'test');
    book.raise({ ...fault }, 'test');
    book.raise({ ...fault, info: 'b' }, 'test');
    book.clear('otherFault', 1, 'test');
    book.clear('otherFault', 1, 'test');
    expect(changes.map((change) => [change.raised, change.fault.info])).toEqual([
      [true, 'a'],
      [true, 'b'],
      [false, 'b'],
    ]);
  });

  describe('with two causes of one fault', () => {
    it.each(CODES)('keeps %s, and its trip, until both have gone', (code) => {
      const { book, one } = setUp();
      book.raise({ code, connectorId: 1 }, 'east');
      book.raise({ code, connectorId: 1 }, 'west');
      book.clear(code, 1, 'west');
      book.clear(code, 1, 'west');
      book.unplugged(1);
      book.reset(0);
      expect([codes(book), one.reasons.size > 0]).toEqual([[code], trips(code)]);
      book.clear(code, 1, 'east');
      book.unplugged(1);
      book.reset(0);
      expect([codes(book), one.reasons.size]).toEqual([[], 0]);
    });

    it('tells the fault once, with the texts of the newest cause that is left', () => {
      const { book, changes } = setUp();
      book.raise({ code: 'emergencyStop', connectorId: 0, info: 'east', vendorErrorCode: 'E1' }, 'east');
      book.raise({ code: 'emergencyStop', connectorId: 0 }, 'silent');
      book.raise({ code: 'emergencyStop', connectorId: 0, info: 'west' }, 'west');
      book.clear('emergencyStop', 0, 'west');
      book.clear('emergencyStop', 0, 'silent');
      book.clear('emergencyStop', 0, 'east');
      expect(changes.map(({ raised, fault }) => [raised, fault.info, fault.vendorErrorCode])).toEqual([
        [true, 'east', 'E1'],
        [true, 'west', 'E1'],
        [true, 'east', 'E1'],
        [false, 'east', 'E1'],
      ]);
    });
  });

  it('keeps a connector tripped exactly while a blocking fault concerns it, whatever the story', () => {
    const step = fc.record({
      type: fc.constantFrom('raise', 'clear', 'unplugged', 'reset'),
      code: fc.constantFrom(...CODES),
      connectorId: fc.constantFrom(0, 1, 2),
      source: fc.constantFrom('east', 'west'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (story) => {
        const { book, one, two } = setUp();
        for (const { type, code, connectorId, source } of story) {
          if (type === 'raise') book.raise({ code, connectorId }, source);
          else if (type === 'clear') book.clear(code, connectorId, source);
          else if (type === 'unplugged') book.unplugged(connectorId);
          else book.reset(connectorId);
          for (const [id, connector] of [[1, one] as const, [2, two] as const]) {
            const blocked = book.current.some(
              (fault) => trips(fault.code) && (fault.connectorId === 0 || fault.connectorId === id),
            );
            expect(connector.reasons.size > 0).toBe(blocked);
          }
        }
      }),
    );
  });
});
