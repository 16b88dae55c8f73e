/** One connector: whole sessions as tables of events, and the invariants over random stories. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PilotState } from '../../../hal/contract.ts';
import type { Effect } from '../../../src/core/connector/outputs.ts';
import { canBegin, TRIP_WITHIN_MS } from '../../../src/core/connector/session.ts';
import { atPowerUp, type Connector, type ConnectorFault } from '../../../src/core/connector/state.ts';
import { reportOf } from '../../../src/core/connector/status.ts';
import { deadlineOf, EV_ANSWERS_WITHIN_MS, type Event, step } from '../../../src/core/connector/step.ts';
import { nameFault } from '../../../src/station/faults.ts';
import { RULES } from '../../sim/rules.ts';

const GROUND: ConnectorFault = { code: 'groundFault', blocks: 'charging', errorCode: 'GroundFailure' };
const EMERGENCY: ConnectorFault = { code: 'emergencyStop', blocks: 'charging', errorCode: 'OtherError' };
const TRANSACTION = { id: 'tx', idTag: 'ABC' };
const ABC = { type: 'authorized', authorization: { idTag: 'ABC' } } as const;

type Untimed = Event extends infer E ? (E extends Event ? Omit<E, 'at'> : never) : never;

const connector = (overrides: Partial<Connector> = {}): Connector => ({
  ...atPowerUp({ id: 1, cable: 'attached', ventilated: false, limitA: 32, rules: RULES }),
  ...overrides,
});

/** Runs events at one-second steps and keeps what came of them. */
function run(events: readonly Untimed[], from = connector()) {
  let state = from;
  const effects: Effect[] = [];
  const statuses: string[] = [];
  let at = 0;
  for (const event of events) {
    at += 1000;
    const next = step(state, { ...event, at } as Event);
    state = next.state;
    effects.push(...next.effects);
    const { status } = reportOf(state);
    if (statuses.at(-1) !== status) statuses.push(status);
  }
  return { state, effects, statuses, names: effects.map(nameOf) };
}

function nameOf(effect: Effect): string {
  switch (effect.type) {
    case 'offer':
      return `offer ${effect.offer}`;
    case 'permit':
      return effect.given ? 'permit' : 'withdraw';
    default:
      return effect.type;
  }
}

const pilot = (state: PilotState): Untimed => ({ type: 'pilot', pilot: state });
const contactor = (state: 'open' | 'closed'): Untimed => ({ type: 'contactor', contactor: state });
const begun: Untimed = { type: 'begun', transaction: TRANSACTION };
const CHARGING: readonly Untimed[] = [pilot('B'), ABC, begun, pilot('C'), contactor('closed')];
const charging = () => run(CHARGING).state;
const faults = (...raised: ConnectorFault[]): Untimed => ({ type: 'faults', faults: raised });
const stop = (trip = false): Untimed => ({ type: 'stop', stop: { reason: 'Remote', trip } });

