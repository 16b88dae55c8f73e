/** A board without metal: the real interlocks and fault book, with inputs that a person, a script or a test sets. */
import type { Protection } from '../board-description.ts';
import type {
  Board,
  ContactorState,
  DimmingContact,
  Fault,
  FaultChange,
  FaultCode,
  Mains,
  Surroundings,
  TagReader,
  Unsubscribe,
} from '../contract.ts';
import { FaultBook } from '../fault-book.ts';
import { HalError } from '../hal-error.ts';
import type { OwnPilotEvse } from '../own-pilot-evse.ts';
import { tryAll } from '../try-all.ts';
import { FaultCauses, type FaultDetails } from './fault-causes.ts';
import { type ConnectorChange, MockConnector, type MockConnectorOptions } from './mock-connector.ts';
import { type GridInputs, type GridLine, mockGrid } from './mock-grid.ts';

type Required = 'id' | 'cable';

export interface MockBoardOptions extends Surroundings {
  /** Default: 32 A, three phases, not ventilated, wired R-S-T. */
  readonly connectors: readonly (Pick<MockConnectorOptions, Required> &
    Partial<Omit<MockConnectorOptions, Required>>)[];
  /** Begins the serial numbers of the meters; another one in each process. */
  readonly meterSerial?: string;
  /** There is a meter at the connection of the house. */
  readonly gridConnection?: true;
  /** What is watched and counted; absent: nothing. With `rcdTest` every connector has an RCD that can be tested. */
  readonly protection?: Protection;
  /** There is a contact of the grid operator. */
  readonly dimming?: true;
}

/** All act before they return: what has to open a contactor has opened it. What the board has not is a HalError `badBoard`. */
export interface MockInputs {
  patchConnector(connectorId: number, change: ConnectorChange): void;
  /** Null: repaired and reset. Connector 0 is the whole charge point. */
  setFault(connectorId: number, code: FaultCode, details: FaultDetails | null): void;
  setMains(mains: Mains): void;
  setGrid(change: Partial<GridInputs>): void;
  setDimming(active: boolean): void;
  /** `deaf`: no RCD trips in its test. */
  setRcd(rcd: 'ok' | 'deaf'): void;
  /** To the reader that serves these connectors (default all), or else to the one that serves most. */
  present(idTag: string, connectors?: readonly number[]): void;
}

export interface MockBoard extends Board {
  /** It has RCDs that are tested. */
  readonly testsRcds: boolean;
  readonly inputs: MockInputs;
  connector(connectorId: number): Pick<MockConnector, 'observe' | 'drawA'>;
  /** The coil since power-up, oldest first: `open`, `closed`, ... */
  contactorHistory(connectorId: number): readonly ContactorState[];
  /** Called after any output may have changed. */
  onOutput(listener: () => void): Unsubscribe;
}

const DEFAULTS = { maxA: 32, phases: 3, ventilated: false, rotation: 'RST' } as const;

