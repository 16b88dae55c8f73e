/** The phase switch through a real interlock: whatever happens, nothing is switched under a contactor that is not open. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Contactor, ContactorState, ControlPilot, Offer, PilotState } from '../../hal/contract.ts';
import { PAUSE_AFTER_ERROR_MS } from '../../hal/interlock.ts';
import { ownPilotEvse } from '../../hal/own-pilot-evse.ts';
import { FEEDBACK_WITHIN_MS, type PhaseSelector, phaseSwitch, SETTLE_MS } from '../../hal/phase-switch.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const SWITCHED_MS = 2 * SETTLE_MS;

class World {
  readonly clock = new VirtualClock();
  readonly warnings: string[] = [];
  readonly selected: (1 | 3)[] = [];
  /** What the contactor was when each selection reached the relay. */
  readonly under: ContactorState[] = [];
  coil: ContactorState = 'open';
  welded = false;
  offer: Offer = 'x1';
  pilot: PilotState = 'C';
  /** Of the relay: what is connected. */
  relay: 1 | 3 = 3;
  broken = false;
  /** Undefined: it does not move. */
  moves: ((to: 1 | 3) => void) | undefined = (to) => {
    this.relay = to;
  };

  readonly evse = ownPilotEvse({
    contactor: this.#contactor(),
    pilot: this.#controlPilot(),
    ventilated: false,
    clock: this.clock,
  });
  readonly selector: PhaseSelector = {
    select: (phases) => {
      if (this.broken) throw new Error('EIO');
      this.selected.push(phases);
      this.under.push(this.mirror);
      this.moves?.(phases);
    },
  };

  get mirror(): ContactorState {
    return this.welded ? 'closed' : this.coil;
  }

  phaseSwitch(withFeedback = false) {
    const selector = withFeedback ? { ...this.selector, read: () => this.relay } : this.selector;
    const log = { info: () => {}, warn: (message: string) => this.warnings.push(message) };
    return phaseSwitch({ selector, evse: this.evse, clock: this.clock, log });
  }

  /** Offers, and closes if the interlock lets it. */
  tryToClose(): ContactorState {
    this.evse.offer(16);
    this.evse.permit(true);
    return this.coil;
  }

  #contactor(): Contactor {
    const mirror = () => this.mirror;
    return {
      get feedback() {
        return mirror();
      },
      close: () => {
        this.coil = 'closed';
      },
      open: () => {
        this.coil = 'open';
      },
      onFeedback: () => () => {},
    };
  }

  #controlPilot(): ControlPilot {
    const state = () => this.pilot;
    return {
      get state() {
        return state();
      },
      lookedAt: 0,
      signal: (offer) => {
        this.offer = offer;
      },
      onState: () => () => {},
    };
  }
}

/** What a promise has become, without waiting for it. */
const outcome = <T>(promise: Promise<T>) => {
  const seen: T[] = [];
  void promise.then((value) => seen.push(value));
  return seen;
};