describe('a transaction that a loss of power has cut off', () => {
  const interrupted: Untimed = { type: 'interrupted', transaction: TRANSACTION, until: 60_000 };
  const resumed: Untimed = { type: 'resumed', transaction: 'tx' };
  const socket = connector({ cable: 'socket' });
  const reasons = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => (effect.type === 'end' ? [effect.stop.reason] : []));

  it('offers nothing until it is resumed, then goes on without a second begin', () => {
    const before = run([interrupted, pilot('A'), pilot('B'), pilot('C')]);
    expect(before).toMatchObject({ names: [], statuses: ['SuspendedEVSE'], state: { offer: 'x1', permit: false } });
    const after = run([interrupted, pilot('B'), resumed, pilot('C'), contactor('closed')]);
    expect(after.names).toEqual(['offer 32', 'permit']);
    expect(after.statuses).toEqual(['SuspendedEVSE', 'Charging']);
    expect(after.state.phase).toMatchObject({ name: 'transaction', transaction: TRANSACTION });
  });

  it('closes no contactor for an EV that asks already, before the permit of the offer', () => {
    expect(run([interrupted, pilot('C'), resumed]).names).toEqual(['offer 32', 'permit']);
  });

  it('holds the plug before it is resumed, and does not go on with one that is not held', () => {
    expect(run([interrupted, pilot('B')], socket).names).toEqual(['lock']);
    const cable: Untimed = { type: 'cable', cableA: 32 };
    expect(run([interrupted, cable, pilot('B'), { type: 'locked', locked: true }, resumed], socket).names).toEqual([
      'lock',
      'offer 32',
    ]);
    expect(reasons(run([interrupted, cable, pilot('B'), resumed], socket).effects)).toEqual(['PowerLoss']);
  });

  it.each<[string, readonly Untimed[], string]>([
    ['nobody is plugged in', [pilot('A'), resumed], 'PowerLoss'],
    ['the EV leaves meanwhile', [pilot('B'), pilot('A')], 'PowerLoss'],
    [
      'its time runs out',
      [pilot('B'), ...Array.from({ length: 60 }, (): Untimed => ({ type: 'deadline' }))],
      'PowerLoss',
    ],
    ['it is stopped from afar', [pilot('B'), stop()], 'Remote'],
    ['its idTag is not accepted', [pilot('B'), { type: 'deauthorized', transaction: 'tx' }], 'DeAuthorized'],
    ['an emergency stop is pressed', [pilot('B'), faults(EMERGENCY)], 'EmergencyStop'],
  ])('ends once if %s', (_, events, reason) => {
    const { effects, state } = run([interrupted, ...events, resumed]);
    expect(reasons(effects)).toEqual([reason]);
    expect(state).toMatchObject({ offer: 'x1', permit: false, phase: { name: 'closing' } });
  });

  it('waits for its time and no longer', () => {
    const { state } = run([interrupted]);
    expect(deadlineOf(state)).toBe(60_000);
    expect(step(state, { type: 'deadline', at: 59_999 }).state.phase.name).toBe('interrupted');
  });

  it('is not begun anew by a tag, and not resumed as another one', () => {
    const { state, names } = run([interrupted, pilot('B'), ABC, { type: 'resumed', transaction: 'other' }]);
    expect(state.phase.name).toBe('interrupted');
    expect(names).toEqual([]);
  });

  it('goes on under a fault as any transaction does: Faulted, and over after the grace', () => {
    const { statuses, state } = run([interrupted, pilot('B'), faults(GROUND), resumed]);
    expect(statuses).toEqual(['SuspendedEVSE', 'Faulted']);
    expect(deadlineOf(state)).toBe(4000 + RULES.faultGraceMs);
  });
});

