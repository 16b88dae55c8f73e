/** From three phases to one and back within a session: the order of things, and what never happens (IEC 61851-1; OCPP 1.6 section 9.4.4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PilotState } from '../../../hal/contract.ts';
import type { Effect } from '../../../src/core/connector/outputs.ts';
import { isSwitching, PHASE_REST_MS } from '../../../src/core/connector/phase-switching.ts';
import { atPowerUp, type Connector, type ConnectorFault, type PhaseCount } from '../../../src/core/connector/state.ts';
import { reportOf } from '../../../src/core/connector/status.ts';
import { deadlineOf, type Event, step } from '../../../src/core/connector/step.ts';
import { RULES } from '../../sim/rules.ts';

const GROUND: ConnectorFault = { code: 'groundFault', blocks: 'charging', errorCode: 'GroundFailure' };
const ABC = { type: 'authorized', authorization: { idTag: 'ABC' } } as const;

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never;

const connector = (phases: PhaseCount = 3): Connector =>
  atPowerUp({ id: 1, cable: 'attached', ventilated: false, limitA: 32, phases, rules: RULES });

function nameOf(effect: Effect): string {
  switch (effect.type) {
    case 'offer':
      return `offer ${effect.offer}`;
    case 'permit':
      return effect.given ? 'permit' : 'withdraw';
    case 'switchPhases':
      return `switch to ${effect.phases}`;
    default:
      return effect.type;
  }
}

/** Runs events one second apart; what each has brought about, and every status with its info, repeated ones left out. */
function run(events: readonly Untimed[], from: Connector, began = 0) {
  let state = from;
  let at = began;
  const effects: string[][] = [];
  const statuses: string[] = [];
  for (const event of events) {
    at += 1000;
    const next = step(state, { ...event, at } as Event);
    state = next.state;
    effects.push(next.effects.map(nameOf));
    const { status, info } = reportOf(state);
    const said = info === undefined ? status : `${status}: ${info}`;
    if (statuses.at(-1) !== said) statuses.push(said);
  }
  return { state, effects, names: effects.flat(), statuses, at };
}

const pilot = (state: PilotState): Untimed => ({ type: 'pilot', pilot: state });
const contactor = (state: 'open' | 'closed'): Untimed => ({ type: 'contactor', contactor: state });
const wanted = (phases: PhaseCount): Untimed => ({ type: 'phasesWanted', phases });
const connected = (phases: PhaseCount): Untimed => ({ type: 'phasesConnected', phases });
const faults = (...raised: ConnectorFault[]): Untimed => ({ type: 'faults', faults: raised });
const stop = (trip = false): Untimed => ({ type: 'stop', stop: { reason: 'Remote', trip } });
const deadline: Untimed = { type: 'deadline' };
const begun: Untimed = { type: 'begun', transaction: { id: 'tx', idTag: 'ABC' } };
const ended: Untimed = { type: 'ended' };
const RESTED = Array.from({ length: PHASE_REST_MS / 1000 }, () => deadline);

/** Charging on three phases. */
const charging = () => run([pilot('B'), ABC, begun, pilot('C'), contactor('closed')], connector()).state;
/** The EV has let go, the contactor is open, the switch has been told. */
const LET_GO = [wanted(1), pilot('B'), contactor('open')];

