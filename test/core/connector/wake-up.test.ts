/** An EV that is asleep is woken up: as tables of events and deadlines. */
import { describe, expect, it } from 'vitest';
import type { Offer, PilotState } from '../../../hal/contract.ts';
import { atPowerUp, type Connector } from '../../../src/core/connector/state.ts';
import { reportOf } from '../../../src/core/connector/status.ts';
import { deadlineOf, EV_ANSWERS_WITHIN_MS, type Event, step } from '../../../src/core/connector/step.ts';
import { WAKE_F_MS, WAKE_REST_MS, WAKE_X1_MS } from '../../../src/core/connector/wake-up.ts';
import { RULES } from '../../sim/rules.ts';

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never;

/** The connector, the clock, and a pilot that shows F while we signal it. */
class Story {
  state: Connector;
  at = 0;
  #ev: PilotState = 'A';
  readonly signals: string[] = [];
  readonly statuses: string[] = [];

  constructor(wakeUps: number | undefined, rules: { readonly faultGraceMs?: number } = {}) {
    this.state = atPowerUp({
      id: 1,
      cable: 'attached',
      ventilated: false,
      limitA: 16,
      rules: {
        ...RULES,
        ...rules,
        ...(wakeUps === undefined ? {} : { wakeUps }),
      },
    });
  }

  tell(event: Untimed): this {
    const { state, effects } = step(this.state, { ...event, at: this.at } as Event);
    this.state = state;
    const { status } = reportOf(state);
    if (this.statuses.at(-1) !== status) this.statuses.push(status);
    for (const effect of effects) if (effect.type === 'offer') this.#signal(effect.offer);
    return this;
  }

  #signal(offer: Offer): void {
    this.signals.push(`${this.at} ${offer}`);
    this.#show();
  }

  #show(): void {
    const pilot = this.state.offer === 'F' ? 'F' : this.#ev;
    if (pilot !== this.state.pilot) this.tell({ type: 'pilot', pilot });
  }

  ev(pilot: PilotState): this {
    this.#ev = pilot;
    this.#show();
    return this;
  }

  begin(): this {
    this.ev('B').tell({ type: 'authorized', authorization: { idTag: 'ABC' } });
    return this.tell({ type: 'begun', transaction: { id: 'tx', idTag: 'ABC' } });
  }

  /** Lets every deadline come that is due until then. */
  until(at: number): this {
    for (let due = deadlineOf(this.state); due !== undefined && due <= at; due = deadlineOf(this.state)) {
      this.at = due;
      this.tell({ type: 'deadline' });
    }
    this.at = at;
    return this;
  }
}

const ASLEEP = EV_ANSWERS_WITHIN_MS;
const PULSE = WAKE_F_MS + WAKE_X1_MS;
const HOUR = 3_600_000;