export function createMockBoard(options: MockBoardOptions): MockBoard {
  const { connectors, clock, log, protection, meterSerial = 'MOCK' } = options;
  const book = new FaultBook(protection?.rcdReclosesOnUnplug === true ? { groundFault: 'unplug' } : {}, clock);
  const ofTheChargePoint = new FaultCauses(book, 0);
  const onOutput = new Set<() => void>();
  const onMains = new Set<(mains: Mains) => void>();
  let mains: Mains = 'on';

  const changed = (): void => {
    for (const listener of [...onOutput]) listener();
  };
  const made = connectors.map((options) => {
    const watched = protection === undefined ? {} : { protection };
    const parts = { clock, log, book, changed, meterSerial: `${meterSerial}-${options.id}`, ...watched };
    return new MockConnector({ ...DEFAULTS, ...options }, parts);
  });
  const evses = made.map(({ evse }) => evse);
  const drawA = (line: GridLine): number => made.reduce((sum, connector) => sum + connector.drawA(line), 0);
  const grid = options.gridConnection ? mockGrid({ clock, serial: `${meterSerial}-grid`, drawA }) : undefined;
  const dimming = options.dimming ? mockDimming() : undefined;
  const readers = readersFor(connectors.map(({ id }) => id));

  const find = (connectorId: number): MockConnector => {
    const found = made.find(({ hardware }) => hardware.id === connectorId);
    if (found === undefined) throw new HalError('badBoard', `the mock board has no connector ${connectorId}`);
    return found;
  };
  const there = <T>(part: T | undefined, name: string): T => {
    if (part === undefined) throw new HalError('badBoard', `the mock board has no ${name}`);
    return part;
  };

  const inputs: MockInputs = {
    patchConnector: (connectorId, change) => find(connectorId).patch(change),
    setFault: (connectorId, code, details) => {
      const causes = connectorId === 0 ? ofTheChargePoint : find(connectorId).causes;
      causes.declare(code, details);
      changed();
    },
    setMains: (next) => {
      if (next === mains) return;
      mains = next;
      tryAll([
        ...evses.map((evse) => () => (next === 'failing' ? evse.trip('mains') : evse.release('mains'))),
        ...[...onMains].map((listener) => () => listener(next)),
        changed,
      ]);
    },
    setGrid: (change) => there(grid, 'grid meter').patch(change),
    setRcd: (rcd) => {
      for (const connector of made) connector.rcd.isDeaf = rcd === 'deaf';
    },
    setDimming: (active) => there(dimming, 'dimming contact').set(active),
    present: (idTag, served = connectors.map(({ id }) => id)) => {
      for (const connectorId of served) find(connectorId);
      readerOf(readers, served)?.present(idTag);
    },
  };

  return {
    inputs,
    testsRcds: protection?.rcdTest !== undefined,
    connectors: made.map(({ hardware }) => hardware),
    readers,
    ...(grid === undefined ? {} : { gridMeter: grid.meter }),
    ...(dimming === undefined ? {} : { dimming }),
    get faults(): readonly Fault[] {
      return book.current;
    },
    get mains() {
      return mains;
    },
    get watched() {
      return evses.every(isWatched);
    },
    connector: find,
    contactorHistory: (connectorId) => find(connectorId).contactorHistory,
    onFault: (listener: (change: FaultChange) => void) => book.onChange(listener),
    onMains(listener) {
      onMains.add(listener);
      return () => onMains.delete(listener);
    },
    onOutput(listener) {
      onOutput.add(listener);
      return () => onOutput.delete(listener);
    },
    resetFaults: (connectorId) => book.reset(connectorId),
    async close() {
      tryAll(evses.map((evse) => () => evse.trip('closed')));
    },
  };
}

/** There is no loop to look at: what one would see has to have been followed. */
const isWatched = ({ state, commanded }: OwnPilotEvse): boolean =>
  commanded === 'open' || state.pilot === 'C' || state.pilot === 'D';

/** Tells its listeners before `set` returns. */
function mockDimming(): DimmingContact & { set(active: boolean): void } {
  const listeners = new Set<(active: boolean) => void>();
  let active = false;
  return {
    get active() {
      return active;
    },
    set(next) {
      if (next === active) return;
      active = next;
      tryAll([...listeners].map((listener) => () => listener(next)));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

interface MockReader extends TagReader {
  present(idTag: string): void;
}

/** One for each connector, and one for all where there are several: a tag can mean one connector or leave it open. */
function readersFor(ids: readonly number[]): readonly MockReader[] {
  const sets = ids.map((id) => [id]);
  return (ids.length > 1 ? [...sets, ids] : sets).map(mockReader);
}

function mockReader(connectors: readonly number[]): MockReader {
  const listeners = new Set<(idTag: string) => void>();
  return {
    connectors,
    present: (idTag) => {
      for (const listener of [...listeners]) listener(idTag);
    },
    onTag(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The reader with the fewest connectors that serves all of these. */
const readerOf = (readers: readonly MockReader[], served: readonly number[]): MockReader | undefined =>
  readers.find(({ connectors }) => served.every((id) => connectors.includes(id)));
