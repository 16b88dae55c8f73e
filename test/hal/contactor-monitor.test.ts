/** The contactor monitor in virtual time, with the fault book and the interlock as they work together on a board. */
import { describe, expect, it } from 'vitest';
import { MIRROR_WITHIN_MS, monitoredContactor } from '../../hal/contactor-monitor.ts';
import type { Contactor, ContactorState } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { Interlock, PAUSE_AFTER_ERROR_MS } from '../../hal/interlock.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

/** A contactor whose mirror contact a test can hold. */
class Relay implements Contactor {
  feedback: ContactorState = 'open';
  held = false;
  coil: ContactorState = 'open';
  readonly #listeners = new Set<(feedback: ContactorState) => void>();
  close(): void {
    this.coil = 'closed';
    if (!this.held) this.mirror('closed');
  }
  open(): void {
    this.coil = 'open';
    if (!this.held) this.mirror('open');
  }
  mirror(feedback: ContactorState): void {
    if (this.feedback === feedback) return;
    this.feedback = feedback;
    for (const listener of this.#listeners) listener(feedback);
  }
  onFeedback(listener: (feedback: ContactorState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

const setUp = (prepare: (relay: Relay) => void = () => {}) => {
  const clock = new VirtualClock();
  const relay = new Relay();
  prepare(relay);
  const book = new FaultBook();
  const contactor = monitoredContactor(relay, {
    clock,
    raise: (code) => book.raise({ code, connectorId: 1 }, 'test'),
    clear: (code) => book.clear(code, 1, 'test'),
  });
  const interlock = new Interlock(contactor, { ventilated: false, clock });
  book.attach(1, { trip: (reason) => interlock.trip(reason), release: (reason) => interlock.release(reason) });
  const charge = () => {
    interlock.pilot('C');
    interlock.offered(16);
    interlock.permit(true);
  };
  const codes = () => book.current.map((fault) => fault.code);
  return { clock, relay, book, interlock, charge, codes };
};

describe('contactor monitor', () => {
  it('says nothing about a contactor that follows', async () => {
    const { clock, interlock, charge, codes } = setUp();
    charge();
    await clock.advance(10 * MIRROR_WITHIN_MS);
    interlock.permit(false);
    await clock.advance(10 * MIRROR_WITHIN_MS);
    expect(codes()).toEqual([]);
    expect(clock.armed).toBe(0);
  });

  it('finds a contactor that stays closed after it was opened, in time and not before', async () => {
    const { clock, relay, interlock, charge, codes } = setUp();
    charge();
    relay.held = true;
    interlock.permit(false);
    await clock.advance(MIRROR_WITHIN_MS - 1);
    expect(codes()).toEqual([]);
    await clock.advance(1);
    expect(codes()).toEqual(['contactorWelded']);
    expect(interlock.tripped).toBe(true);
  });

  it('finds a contactor that is welded at power-up', async () => {
    const { clock, codes } = setUp((relay) => {
      relay.held = true;
      relay.feedback = 'closed';
    });
    await clock.advance(MIRROR_WITHIN_MS);
    expect(codes()).toEqual(['contactorWelded']);
  });

  it('keeps a welded contactor latched after it has come loose, until it is reset', async () => {
    const { clock, relay, book, interlock, charge, codes } = setUp();
    charge();
    relay.held = true;
    interlock.permit(false);
    await clock.advance(MIRROR_WITHIN_MS);
    book.reset(1);
    expect(codes()).toEqual(['contactorWelded']);
    relay.mirror('open');
    expect(codes()).toEqual(['contactorWelded']);
    book.reset(1);
    expect(codes()).toEqual([]);
    expect(interlock.tripped).toBe(false);
  });

  it('finds a contactor that does not close and takes the coil off', async () => {
    const { clock, relay, book, charge, codes } = setUp();
    relay.held = true;
    charge();
    expect(relay.coil).toBe('closed');
    await clock.advance(MIRROR_WITHIN_MS);
    expect(codes()).toEqual(['contactorStuckOpen']);
    expect(relay.coil).toBe('open');
    await clock.advance(10 * MIRROR_WITHIN_MS);
    expect(codes()).toEqual(['contactorStuckOpen']);
    book.reset(1);
    expect(codes()).toEqual([]);
  });

  it('closes no second time by itself: a mirror contact that is broken would hide that the outlet is live', async () => {
    const { clock, relay, book, interlock, charge, codes } = setUp();
    relay.held = true;
    charge();
    await clock.advance(MIRROR_WITHIN_MS);
    relay.held = false;
    for (let time = 0; time < 10; time++) {
      await clock.advance(PAUSE_AFTER_ERROR_MS);
      charge();
      expect([relay.coil, codes()]).toEqual(['open', ['contactorStuckOpen']]);
    }
    book.reset(1);
    charge();
    expect([relay.coil, interlock.tripped]).toEqual(['closed', false]);
  });

  it('finds a contactor that drops out while it should be closed', async () => {
    const { clock, relay, charge, codes } = setUp();
    charge();
    await clock.advance(60_000);
    relay.mirror('open');
    await clock.advance(MIRROR_WITHIN_MS);
    expect(codes()).toEqual(['contactorStuckOpen']);
  });

  it('believes the contact when its edge was not told', async () => {
    const { clock, relay, charge, codes } = setUp();
    relay.held = true;
    charge();
    relay.feedback = 'closed';
    await clock.advance(10 * MIRROR_WITHIN_MS);
    expect(codes()).toEqual([]);
  });

  it('forgives bouncing', async () => {
    const { clock, relay, charge, codes } = setUp();
    charge();
    for (let bounce = 0; bounce < 20; bounce++) {
      relay.mirror('open');
      await clock.advance(MIRROR_WITHIN_MS / 2);
      relay.mirror('closed');
      await clock.advance(10);
    }
    expect(codes()).toEqual([]);
  });

  it('gives every command its own time', async () => {
    const { clock, relay, interlock, charge, codes } = setUp();
    relay.held = true;
    charge();
    await clock.advance(MIRROR_WITHIN_MS - 1);
    interlock.permit(false);
    await clock.advance(MIRROR_WITHIN_MS);
    expect(codes()).toEqual([]);
  });
});
