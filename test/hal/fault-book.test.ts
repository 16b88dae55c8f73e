/** Latch rules and the order "trip first, tell afterwards", for every code of the catalogue. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault, FaultChange, FaultCode } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { FAULTS, trips } from '../../hal/faults.ts';

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
    book.raise({ code, connectorId: 1 });
    expect([one.reasons.size > 0, two.reasons.size > 0]).toEqual([trips(code), false]);
  });

  it('trips every connector for a fault of the whole charge point', () => {
    const { book, one, two } = setUp();
    book.raise({ code: 'emergencyStop', connectorId: 0 });
    expect([one.reasons.size, two.reasons.size]).toEqual([1, 1]);
    book.clear('emergencyStop', 0);
    expect([one.reasons.size, two.reasons.size]).toEqual([0, 0]);
  });

  it('has tripped before a listener hears of the fault, and has released before it hears that it is gone', () => {
    const { book, one } = setUp();
    const seen: boolean[] = [];
    book.onChange(() => seen.push(one.reasons.size > 0));
    book.raise({ code: 'internalFault', connectorId: 1 });
    book.clear('internalFault', 1);
    expect(seen).toEqual([true, false]);
  });

  it('trips a connector that is attached while a fault is raised', () => {
    const book = new FaultBook();
    book.raise({ code: 'groundFault', connectorId: 0 });
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
    expect(() => book.raise({ code: 'emergencyStop', connectorId: 0 })).toThrow('EIO');
    expect(two.reasons.size).toBe(1);
    expect(changes).toHaveLength(1);
  });

  it.each(withRule('itself'))('ends %s with its cause', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 1 });
    book.clear(code, 1);
    expect(book.current).toEqual([]);
  });

  it.each(withRule('unplug'))('keeps %s until cause and EV have gone, in either order', (code) => {
    for (const order of [
      ['clear', 'unplug'],
      ['unplug', 'clear'],
    ]) {
      const { book, one } = setUp();
      book.raise({ code, connectorId: 1 });
      for (const step of order) {
        expect(codes(book)).toEqual([code]);
        if (step === 'clear') book.clear(code, 1);
        else book.unplugged(1);
      }
      expect(book.current).toEqual([]);
      expect(one.reasons.size).toBe(0);
    }
  });

  it.each(withRule('reset'))('keeps %s over clearing and unplugging until it is reset', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 1 });
    book.clear(code, 1);
    book.unplugged(1);
    expect(codes(book)).toEqual([code]);
    book.reset(2);
    expect(codes(book)).toEqual([code]);
    book.reset(1);
    expect(book.current).toEqual([]);
  });

  it.each(CODES)('does not reset %s while its cause is there', (code) => {
    const { book } = setUp();
    book.raise({ code, connectorId: 2 });
    book.reset(0);
    expect(codes(book)).toEqual([code]);
  });

  it('resets every connector with connector 0', () => {
    const { book } = setUp();
    for (const connectorId of [0, 1, 2]) {
      book.raise({ code: 'groundFault', connectorId });
      book.clear('groundFault', connectorId);
    }
    book.reset(0);
    expect(book.current).toEqual([]);
  });

  it('latches again for the next EV', () => {
    const { book } = setUp();
    book.raise({ code: 'diodeFault', connectorId: 1 });
    book.unplugged(1);
    book.raise({ code: 'diodeFault', connectorId: 1 });
    book.clear('diodeFault', 1);
    expect(codes(book)).toEqual(['diodeFault']);
  });

  it('tells a fault once, and again only if its texts change', () => {
    const { book, changes } = setUp();
    const fault: Fault = { code: 'otherFault', connectorId: 1, info: 'a' };
    book.raise(fault);
    book.raise({ ...fault });
    book.raise({ ...fault, info: 'b' });
    book.clear('otherFault', 1);
    book.clear('otherFault', 1);
    expect(changes.map((change) => [change.raised, change.fault.info])).toEqual([
      [true, 'a'],
      [true, 'b'],
      [false, 'b'],
    ]);
  });

  it('keeps a connector tripped exactly while a blocking fault concerns it, whatever the story', () => {
    const step = fc.record({
      type: fc.constantFrom('raise', 'clear', 'unplugged', 'reset'),
      code: fc.constantFrom(...CODES),
      connectorId: fc.constantFrom(0, 1, 2),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (story) => {
        const { book, one, two } = setUp();
        for (const { type, code, connectorId } of story) {
          if (type === 'raise') book.raise({ code, connectorId });
          else if (type === 'clear') book.clear(code, connectorId);
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