describe('a session on one connector', () => {
  it('goes from plug to Charging: durable start, offer, then permit', () => {
    const { names, statuses } = run(CHARGING);
    expect(names).toEqual(['begin', 'offer 32', 'permit']);
    expect(statuses).toEqual(['Preparing', 'Charging']);
  });

  it('begins when the plug follows the authorisation', () => {
    expect(run([ABC, pilot('B'), begun]).names).toEqual(['begin', 'offer 32']);
  });

  it('offers nothing before the start is durable', () => {
    expect(run([pilot('B'), ABC, pilot('C')]).state).toMatchObject({ offer: 'x1', permit: false });
  });

  it('goes back to Preparing if the start cannot be made durable', () => {
    const { state, names } = run([pilot('B'), ABC, { type: 'refused' }]);
    expect(names).toEqual(['begin']);
    expect(state.phase).toEqual({ name: 'occupied' });
  });

  it('ends with EVDisconnected at once if the EV left while the start was being written', () => {
    const { effects, names } = run([pilot('B'), ABC, pilot('A'), begun]);
    expect(names).toEqual(['begin', 'end']);
    expect(effects.at(-1)).toMatchObject({ transaction: TRANSACTION, stop: { reason: 'EVDisconnected' } });
  });

  it('forgets an authorisation when nobody plugs in', () => {
    const { state } = run([ABC]);
    const due = deadlineOf(state) ?? 0;
    expect(due).toBe(1000 + RULES.connectionTimeoutMs);
    expect(step(state, { type: 'deadline', at: due }).state.phase).toEqual({ name: 'idle' });
  });

  it('withdraws the offer first on a stop and reads the register only when the contactor is open', () => {
    const { names, statuses } = run([stop(), pilot('B'), contactor('open'), { type: 'ended' }, pilot('A')], charging());
    expect(names).toEqual(['offer x1', 'withdraw', 'end']);
    expect(statuses).toEqual(['Finishing', 'Available']);
  });

  it('keeps the permit during a stop while the EV holds on, so that nothing breaks the current but the interlock', () => {
    expect(run([stop()], charging()).state).toMatchObject({ offer: 'x1', permit: true });
  });

  it('opens before anything else on a trip', () => {
    expect(run([stop(true)], charging()).names).toEqual(['withdraw', 'offer x1']);
  });

  it('keeps the PWM when the EV goes back to B, so that it may come again', () => {
    const { state, statuses } = run([pilot('B'), contactor('open'), pilot('C'), contactor('closed')], charging());
    expect(state.offer).toBe(32);
    // Until the mirror contact says open, it is the charging of before.
    expect(statuses).toEqual(['Charging', 'SuspendedEV', 'Charging']);
  });

  it('ends with EVDisconnected when the EV leaves', () => {
    const { effects, names } = run([pilot('A'), contactor('open')], charging());
    expect(names).toEqual(['withdraw', 'offer x1', 'end']);
    expect(effects.at(-1)).toMatchObject({ stop: { reason: 'EVDisconnected' } });
  });

  it('stays SuspendedEV without StopTransactionOnEVSideDisconnect', () => {
    const rules = { ...RULES, stopOnEvSideDisconnect: false };
    const { state, statuses } = run([{ type: 'rules', rules }, pilot('A'), contactor('open')], charging());
    expect(statuses.at(-1)).toBe('SuspendedEV');
    expect(state.phase.name).toBe('transaction');
  });

  it('is SuspendedEVSE below 6 A and charges again when there is more', () => {
    const { names, statuses } = run(
      [
        { type: 'limit', limitA: 5.9 },
        pilot('B'),
        contactor('open'),
        { type: 'limit', limitA: 10 },
        pilot('C'),
        contactor('closed'),
      ],
      charging(),
    );
    expect(names).toEqual(['offer x1', 'withdraw', 'offer 10', 'permit']);
    expect(statuses).toEqual(['SuspendedEVSE', 'Charging']);
  });

  it('says SuspendedEV only after the EV had its time to answer the offer', () => {
    const { state } = run([pilot('B'), ABC, begun]);
    expect(reportOf(state).status).toBe('Preparing');
    const due = deadlineOf(state) ?? 0;
    expect(due).toBe(3000 + EV_ANSWERS_WITHIN_MS);
    expect(reportOf(step(state, { type: 'deadline', at: due }).state).status).toBe('SuspendedEV');
  });

  it('says why it is suspended', () => {
    const why = (state: Connector) => {
      const { status, info } = reportOf(state);
      return [status, info];
    };
    const toB = [pilot('B'), contactor('open')];
    const none: Untimed = { type: 'limit', limitA: 5.9 };
    const { state: waiting } = run([pilot('B'), ABC, begun]);
    const late: Event = { type: 'deadline', at: deadlineOf(waiting) ?? 0 };
    expect(why(step(waiting, late).state)).toEqual(['SuspendedEV', 'EV has not asked for power yet']);
    expect(why(run(toB, charging()).state)).toEqual(['SuspendedEV', 'EV has paused']);
    expect(why(run([none, ...toB], charging()).state)).toEqual(['SuspendedEVSE', 'No current to offer']);
    const again = run([none, ...toB, { type: 'limit', limitA: 10 }], charging()).state;
    expect(why(again)).toEqual(['SuspendedEVSE', 'No current to offer']);
  });

  it('is never Preparing again once nothing could be offered', () => {
    const none: Untimed = { type: 'limit', limitA: 5.9 };
    const enough: Untimed = { type: 'limit', limitA: 10 };
    const story = [none, pilot('B'), ABC, begun, enough, pilot('C'), contactor('closed')];
    expect(run(story).statuses).toEqual(['Available', 'Preparing', 'SuspendedEVSE', 'Charging']);
  });

  it('gives an EV its time to answer again after a pilot of E', () => {
    const again = run([pilot('E'), contactor('open'), pilot('B'), pilot('C'), contactor('closed')], charging());
    expect(again.statuses).toEqual(['SuspendedEVSE', 'Charging']);
  });

  it('does not begin while the mains fail', () => {
    const mains = (state: 'on' | 'failing'): Untimed => ({ type: 'mains', mains: state });
    const { state, names } = run([ABC, mains('failing'), pilot('B'), mains('on')]);
    expect(names).toEqual([]);
    expect(state.phase.name).toBe('occupied');
  });

  it('is Faulted under a fault, keeps the transaction, and goes on when the fault clears', () => {
    const { names, statuses, state } = run([faults(GROUND), pilot('B'), contactor('open'), faults()], charging());
    expect(names).toEqual(['withdraw', 'offer x1', 'offer 32']);
    expect(statuses).toEqual(['Faulted', 'SuspendedEVSE']);
    expect(state.phase.name).toBe('transaction');
  });

  it('ends with Other when a fault outlasts its grace', () => {
    const { state } = run([faults(GROUND), contactor('open')], charging());
    const { effects } = step(state, { type: 'deadline', at: deadlineOf(state) ?? 0 });
    expect(effects).toEqual([{ type: 'end', transaction: TRANSACTION, stop: { reason: 'Other', trip: true } }]);
  });

  it('ends at once with EmergencyStop', () => {
    const { effects, names } = run([faults(EMERGENCY), contactor('open')], charging());
    expect(names).toEqual(['withdraw', 'offer x1', 'end']);
    expect(effects.at(-1)).toMatchObject({ stop: { reason: 'EmergencyStop' } });
  });

  it('ends with PowerLoss when the mains fail', () => {
    const { effects } = run([{ type: 'mains', mains: 'failing' }, contactor('open')], charging());
    expect(effects.at(-1)).toMatchObject({ stop: { reason: 'PowerLoss' } });
  });

  it('withdraws the offer, but is not Faulted, when the EV does not communicate', () => {
    const silent: ConnectorFault = { code: 'evCommunication', blocks: 'offer', errorCode: 'EVCommunicationError' };
    const { state } = run([faults(silent)], charging());
    expect(state).toMatchObject({ permit: false, offer: 'x1' });
    expect(reportOf(state)).toMatchObject({ status: 'SuspendedEVSE', errorCode: 'EVCommunicationError' });
  });

  it('is Faulted with the word of the hardware when the pilot cannot be read, which looks like a silent EV as well', () => {
    const seen = (['evCommunication', 'pilotSilent'] as const).map((code) => nameFault({ code, connectorId: 1 }));
    const { state } = run([faults(...seen)], charging());
    expect(reportOf(state)).toMatchObject({
      status: 'Faulted',
      errorCode: 'InternalError',
      vendorErrorCode: 'PilotSilent',
      info: 'Control pilot cannot be read',
    });
  });

  describe('that only takes a moment', () => {
    const TESTING: ConnectorFault = {
      code: 'rcdTesting',
      blocks: 'moment',
      errorCode: 'NoError',
      info: 'RCD self test',
    };

    it('withholds the offer, sends nobody away, and gives the offer afterwards', () => {
      const { state, names } = run([pilot('B'), faults(TESTING), ABC, { type: 'begun', transaction: TRANSACTION }]);
      expect(names).toEqual(['begin']);
      expect(reportOf(state)).toEqual({ status: 'SuspendedEVSE', errorCode: 'NoError', info: 'RCD self test' });
      expect(run([faults()], state).names).toEqual(['offer 32']);
    });

    it('lets a session begin, unless something else is wrong', () => {
      expect(canBegin(run([pilot('B'), faults(TESTING)]).state)).toBe(true);
      expect(canBegin(run([pilot('B'), faults(TESTING, GROUND)]).state)).toBe(false);
    });

    it('is no word of a connector without an EV', () => {
      expect(reportOf(run([faults(TESTING)]).state)).toEqual({ status: 'Available', errorCode: 'NoError' });
    });
  });

  it('reports a warning with the status that it does not change', () => {
    const warning: ConnectorFault = { code: 'readerSilent', blocks: 'nothing', errorCode: 'ReaderFailure' };
    expect(reportOf(run([faults(warning)], charging()).state)).toMatchObject({
      status: 'Charging',
      errorCode: 'ReaderFailure',
    });
  });

  it('begins nothing while Faulted', () => {
    expect(run([faults(GROUND), pilot('B'), ABC]).names).toEqual([]);
  });

  it.each([
    [true, 'DeAuthorized', 'Finishing'],
    [false, undefined, 'SuspendedEVSE'],
  ])('with StopTransactionOnInvalidId=%s a rejected idTag ends in %s', (stopOnInvalidId, reason, status) => {
    const { effects, state } = run(
      [
        { type: 'rules', rules: { ...RULES, stopOnInvalidId } },
        { type: 'deauthorized', transaction: 'tx' },
        pilot('B'),
        contactor('open'),
      ],
      charging(),
    );
    expect(state.offer).toBe('x1');
    expect(reportOf(state).status).toBe(status);
    const end = effects.find((effect) => effect.type === 'end');
    expect(end?.type === 'end' ? end.stop.reason : undefined).toBe(reason);
  });
});

