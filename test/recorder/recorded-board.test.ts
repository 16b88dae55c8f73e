/** The recorded board does what the board does: outputs first, in the same order, whatever becomes of the recorder. */
import { describe, expect, it } from 'vitest';
import type { ConnectorHardware, EnergyMeter } from '../../hal/contract.ts';
import { HalError } from '../../hal/hal-error.ts';
import { createMockBoard } from '../../hal/mock/mock-board.ts';
import { type BoardRecorder, recordedBoard } from '../../src/recorder/recorded-board.ts';
import type { RecordedEntry } from '../../src/recorder/recording.ts';
import { Tape } from '../../src/recorder/tape.ts';
import { seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';
import { textOf, wordsOf } from './support.ts';

function setUp({ recorder, meter }: { recorder?: BoardRecorder; meter?: EnergyMeter } = {}) {
  const clock = new VirtualClock();
  const made = createMockBoard({ connectors: [{ id: 1, cable: 'socket' }], clock, log: silentLog });
  const [hardware] = made.connectors;
  if (hardware === undefined) throw new Error('no connector');
  const mock = meter === undefined ? made : Object.create(made, { connectors: { value: [{ ...hardware, meter }] } });
  const tape = new Tape({ clock, log: silentLog, noted: () => {} });
  const notes: BoardRecorder = recorder ?? {
    now: () => clock.now(),
    note: (note) => tape.note(note),
    hold: () => tape.hold(),
  };
  const { board, begin } = recordedBoard(mock, notes);
  tape.begin(() => ({ connectors: [], mains: 'on', linked: false }));
  begin();
  const [connector] = board.connectors;
  if (connector === undefined) throw new Error('no connector');
  const entries = (): readonly RecordedEntry[] =>
    textOf(tape.content)
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as RecordedEntry);
  return { clock, inputs: made.inputs, mock: made, board, connector, entries, words: () => entries().map(wordsOf) };
}

/** The EV comes, asks, and gets its current as soon as it may. */
async function charge({ clock, inputs, connector }: ReturnType<typeof setUp>): Promise<void> {
  inputs.patchConnector(1, { ev: { plugged: true } });
  const stop = connector.evse.onState(({ pilot }) => {
    if (pilot !== 'C') return;
    stop();
    connector.evse.permit(true);
  });
  connector.evse.offer(16);
  await clock.advance(seconds(2));
}