describe('a change of phases while an EV charges', () => {
  it('is x1, contactor open, switch, rest at x1, offer, permit: in this order', () => {
    const { effects, state } = run(
      [...LET_GO, connected(1), ...RESTED, pilot('C'), contactor('closed')],
      charging(),
      5000,
    );
    expect(effects).toEqual([
      ['offer x1'],
      ['withdraw'],
      ['switch to 1'],
      [],
      ...RESTED.slice(1).map(() => []),
      ['offer 32'],
      ['permit'],
      [],
    ]);
    expect(state.phases).toEqual({ connected: 1, wanted: 1 });
  });

  it('leaves the permit to the interlock while the EV holds on, so that nothing breaks the current before its time', () => {
    const asked = run([wanted(1)], charging());
    expect(asked.state).toMatchObject({ offer: 'x1', permit: true, contactor: 'closed' });
    // After 6 s the interlock opens by itself, under an EV that still says C.
    expect(run([contactor('open')], asked.state).names).toEqual(['withdraw', 'switch to 1']);
  });

  it('rests for its time and not longer, counted from when the switch has settled', () => {
    const { state, at } = run([...LET_GO, connected(1)], charging());
    expect(deadlineOf(state)).toBe(at + PHASE_REST_MS);
    const early = step(state, { type: 'deadline', at: at + PHASE_REST_MS - 1 });
    expect(early.effects).toEqual([]);
    expect(step(early.state, { type: 'deadline', at: at + PHASE_REST_MS }).effects).toEqual([
      { type: 'offer', offer: 32 },
    ]);
  });

  it('offers nothing during the rest, even to an EV that asks', () => {
    const { names, state } = run([...LET_GO, connected(1), pilot('C'), pilot('B'), pilot('C')], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1']);
    expect(run(RESTED, state, 6000).names).toEqual(['offer 32', 'permit']);
  });

  it('is SuspendedEVSE with the reason, until the EV charges again', () => {
    expect(
      run([...LET_GO, connected(1), ...RESTED, pilot('C'), contactor('closed')], charging(), 5000).statuses,
    ).toEqual(['SuspendedEVSE: Switching to phases: 1', 'Charging']);
  });

  it('goes back the same way', () => {
    const { state, at } = run([...LET_GO, connected(1), ...RESTED, pilot('C'), contactor('closed')], charging(), 5000);
    const back = run(
      [wanted(3), pilot('B'), contactor('open'), connected(3), ...RESTED, pilot('C'), contactor('closed')],
      state,
      at,
    );
    expect(back.names).toEqual(['offer x1', 'withdraw', 'switch to 3', 'offer 32', 'permit']);
    expect(back.state.phases).toEqual({ connected: 3, wanted: 3 });
    expect(back.statuses[0]).toBe('SuspendedEVSE: Switching to phases: 3');
  });

  it('withdraws a permit that has not closed the contactor yet before the switch is told', () => {
    const permitted = run([pilot('B'), ABC, begun, pilot('C')], connector()).state;
    expect(permitted).toMatchObject({ permit: true, contactor: 'open' });
    expect(run([wanted(1)], permitted).names).toEqual(['withdraw', 'offer x1', 'switch to 1']);
  });

  it('offers what the limit has become meanwhile', () => {
    const limit: Untimed = { type: 'limit', limitA: 10 };
    expect(run([...LET_GO, limit, connected(1), ...RESTED], charging(), 5000).names.at(-1)).toBe('offer 10');
  });
});

describe('a switch that refuses', () => {
  it('rests, and then what is connected is offered; it is not asked again', () => {
    const { names, state } = run(
      [...LET_GO, connected(3), ...RESTED, pilot('C'), contactor('closed')],
      charging(),
      5000,
    );
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1', 'offer 32', 'permit']);
    expect(state.phases).toEqual({ connected: 3, wanted: 3 });
  });

  it('is asked again when somebody wants it anew', () => {
    const { state, at } = run([...LET_GO, connected(3), ...RESTED], charging(), 5000);
    expect(run([wanted(1)], state, at).names).toEqual(['offer x1', 'switch to 1']);
  });

  it('may move by itself: what is connected is known, and it is brought back to what is wanted', () => {
    const { names, state } = run([connected(1), pilot('B'), contactor('open'), connected(3)], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 3']);
    expect(state.phases).toMatchObject({ connected: 3, wanted: 3 });
  });
});

describe('a wish that changes meanwhile', () => {
  it('back to what is connected, before the contactor is open, moves no switch', () => {
    const { names, state } = run([wanted(1), wanted(3)], charging());
    expect(names).toEqual(['offer x1', 'offer 32']);
    expect(state).toMatchObject({ permit: true, phases: { connected: 3, wanted: 3 } });
  });

  it('while the switch moves waits until it has settled, and rests once', () => {
    const { effects, state, at } = run([...LET_GO, wanted(3), connected(1), connected(3)], charging());
    expect(effects).toEqual([['offer x1'], ['withdraw'], ['switch to 1'], [], ['switch to 3'], []]);
    expect(deadlineOf(state)).toBe(at + PHASE_REST_MS);
    expect(run(RESTED, state, at).names).toEqual(['offer 32']);
  });

  it('to and fro while the switch moves is no second switching', () => {
    const { names } = run([...LET_GO, wanted(3), wanted(1), connected(1), ...RESTED], charging(), 5000);
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1', 'offer 32']);
  });

  it('during the rest begins anew, without an offer in between', () => {
    const { names, state, at } = run([...LET_GO, connected(1), deadline, wanted(3)], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1', 'switch to 3']);
    // The rest of before is over, the switch is still moving.
    const late = run([...RESTED, ...RESTED], state, at);
    expect(late.names).toEqual([]);
    expect(run([connected(3), ...RESTED], late.state, late.at).names).toEqual(['offer 32']);
  });
});

describe('before the first offer', () => {
  it('it switches while the start is written, and stays Preparing without a rest', () => {
    const { effects, statuses } = run(
      [pilot('B'), ABC, wanted(1), begun, connected(1), pilot('C'), contactor('closed')],
      connector(),
    );
    expect(effects).toEqual([[], ['begin'], ['switch to 1'], [], ['offer 32'], ['permit'], []]);
    expect(statuses).toEqual(['Preparing', 'Charging']);
  });

  it('a switch that has settled before the start is written costs nothing', () => {
    expect(run([pilot('B'), ABC, wanted(1), connected(1), begun], connector()).effects).toEqual([
      [],
      ['begin'],
      ['switch to 1'],
      [],
      ['offer 32'],
    ]);
  });

  it('nothing moves without a wish', () => {
    for (const phases of [1, 3] as const)
      expect(run([pilot('B'), ABC, begun, pilot('C'), contactor('closed')], connector(phases)).names).toEqual([
        'begin',
        'offer 32',
        'permit',
      ]);
  });

  it('an EV that was offered something, and never charged, has its rest all the same', () => {
    const offered = run([pilot('B'), ABC, begun], connector());
    const { names, statuses } = run([wanted(1), connected(1), ...RESTED], offered.state, offered.at);
    expect(names).toEqual(['offer x1', 'switch to 1', 'offer 32']);
    expect(statuses[0]).toBe('SuspendedEVSE: Switching to phases: 1');
  });
});

describe('an EV that has not asked for power in time', () => {
  it('is SuspendedEV, and then it switches as for one that has charged: SuspendedEVSE, and with a rest', () => {
    const offered = run([pilot('B'), ABC, begun, ...Array.from({ length: 30 }, () => deadline)], connector());
    expect(offered.statuses).toEqual(['Preparing', 'SuspendedEV: EV has not asked for power yet']);
    const { effects, statuses } = run([wanted(1), connected(1), ...RESTED], offered.state, offered.at);
    expect(effects).toEqual([['offer x1', 'switch to 1'], [], ...RESTED.slice(1).map(() => []), ['offer 32']]);
    expect(statuses).toEqual(['SuspendedEVSE: Switching to phases: 1']);
  });
});

describe('a mirror contact that is late with the session before', () => {
  it('takes no rest away from an EV that has been offered a current', () => {
    const late = { ...connector(), contactor: 'closed' } as const;
    const offered = run([pilot('B'), ABC, begun, contactor('open')], late);
    expect(offered.names).toContain('offer 32');
    const { effects } = run([wanted(1), connected(1), ...RESTED], offered.state, offered.at);
    expect(effects).toEqual([['offer x1', 'switch to 1'], [], ...RESTED.slice(1).map(() => []), ['offer 32']]);
  });
});

describe('what comes between', () => {
  it('the EV leaves: the transaction ends, the switch settles, and the next session waits for nothing', () => {
    const left = run([...LET_GO, pilot('A'), ended, connected(1)], charging());
    expect(left.names).toEqual(['offer x1', 'withdraw', 'switch to 1', 'end']);
    expect(left.state).toMatchObject({ phase: { name: 'idle' }, phases: { connected: 1, wanted: 1 }, offer: 'x1' });
    expect(run([pilot('B'), ABC, begun], left.state, left.at).names).toEqual(['begin', 'offer 32']);
  });

  it('the EV leaves under a closed contactor: the switch moves only after it has opened', () => {
    expect(run([wanted(1), pilot('A'), contactor('open')], charging()).effects).toEqual([
      ['offer x1'],
      ['withdraw'],
      ['switch to 1', 'end'],
    ]);
  });

  it('the next session begins while the switch still moves: Preparing, and nothing is offered before it has settled', () => {
    const left = run([...LET_GO, pilot('A'), ended], charging());
    const next = run([pilot('B'), ABC, begun, pilot('C'), connected(1)], left.state, left.at);
    expect(next.effects).toEqual([[], ['begin'], [], [], ['offer 32', 'permit']]);
    expect(next.statuses).toEqual(['Preparing']);
  });

  it('another transaction of the same EV begins during the rest: it has the rest of it', () => {
    const again = run([...LET_GO, wanted(3), connected(1), stop(), ended, ABC, begun], charging());
    const settled = run([connected(3)], again.state, again.at);
    expect(settled.names).toEqual([]);
    expect(deadlineOf(settled.state)).toBe(5000 + PHASE_REST_MS);
  });

  it('a fault trips first; the switch may move behind the open contactor, and the offer waits for both', () => {
    const tripped = run([wanted(1), faults(GROUND), contactor('open')], charging());
    expect(tripped.effects).toEqual([['offer x1'], ['withdraw'], ['switch to 1']]);
    expect(tripped.statuses.at(-1)).toBe('Faulted');
    const settled = run([connected(1), faults()], tripped.state, tripped.at);
    expect(settled.names).toEqual([]);
    expect(settled.statuses.at(-1)).toBe('SuspendedEVSE: Switching to phases: 1');
    expect(run(RESTED, settled.state, settled.at).names).toEqual(['offer 32', 'permit']);
  });

  it('a fault that lasts longer than the rest keeps the offer back', () => {
    const { names } = run([...LET_GO, connected(1), faults(GROUND), ...RESTED, ...RESTED], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1']);
  });

  it('a stop ends the transaction as ever, and offers nothing afterwards', () => {
    const { names } = run([...LET_GO, stop(), ended, connected(1), ...RESTED], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1', 'end']);
  });

  it('a limit below 6 A outlasts the rest, and then it is the reason', () => {
    const limit: Untimed = { type: 'limit', limitA: 0, reason: 'TxProfile 1 allows 0 A' };
    const { names, statuses } = run([...LET_GO, limit, connected(1), ...RESTED], charging(), 5000);
    expect(names).toEqual(['offer x1', 'withdraw', 'switch to 1']);
    expect(statuses).toEqual(['SuspendedEVSE: Switching to phases: 1', 'SuspendedEVSE: TxProfile 1 allows 0 A']);
  });
});

/** An interlock, a contactor whose mirror contact may be late, a phase switch that may refuse, an EV that does as it likes. */
class Sandbox {
  state = connector();
  at = 0;
  /** The contacts. */
  closed = false;
  x1Since: number | undefined;
  /** What the switch has been told and not settled yet. */
  moving: PhaseCount | undefined;
  phases: PhaseCount = 3;
  /** A number of ampere was offered in this transaction. */
  offered = false;
  restsUntil = 0;
  switched = 0;

  send(event: Untimed): void {
    const { state, effects } = step(this.state, { ...event, at: this.at } as Event);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    if (state.phases.switchingTo !== undefined) expect(state).toMatchObject({ permit: false, offer: 'x1' });
    if (isSwitching(state)) {
      expect(state.offer).toBe('x1');
      // What still flows may flow until the EV has let go.
      if (state.permit) expect(state.contactor).toBe('closed');
    }
    if (state.phase.name !== 'transaction') this.offered = false;
  }

  pilot(to: PilotState): void {
    // The interlock opens before the core hears of it.
    if (to !== 'C') this.closed = false;
    this.send(pilot(to));
  }

  mirror(): void {
    const seen = this.closed ? 'closed' : 'open';
    if (seen !== this.state.contactor) this.send(contactor(seen));
  }

  settle(refuses: boolean): void {
    if (this.moving === undefined) return;
    if (!refuses) this.phases = this.moving;
    this.moving = undefined;
    if (this.offered) this.restsUntil = this.at + PHASE_REST_MS;
    this.send(connected(this.phases));
  }

  advance(ms: number): void {
    const end = this.at + ms;
    let turns = 0;
    for (let due = this.#due(); due !== undefined && due <= end; due = this.#due()) {
      expect(turns++, 'a deadline that does not pass').toBeLessThan(100);
      this.at = Math.max(this.at, due);
      if (this.x1Since !== undefined && this.at >= this.x1Since + 6000) {
        this.x1Since = undefined;
        this.closed = false;
        this.mirror();
      } else this.send(deadline);
    }
    this.at = end;
  }

  #due(): number | undefined {
    const opensAt = this.x1Since === undefined ? undefined : this.x1Since + 6000;
    const times = [deadlineOf(this.state), opensAt].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'permit':
        if (effect.given) expect(this.moving).toBeUndefined();
        if (!effect.given) this.closed = false;
        else if (this.state.pilot === 'C') this.closed = true;
        break;
      case 'offer':
        this.x1Since = effect.offer === 'x1' && this.closed ? this.at : undefined;
        if (typeof effect.offer !== 'number') break;
        expect(this.moving).toBeUndefined();
        expect(this.at).toBeGreaterThanOrEqual(this.restsUntil);
        this.offered = true;
        break;
      case 'switchPhases':
        expect({ closed: this.closed, mirror: this.state.contactor }).toEqual({ closed: false, mirror: 'open' });
        expect(this.moving).toBeUndefined();
        expect(effect.phases).not.toBe(this.phases);
        this.moving = effect.phases;
        this.switched++;
    }
  }
}

const act = (weight: number, arbitrary: fc.Arbitrary<(sandbox: Sandbox) => unknown>) => ({ weight, arbitrary });
const always = (move: (sandbox: Sandbox) => unknown) => fc.constant(move);
const move = fc.oneof(
  act(
    5,
    fc.constantFrom<PilotState>('A', 'B', 'B', 'C', 'C', 'C', 'E').map((to) => (s: Sandbox) => s.pilot(to)),
  ),
  act(
    2,
    always((s) => s.send(ABC)),
  ),
  act(
    3,
    always((s) => s.state.phase.name === 'beginning' && s.send(begun)),
  ),
  act(
    2,
    always((s) => s.state.phase.name === 'closing' && s.send(ended)),
  ),
  act(
    5,
    always((s) => s.mirror()),
  ),
  act(
    5,
    fc.constantFrom<PhaseCount>(1, 3).map((phases) => (s: Sandbox) => s.send(wanted(phases))),
  ),
  act(
    4,
    fc.boolean().map((refuses) => (s: Sandbox) => s.settle(refuses)),
  ),
  act(
    1,
    fc.constantFrom(0, 6, 16).map((limitA) => (s: Sandbox) => s.send({ type: 'limit', limitA })),
  ),
  act(
    1,
    fc.boolean().map((trip) => (s: Sandbox) => s.send(stop(trip))),
  ),
  act(
    1,
    fc.constantFrom([], [], [GROUND]).map((raised) => (s: Sandbox) => s.send(faults(...raised))),
  ),
  act(
    4,
    fc.integer({ min: 1, max: 8000 }).map((ms) => (s: Sandbox) => s.advance(ms)),
  ),
);

describe('in every random story', () => {
  it('nothing switches under a closed contactor, nothing is permitted or offered while it switches, and the rest is kept', () => {
    let switched = 0;
    fc.assert(
      fc.property(fc.array(move, { maxLength: 100, size: 'max' }), (moves) => {
        const sandbox = new Sandbox();
        for (const first of [pilot('B'), ABC, begun]) sandbox.send(first);
        for (const each of moves) each(sandbox);
        switched += sandbox.switched;
      }),
      { numRuns: 1500 },
    );
    // It was about something.
    expect(switched).toBeGreaterThan(1500);
  });

  it('an EV that waits is offered a current in the end, on the phases that are wanted', () => {
    fc.assert(
      fc.property(
        fc.array(move, { maxLength: 60, size: 'max' }),
        fc.constantFrom<PhaseCount>(1, 3),
        (moves, phases) => {
          const sandbox = new Sandbox();
          for (const each of moves) each(sandbox);
          sandbox.send(faults());
          sandbox.send({ type: 'limit', limitA: 16 });
          sandbox.send(stop());
          for (const settled of [() => sandbox.pilot('A'), () => sandbox.mirror(), () => sandbox.advance(8000)])
            settled();
          if (sandbox.state.phase.name === 'beginning') sandbox.send(begun);
          if (sandbox.state.phase.name === 'closing') sandbox.send(ended);
          for (const next of [pilot('B'), ABC, begun, wanted(phases)]) sandbox.send(next);
          for (let n = 0; n < 3; n++) {
            sandbox.mirror();
            sandbox.settle(false);
          }
          sandbox.advance(PHASE_REST_MS);
          expect(sandbox.state).toMatchObject({ offer: 16, phases: { connected: phases, wanted: phases } });
        },
      ),
      { numRuns: 500 },
    );
  });
});