describe('a reservation (OCPP 1.6 sections 4.9 and 5.13)', () => {
  const reserved = (reservationId?: number): Untimed => ({ type: 'reserved', reservationId });
  const over = (reservationId: number): Untimed => ({ type: 'reservationOver', reservationId });
  const MINE = { type: 'authorized', authorization: { idTag: 'MINE', reservationId: 7 } } as const;
  const several = connector({ rules: { ...RULES, plugTimesOut: true } });
  const late: Untimed[] = Array.from({ length: 61 }, () => ({ type: 'deadline' }));
  const named = (...events: Untimed[]) =>
    run(events).effects.flatMap((effect) => (effect.type === 'begin' ? [effect.reservationId] : []));

  it('is shown whoever plugs in and however long, until somebody is authorised', () => {
    const story = [reserved(7), pilot('B'), ...late];
    expect(run(story, several)).toMatchObject({ statuses: ['Reserved'], state: { phase: { name: 'finishing' } } });
    expect(run([...story, pilot('A')], several).statuses).toEqual(['Reserved']);
    expect(run([...story, MINE], several).statuses).toEqual(['Reserved', 'Preparing']);
  });

  it('that is over leaves what is true there without it', () => {
    expect(run([reserved(7), pilot('B'), reserved()], several).statuses).toEqual(['Reserved', 'Preparing']);
    expect(run([reserved(7), pilot('B'), ...late, reserved()], several).statuses).toEqual(['Reserved', 'Finishing']);
  });

  it('does not hide the end of a session', () => {
    const ended = [...CHARGING, stop(), contactor('open'), { type: 'ended' } as const];
    expect(run([...ended, reserved(7)]).statuses.at(-1)).toBe('Finishing');
  });

  it('is named by the transaction that uses it', () => {
    expect(named(MINE, pilot('B'))).toEqual([7]);
  });

  it('that is over before is named by none; one with another id stays', () => {
    expect(named(MINE, over(7), pilot('B'))).toEqual([undefined]);
    expect(named(MINE, over(8), pilot('B'))).toEqual([7]);
    const socket = run([MINE, pilot('B'), over(7), { type: 'locked', locked: true }], connector({ cable: 'socket' }));
    expect(socket.effects.filter(({ type }) => type === 'begin')).toEqual([{ type: 'begin', idTag: 'MINE' }]);
  });
});