describe('the recorded board', () => {
  it('notes causes before effects, although the hardware goes first', async () => {
    const world = setUp();
    await charge(world);
    world.inputs.setFault(1, 'groundFault', { info: 'RCD tripped' });
    expect(world.words()).toEqual([
      'proximity 32',
      'pilot B',
      'offer 16 26.67%',
      'pilot C',
      'permit true',
      'contactor close',
      'feedback closed',
      'fault groundFault raised',
      'contactor open',
      'feedback open',
    ]);
  });

  it('shows an interlock that opens by itself, with the pilot edge that made it', async () => {
    const world = setUp();
    await charge(world);
    world.inputs.patchConnector(1, { ev: { plugged: false } });
    expect(world.words().slice(-4)).toEqual(['proximity null', 'pilot A', 'contactor open', 'feedback open']);
  });

  it('shows mains that fail before the contactor that they open', async () => {
    const world = setUp();
    await charge(world);
    world.inputs.setMains('failing');
    expect(world.words().slice(-3)).toEqual(['mains failing', 'contactor open', 'feedback open']);
  });

  it('shows a welded contactor: told to open, and closed', async () => {
    const world = setUp();
    await charge(world);
    world.inputs.patchConnector(1, { jam: 'welded' });
    world.connector.evse.permit(false);
    await world.clock.advance(seconds(1));
    expect(world.words().slice(-4)).toEqual([
      'permit false',
      'contactor open',
      'fault contactorWelded raised',
      'pilot B',
    ]);
    world.inputs.patchConnector(1, { jam: null });
    world.board.resetFaults(1);
    expect(world.words().slice(-3)).toEqual(['feedback open', 'faultReset', 'fault contactorWelded cleared']);
  });

  it('notes tags, locks, and readings with what they took', async () => {
    const reading = { at: 0, serialNumber: 'x', values: { energyImport: { sum: 42 } } };
    const clocks: VirtualClock[] = [];
    const meter: EnergyMeter = {
      offers: {},
      read: () => new Promise((resolve) => clocks[0]?.after(120, () => resolve(reading))),
    };
    const world = setUp({ meter });
    clocks.push(world.clock);
    world.inputs.present('ABC');
    await world.connector.lock?.lock();
    const first = world.connector.meter.read();
    const second = world.connector.meter.read();
    await world.clock.advance(200);
    expect(await Promise.all([first, second])).toEqual([reading, reading]);
    // Shared by both who asked.
    expect(world.entries()).toEqual([
      { at: 0, what: 'tag', reader: 0, idTag: 'ABC' },
      { at: 0, what: 'lock', connector: 1, locked: true },
      { at: 120, what: 'reading', connector: 1, took: 120, values: reading.values },
    ]);
  });

  it('hands on the very promise of the meter, and notes why there is no reading', async () => {
    const failing = Promise.reject(new HalError('meterSilent', 'no answer'));
    failing.catch(() => {});
    const world = setUp({ meter: { offers: {}, read: () => failing } });
    expect(world.connector.meter.read()).toBe(failing);
    await settle();
    expect(world.words()).toEqual(['noReading meterSilent']);
  });

  it('notes at its beginning the faults that are there', () => {
    const world = setUp();
    world.inputs.setFault(0, 'emergencyStop', {});
    expect(world.entries()).toEqual([{ at: 0, what: 'fault', connector: 0, code: 'emergencyStop', raised: true }]);
    const later = recordedBoard(world.mock, {
      now: () => 0,
      note: (note) => void noted.push(note),
      hold: () => () => {},
    });
    const noted: unknown[] = [];
    later.begin();
    expect(noted).toEqual([{ what: 'fault', connector: 0, code: 'emergencyStop', raised: true }]);
  });

  it('has written the output before the note is made', async () => {
    const seen: unknown[] = [];
    const world: { connector?: ConnectorHardware; mock?: ReturnType<typeof setUp>['mock'] } = {};
    const look = (what: string): void => void seen.push([what, world.mock?.contactorHistory(1).at(-1)]);
    const made = setUp({
      recorder: {
        now: () => 0,
        note: (note) => look(note.what),
        hold: () => (first) => look(first?.().what ?? 'nothing'),
      },
    });
    Object.assign(world, made);
    await charge(made);
    seen.length = 0;
    made.inputs.setFault(1, 'groundFault', {});
    expect(seen).toEqual([
      ['fault', 'open'],
      ['contactor', 'open'],
      ['feedback', 'open'],
    ]);
  });

  it('works as ever with a recorder that throws whatever it is told', async () => {
    const fails = (): never => {
      throw new Error('no more paper');
    };
    const world = setUp({ recorder: { now: () => 0, note: fails, hold: fails } });
    const heard: string[] = [];
    world.board.onFault(({ fault }) => heard.push(fault.code));
    world.connector.evse.onState(({ pilot, contactor }) => heard.push(`${pilot} ${contactor}`));
    await charge(world);
    world.inputs.setFault(1, 'groundFault', {});
    await settle();
    expect(heard).toEqual(['B open', 'C open', 'C closed', 'C open', 'groundFault', 'B open']);
    expect(world.mock.contactorHistory(1)).toEqual(['open', 'closed', 'open']);
    expect(await world.connector.lock?.lock()).toBe(true);
    expect((await world.connector.meter.read()).values.energyImport).toBeDefined();
  });
});