describe('the phase switch', () => {
  it('begins with three phases and is there at once when asked for them', async () => {
    const world = new World();
    const phases = world.phaseSwitch();
    expect(phases.phases).toBe(3);
    world.tryToClose();
    expect(await phases.switchTo(3)).toBe(3);
    expect([world.coil, world.selected]).toEqual(['closed', []]);
  });

  it('waits, selects, waits again and then says what is connected', async () => {
    const world = new World();
    const phases = world.phaseSwitch();
    const done = outcome(phases.switchTo(1));
    await world.clock.advance(SETTLE_MS - 1);
    expect([phases.phases, world.selected]).toEqual([3, []]);
    await world.clock.advance(1);
    expect([phases.phases, world.selected, done]).toEqual([1, [1], []]);
    await world.clock.advance(SETTLE_MS);
    expect(done).toEqual([1]);
  });

  it('withdraws the offer and lets nobody close the contactor, from the call until it resolves', async () => {
    const world = new World();
    world.evse.offer(16);
    const done = outcome(world.phaseSwitch().switchTo(1));
    expect(world.offer).toBe('x1');
    for (let ms = 0; ms < SWITCHED_MS; ms++) {
      expect([world.tryToClose(), done]).toEqual(['open', []]);
      await world.clock.advance(1);
    }
    expect([world.coil, done]).toEqual(['open', [1]]);
    expect(world.tryToClose()).toBe('closed');
  });

  it('switches nothing under a closed contactor, and does not cut it off either', async () => {
    const world = new World();
    const phases = world.phaseSwitch();
    world.tryToClose();
    expect(await phases.switchTo(1)).toBe(3);
    await world.clock.advance(10_000);
    expect([world.coil, world.offer, world.selected]).toEqual(['closed', 16, []]);
  });

  it('switches nothing if the contactor turns out to be closed while it waits', async () => {
    const world = new World();
    const done = outcome(world.phaseSwitch().switchTo(1));
    world.welded = true;
    await world.clock.advance(SWITCHED_MS);
    expect([done, world.selected]).toEqual([[3], []]);
    world.welded = false;
    expect(world.tryToClose()).toBe('closed');
  });

  it('serves two calls one after the other and holds the contactor open until the last of them', async () => {
    const world = new World();
    const phases = world.phaseSwitch();
    const first = outcome(phases.switchTo(1).then((now) => `${now}, then ${world.tryToClose()}`));
    const second = outcome(phases.switchTo(3));
    await world.clock.advance(SWITCHED_MS);
    expect([first, second, world.selected]).toEqual([['1, then open'], [], [1]]);
    await world.clock.advance(SWITCHED_MS);
    expect([second, world.selected, world.tryToClose()]).toEqual([[3], [1, 3], 'closed']);
  });

  it.each([
    ['at once', 0],
    ['late', 400],
  ])('believes a feedback that agrees %s', async (_when, afterMs) => {
    const world = new World();
    world.moves = (to) => void world.clock.after(afterMs, () => (world.relay = to));
    const phases = world.phaseSwitch(true);
    const done = outcome(phases.switchTo(1));
    await world.clock.advance(SETTLE_MS + Math.max(SETTLE_MS, afterMs) - 1);
    expect(done).toEqual([]);
    await world.clock.advance(11);
    expect([done, phases.phases, world.warnings]).toEqual([[1], 1, []]);
  });

  it('takes back what a stuck relay does not do, so that it never moves later under load', async () => {
    const world = new World();
    world.moves = undefined;
    const phases = world.phaseSwitch(true);
    const done = outcome(phases.switchTo(1));
    await world.clock.advance(SETTLE_MS + FEEDBACK_WITHIN_MS - 1);
    expect([done, world.tryToClose()]).toEqual([[], 'open']);
    await world.clock.advance(SETTLE_MS + 20);
    expect([done, phases.phases, world.selected]).toEqual([[3], 3, [1, 3]]);
    expect(world.warnings).toEqual(['the phase switch does not follow']);
    expect(world.tryToClose()).toBe('closed');
  });

  it('tries again when asked again after a relay was stuck', async () => {
    const world = new World();
    world.moves = undefined;
    const phases = world.phaseSwitch(true);
    void phases.switchTo(1);
    await world.clock.advance(1000);
    world.moves = (to) => (world.relay = to);
    const done = outcome(phases.switchTo(1));
    await world.clock.advance(SWITCHED_MS);
    expect(done).toEqual([1]);
  });

  it('says what was connected before if the output cannot be written, and lets the contactor close again', async () => {
    const world = new World();
    world.broken = true;
    const done = outcome(world.phaseSwitch().switchTo(1));
    await world.clock.advance(SWITCHED_MS);
    expect([done, world.warnings, world.tryToClose()]).toEqual([[3], ['the phase switch failed'], 'closed']);
  });

  it('never switches under load, never rejects and never stays tripped, whatever the order of things', async () => {
    const move = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(1, 3).map((to) => ({ type: 'switch' as const, to: to as 1 | 3 })) },
      { weight: 3, arbitrary: fc.constant({ type: 'close' as const }) },
      { weight: 3, arbitrary: fc.constant({ type: 'open' as const }) },
      { weight: 4, arbitrary: fc.nat(300).map((ms) => ({ type: 'wait' as const, ms })) },
      { weight: 1, arbitrary: fc.boolean().map((stuck) => ({ type: 'relay' as const, stuck })) },
      { weight: 1, arbitrary: fc.boolean().map((broken) => ({ type: 'output' as const, broken })) },
    );
    let switched = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { maxLength: 30 }), fc.boolean(), async (story, withFeedback) => {
        const world = new World();
        const phases = world.phaseSwitch(withFeedback);
        const calls: Promise<1 | 3>[] = [];
        for (const step of story) {
          if (step.type === 'switch') calls.push(phases.switchTo(step.to));
          else if (step.type === 'close') world.tryToClose();
          else if (step.type === 'open') world.evse.permit(false);
          else if (step.type === 'wait') await world.clock.advance(step.ms);
          else if (step.type === 'output') world.broken = step.broken;
          else world.moves = step.stuck ? undefined : (to) => (world.relay = to);
        }
        await world.clock.advance(calls.length * 1000 + PAUSE_AFTER_ERROR_MS);
        await Promise.all(calls);
        switched += world.under.length;
        expect(world.under.filter((contactor) => contactor !== 'open')).toEqual([]);
        expect(world.tryToClose()).toBe('closed');
      }),
      { numRuns: 200 },
    );
    expect(switched).toBeGreaterThan(50);
  }, 60_000);
});