describe('MaxEnergyOnInvalidId (OCPP 1.6 section 9.1.14)', () => {
  const invalidated = () =>
    run(
      [
        { type: 'rules', rules: { ...RULES, stopOnInvalidId: false, maxEnergyOnInvalidIdWh: 100 } },
        { type: 'deauthorized', transaction: 'tx' },
      ],
      charging(),
    ).state;
  const register = (energyImportWh: number): Untimed => ({ type: 'register', energyImportWh });

  it('goes on charging until so much has flowed since the first look at the register', () => {
    const almost = run([register(5000), register(5099.9)], invalidated()).state;
    expect(almost).toMatchObject({ offer: 32, permit: true });
    const used = run([register(5100)], almost).state;
    expect(used).toMatchObject({ offer: 'x1', phase: { name: 'transaction', deauthorized: true } });
    expect(reportOf(run([pilot('B'), contactor('open')], used).state)).toMatchObject({ status: 'SuspendedEVSE' });
  });

  it('never comes back once it is used up', () => {
    expect(run([register(0), register(100), register(0), pilot('B'), pilot('C')], invalidated()).state.offer).toBe(
      'x1',
    );
  });

  it('is used up by a register that runs backwards', () => {
    expect(run([register(5000), register(4999)], invalidated()).state.offer).toBe('x1');
  });

  it('does not touch a transaction whose idTag is accepted', () => {
    expect(run([register(0), register(1_000_000)], charging()).state.offer).toBe(32);
  });
});

describe('a group that the central system names after the start', () => {
  const grouped = (transaction: string): Untimed => ({ type: 'grouped', transaction, parentIdTag: 'FAMILY' });

  it('belongs to the transaction, to its end, and to what is remembered of it', () => {
    const { state } = run([grouped('tx'), stop(), pilot('B'), contactor('open'), { type: 'ended' }], charging());
    expect(state.phase).toMatchObject({ name: 'finishing', last: { idTag: 'ABC', parentIdTag: 'FAMILY' } });
  });

  it('does not touch another transaction', () => {
    expect(run([grouped('other')], charging()).state).toEqual(charging());
  });
});