describe('an EV that does not answer an offer (IEC 61851-1 annex A.5.3)', () => {
  it('sees F for 4 s, x1 for a moment and the offer again, and is SuspendedEV all the while', () => {
    const story = new Story(1).begin().until(HOUR);
    expect(story.signals).toEqual(['0 16', `${ASLEEP} F`, `${ASLEEP + WAKE_F_MS} x1`, `${ASLEEP + PULSE} 16`]);
    expect(story.statuses).toEqual(['Preparing', 'SuspendedEV']);
  });

  it('is woken as often as the rules say, half a minute apart, and not once more', () => {
    const story = new Story(2).begin().until(HOUR);
    const pulses = story.signals.filter((signal) => signal.endsWith('F'));
    expect(pulses).toEqual([`${ASLEEP} F`, `${ASLEEP + PULSE + WAKE_REST_MS} F`]);
    expect(deadlineOf(story.state)).toBeUndefined();
  });

  it.each([0, undefined])('is left alone with %s wake-ups', (wakeUps) => {
    expect(new Story(wakeUps).begin().until(HOUR).signals).toEqual(['0 16']);
  });

  it('that answers in time, or after the pulse, charges', () => {
    const early = new Story(1)
      .begin()
      .until(ASLEEP - 1)
      .ev('C')
      .tell({ type: 'contactor', contactor: 'closed' });
    expect(early.until(HOUR).signals).toEqual(['0 16']);
    const late = new Story(1)
      .begin()
      .until(ASLEEP + PULSE + 1)
      .ev('C');
    expect(late.state).toMatchObject({ permit: true, offer: 16 });
    late.tell({ type: 'contactor', contactor: 'closed' });
    expect(late.until(HOUR).signals).toHaveLength(4);
    expect(late.statuses).toEqual(['Preparing', 'SuspendedEV', 'Charging']);
  });

  it('that answers while the contactor is about to close is not cut off', () => {
    const story = new Story(1)
      .begin()
      .until(ASLEEP - 1)
      .ev('C')
      .until(ASLEEP);
    expect([story.signals, story.state.permit]).toEqual([['0 16'], true]);
    story.tell({ type: 'contactor', contactor: 'closed' });
    expect(story.until(HOUR).signals).toEqual(['0 16']);
  });

  it('that answers just before it would be woken once more is not cut off either', () => {
    const again = ASLEEP + PULSE + WAKE_REST_MS;
    const story = new Story(2)
      .begin()
      .until(again - 1)
      .ev('C')
      .until(again);
    expect([story.state.offer, story.state.permit]).toEqual([16, true]);
  });

  it('is still in the plug when the transaction is stopped during the pulse', () => {
    const story = new Story(1)
      .begin()
      .until(ASLEEP + 1000)
      .tell({ type: 'stop', stop: { reason: 'Remote', trip: false } });
    // Before the pilot can be seen again.
    const during = { ...story.state, pilot: 'F' as const };
    expect(step(during, { type: 'ended', at: story.at }).state.phase.name).toBe('finishing');
  });

  it('that has charged and pauses by itself is not disturbed', () => {
    const story = new Story(1).begin().ev('C').tell({ type: 'contactor', contactor: 'closed' });
    story.ev('B').tell({ type: 'contactor', contactor: 'open' });
    expect(story.until(HOUR).signals).toEqual(['0 16']);
  });

  it('is not woken again by each current that comes back, before it has charged', () => {
    const story = new Story(1).begin().until(HOUR);
    for (const limitA of [0, 16, 0, 16]) story.tell({ type: 'limit', limitA }).until(story.at + HOUR);
    expect(story.signals.filter((signal) => signal.endsWith('F'))).toHaveLength(1);
  });

  it.each<[string, Untimed]>([
    ['a fault', { type: 'faults', faults: [{ code: 'groundFault', blocks: 'charging', errorCode: 'GroundFailure' }] }],
    ['a limit below 6 A', { type: 'limit', limitA: 5 }],
    ['a stop', { type: 'stop', stop: { reason: 'Remote', trip: false } }],
    ['mains that fail', { type: 'mains', mains: 'failing' }],
  ])('sees x1 at once when %s comes during the pulse', (_what, event) => {
    const story = new Story(3).begin().until(ASLEEP + 1000);
    expect(story.state.offer).toBe('F');
    story.tell(event);
    expect(story.signals.at(-1)).toBe(`${ASLEEP + 1000} x1`);
    expect(story.until(ASLEEP + HOUR).signals.filter((signal) => signal.endsWith('F'))).toHaveLength(1);
  });

  it('that is pulled during the pulse has left once it can be seen again', () => {
    const story = new Story(1)
      .begin()
      .until(ASLEEP + 1000)
      .ev('A');
    expect(story.state.phase.name).toBe('transaction');
    story.until(ASLEEP + WAKE_F_MS);
    expect(story.state.phase).toMatchObject({ name: 'closing', stop: { reason: 'EVDisconnected' } });
    expect(story.signals.at(-1)).toBe(`${ASLEEP + WAKE_F_MS} x1`);
  });
});