describe('a socket outlet', () => {
  const socket = () => connector({ cable: 'socket' });
  const cable = (cableA: number | undefined): Untimed => ({ type: 'cable', cableA });
  const locked = (is: boolean): Untimed => ({ type: 'locked', locked: is });

  it('locks the plug before the transaction begins', () => {
    expect(run([cable(20), pilot('B'), ABC], socket()).names).toEqual(['lock']);
    expect(run([cable(20), pilot('B'), ABC, locked(true), begun], socket()).names).toEqual([
      'lock',
      'begin',
      'offer 20',
    ]);
  });

  it('begins nothing when the lock fails', () => {
    const failed: ConnectorFault = { code: 'lockFailed', blocks: 'charging', errorCode: 'ConnectorLockFailure' };
    const { names, state } = run([cable(32), pilot('B'), ABC, faults(failed), locked(false)], socket());
    expect(names).toEqual(['lock', 'unlock']);
    expect(reportOf(state)).toMatchObject({ status: 'Faulted', errorCode: 'ConnectorLockFailure' });
  });

  const chargingSocket = () =>
    run([cable(32), pilot('B'), ABC, locked(true), begun, pilot('C'), contactor('closed')], socket()).state;

  it('never raises the offer because the cable reads as a thicker one while the EV is there', () => {
    const plugged = run([cable(20), pilot('B'), ABC, locked(true), begun], socket());
    expect(plugged.names.at(-1)).toBe('offer 20');
    expect(run([cable(63), pilot('C'), cable(32)], plugged.state).names).toEqual(['permit']);
    expect(run([cable(13), cable(20)], plugged.state).names).toEqual(['offer 13']);
    // Behind an E nobody sees whether it is another one: it still is the same session.
    expect(run([pilot('E'), cable(63)], plugged.state).state.cableA).toBe(20);
  });

  it('takes the next cable as it is', () => {
    const left = run([cable(20), pilot('B'), pilot('A'), cable(undefined), cable(63), pilot('B')], socket());
    expect(left.state.cableA).toBe(63);
  });

  it('tries again to give a plug back that it holds for nobody, when the EV moves or a fault has gone', () => {
    const stuck: ConnectorFault = { code: 'unlockFailed', blocks: 'charging', errorCode: 'ConnectorLockFailure' };
    const ended = run([stop(), pilot('B'), contactor('open'), { type: 'ended' }, locked(true)], chargingSocket());
    expect(ended.names.at(-1)).toBe('unlock');
    expect(run([pilot('E')], ended.state).names).toEqual(['unlock']);
    expect(run([pilot('E'), pilot('B'), locked(false), pilot('A')], ended.state).names).toEqual(['unlock', 'unlock']);
    expect(run([faults(stuck)], ended.state).names).toEqual([]);
    expect(run([faults(stuck), faults()], ended.state).names).toEqual(['unlock']);
  });

  it('unlocks only after the contactor is open', () => {
    const stopped = run([stop()], chargingSocket());
    expect(stopped.names).toEqual(['offer x1']);
    expect(run([pilot('B'), contactor('open'), { type: 'ended' }], stopped.state).names).toEqual([
      'withdraw',
      'end',
      'unlock',
    ]);
  });

  it('never unlocks under a welded contactor', () => {
    const welded: ConnectorFault = { code: 'contactorWelded', blocks: 'charging', errorCode: 'PowerSwitchFailure' };
    const { names } = run(
      [stop(), pilot('B'), faults(welded), { type: 'deadline' }, { type: 'ended' }, pilot('A'), cable(undefined)],
      chargingSocket(),
    );
    expect(names).not.toContain('unlock');
  });

  it('stays Finishing until the plug is out of the socket', () => {
    const { statuses } = run([pilot('A'), contactor('open'), { type: 'ended' }, cable(undefined)], chargingSocket());
    expect(statuses).toEqual(['Finishing', 'Available']);
  });

  it('offers nothing to a plug without a rating', () => {
    expect(run([cable(undefined)], chargingSocket()).state.offer).toBe('x1');
  });
});

/** A world just large enough to answer the effects: an interlock, a journal, and a car that does as it likes. */
class Sandbox {
  state = connector();
  at = 0;
  /** The coil, as the interlock drives it. */
  closed = false;
  x1Since: number | undefined;
  readonly journal: ('begin' | 'end')[] = [];

  send(event: Untimed): void {
    const before = this.state;
    const { state, effects } = step(before, { ...event, at: this.at } as Event);
    this.state = state;
    for (const effect of effects) this.#carryOut(effect);
    this.check();
  }

  advance(ms: number): void {
    const end = this.at + ms;
    for (let due = this.#due(); due !== undefined && due <= end; due = this.#due()) {
      this.at = Math.max(this.at, due);
      if (this.x1Since !== undefined && this.at >= this.x1Since + 6000) this.contactor('open');
      else this.send({ type: 'deadline' });
    }
    this.at = end;
  }

  pilot(state: PilotState): void {
    // The interlock opens before the core hears of it.
    if (state !== 'C' && this.state.contactor === 'closed') this.closed = false;
    this.send(pilot(state));
    if (!this.closed && this.state.contactor === 'closed') this.contactor('open');
  }

  contactor(state: 'open' | 'closed'): void {
    this.closed = state === 'closed';
    this.x1Since = undefined;
    this.send({ type: 'contactor', contactor: state });
  }

  #due(): number | undefined {
    const times = [deadlineOf(this.state), this.x1Since === undefined ? undefined : this.x1Since + 6000];
    const due = times.filter((time) => time !== undefined);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'begin':
        this.journal.push('begin');
        break;
      case 'end':
        this.journal.push('end');
        break;
      case 'permit':
        if (!effect.given) this.closed = false;
        else if (this.state.pilot === 'C' && typeof this.state.offer === 'number') this.closed = true;
        break;
      case 'offer':
        this.x1Since = typeof effect.offer === 'number' || !this.closed ? undefined : this.at;
    }
  }

  check(): void {
    const { state } = this;
    if (state.permit) {
      expect(state.pilot).toBe('C');
      expect('transaction' in state.phase).toBe(true);
      expect(state.faults.every(({ blocks }) => blocks === 'nothing')).toBe(true);
      expect(state.mains).toBe('on');
      if (typeof state.offer !== 'number') expect(state.contactor).toBe('closed');
    }
    if (typeof state.offer === 'number') {
      expect(state.offer).toBeGreaterThanOrEqual(6);
      expect(state.offer).toBeLessThanOrEqual(state.limitA);
      expect(state.phase.name).toBe('transaction');
    }
    if (this.closed && this.x1Since !== undefined) expect(this.at - this.x1Since).toBeLessThanOrEqual(6000);
    if (state.phase.name === 'ending') expect(state.offer).toBe('x1');
  }
}

const move = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom<PilotState>('A', 'B', 'C', 'D', 'E', 'F').map((to) => (s: Sandbox) => s.pilot(to)),
  },
  { weight: 3, arbitrary: fc.constant((s: Sandbox) => s.send(ABC)) },
  {
    weight: 4,
    arbitrary: fc.boolean().map((accepted) => (s: Sandbox) => {
      if (s.state.phase.name !== 'beginning') return;
      s.send(accepted ? begun : { type: 'refused' });
      if (!accepted) s.journal.pop();
    }),
  },
  {
    weight: 4,
    arbitrary: fc.constant((s: Sandbox) => {
      if (s.closed !== (s.state.contactor === 'closed')) s.contactor(s.closed ? 'closed' : 'open');
    }),
  },
  { weight: 3, arbitrary: fc.constant((s: Sandbox) => s.state.phase.name === 'closing' && s.send({ type: 'ended' })) },
  { weight: 2, arbitrary: fc.boolean().map((trip) => (s: Sandbox) => s.send(stop(trip))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom([], [GROUND], [EMERGENCY]).map((raised) => (s: Sandbox) => s.send(faults(...raised))),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<'on' | 'failing'>('on', 'failing')
      .map((mains) => (s: Sandbox) => s.send({ type: 'mains', mains })),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 40 }).map((limitA) => (s: Sandbox) => s.send({ type: 'limit', limitA })),
  },
  { weight: 1, arbitrary: fc.constant((s: Sandbox) => s.send({ type: 'deauthorized', transaction: 'tx' })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom({ stopOnInvalidId: true }, { stopOnInvalidId: false, maxEnergyOnInvalidIdWh: 50 })
      .map((rules) => (s: Sandbox) => s.send({ type: 'rules', rules: { ...RULES, ...rules } })),
  },
  {
    weight: 1,
    arbitrary: fc.nat(200).map((wh) => (s: Sandbox) => s.send({ type: 'register', energyImportWh: wh })),
  },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 400_000 }).map((ms) => (s: Sandbox) => s.advance(ms)) },
);

describe('a process that is about to end', () => {
  const shutdown = (trip: boolean): Untimed => ({ type: 'shutdown', stop: { reason: 'Reboot', trip } });

  it('begins nothing any more, whatever comes', () => {
    const { names, state } = run([shutdown(true), pilot('B'), ABC, pilot('C'), ABC, pilot('A'), ABC]);
    expect(names).toEqual([]);
    expect(canBegin(state)).toBe(false);
  });

  it('ends a transaction whose start is just being written as soon as it is', () => {
    const { effects } = run([pilot('B'), ABC, shutdown(true), begun]);
    expect(effects.at(-1)).toMatchObject({ type: 'end', stop: { reason: 'Reboot', trip: true } });
    expect(effects.some(({ type }) => type === 'offer')).toBe(false);
  });

  it('forgets an authorisation that waits for the plug', () => {
    expect(run([ABC, shutdown(false), pilot('B')]).state.phase).toEqual({ name: 'occupied' });
  });

  it('does not wait for a mirror contact longer than a second after a trip', () => {
    const { state } = run([shutdown(true)], charging());
    expect(deadlineOf(state)).toBe(1000 + TRIP_WITHIN_MS);
    const { effects } = step(state, { type: 'deadline', at: 1000 + TRIP_WITHIN_MS });
    expect(effects).toMatchObject([{ type: 'end' }]);
  });

  it('shortens the patience of a stop that is under way when a trip overtakes it', () => {
    const { state } = run([stop(), shutdown(true)], charging());
    expect(deadlineOf(state)).toBe(2000 + TRIP_WITHIN_MS);
    expect(state.permit).toBe(false);
  });
});

describe('a plug that is not held', () => {
  const rules = { ...RULES, stopOnEvSideDisconnect: false };
  const chargingInASocket = () =>
    run(
      [
        { type: 'rules', rules },
        { type: 'cable', cableA: 32 },
        pilot('B'),
        ABC,
        { type: 'locked', locked: true },
        begun,
        pilot('C'),
        contactor('closed'),
      ],
      connector({ cable: 'socket' }),
    ).state;

  it('is offered nothing after it was pulled at the car and plugged in again, until it is locked', () => {
    const away = run([pilot('A'), contactor('open'), { type: 'locked', locked: false }], chargingInASocket());
    const back = run([pilot('B'), pilot('C')], away.state);
    expect(back.state).toMatchObject({ offer: 'x1', permit: false });
    expect(back.names).toEqual(['lock']);
    expect(run([{ type: 'locked', locked: true }], back.state).names).toEqual(['offer 32', 'permit']);
  });

  it('trips when the lock lets go while it charges', () => {
    expect(run([{ type: 'locked', locked: false }], chargingInASocket()).names).toEqual(['withdraw', 'offer x1']);
  });
});

describe('an interlock that opened just when the offer came back', () => {
  it('is given the permit anew', () => {
    const limit = (limitA: number): Untimed => ({ type: 'limit', limitA });
    const { names } = run([limit(0), limit(16), contactor('open')], charging());
    expect(names).toEqual(['offer x1', 'offer 16', 'permit']);
  });
});

describe('invariants of the connector', () => {
  it('hold in every random story: permit, offer, x1 for at most 6 s, one end for each begin', () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 120 }), (story) => {
        const sandbox = new Sandbox();
        for (const action of story) action(sandbox);
        for (let index = 1; index < sandbox.journal.length; index++) {
          expect(sandbox.journal[index]).not.toBe(sandbox.journal[index - 1]);
        }
        // Whatever the story was: with the car gone, nothing wrong and time passing, every transaction ends.
        sandbox.send(faults());
        sandbox.send({ type: 'mains', mains: 'on' });
        if (sandbox.state.phase.name === 'beginning') sandbox.send(begun);
        sandbox.pilot('A');
        if (sandbox.state.contactor === 'closed') sandbox.contactor('open');
        sandbox.advance(10_000);
        if (sandbox.state.phase.name === 'closing') sandbox.send({ type: 'ended' });
        expect(sandbox.journal.at(-1) ?? 'end').toBe('end');
        expect(sandbox.state.offer).toBe('x1');
        expect(sandbox.state.permit).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });
});
