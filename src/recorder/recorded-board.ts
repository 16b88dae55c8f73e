/** A board whose every edge, command, reading and fault is noted. It does what the board does, in the same order, and the board goes first. */
import type {
  Board,
  ConnectorHardware,
  ConnectorLock,
  ContactorCommand,
  EnergyMeter,
  Evse,
  EvseState,
  Fault,
  Monotonic,
  Reading,
  TagReader,
} from '../../hal/contract.ts';
import { dutyOf } from '../../hal/duty.ts';
import type { Note } from './recording.ts';
import type { Notes, Release } from './tape.ts';

export interface RecordedBoard {
  readonly board: Board;
  /** What was seen until now counts as known, but for the faults: those that are raised are noted. */
  begin(): void;
}

export interface BoardRecorder extends Notes {
  now(): Monotonic;
}

export function recordedBoard(board: Board, recorder: BoardRecorder): RecordedBoard {
  const watch = new BoardWatch(board, recorder);
  const { mainMeter, gridMeter, dimming, indicators, wires } = board;
  const connectors = board.connectors.map((hardware) => recordedConnector(hardware, watch, recorder));
  board.onFault(() => quietly(() => watch.look()));
  board.onMains(() => quietly(() => watch.look()));
  board.readers.forEach((reader, index) => {
    reader.onTag((idTag) => quietly(() => recorder.note({ what: 'tag', reader: index, idTag })));
  });
  return {
    board: {
      connectors,
      get readers(): readonly TagReader[] {
        return board.readers;
      },
      ...(mainMeter === undefined ? {} : { mainMeter: recordedMeter(mainMeter, OF_THE_INLET, recorder) }),
      ...(gridMeter === undefined ? {} : { gridMeter: recordedMeter(gridMeter, OF_THE_HOUSE, recorder) }),
      ...(dimming === undefined ? {} : { dimming }),
      ...(indicators === undefined ? {} : { indicators }),
      ...(wires === undefined ? {} : { wires }),
      get faults(): readonly Fault[] {
        return board.faults;
      },
      get mains() {
        return board.mains;
      },
      get watched() {
        return board.watched;
      },
      onFault: (listener) => board.onFault(listener),
      onMains: (listener) => board.onMains(listener),
      resetFaults: (connectorId) =>
        grouped(
          recorder,
          () => board.resetFaults(connectorId),
          () => ({ what: 'faultReset', connector: connectorId }),
        ),
      close: () => board.close(),
    },
    begin: () => quietly(() => watch.begin()),
  };
}

const OF_THE_INLET = { connector: 0, meter: 'main' } as const;
const OF_THE_HOUSE = { connector: 0, meter: 'grid' } as const;

/** Whoever writes down must not disturb what is written down. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // A gap in the recording; what the hardware does counts.
  }
}

/** Does it, then notes it before all that it has caused. */
function grouped(recorder: Notes, action: () => void, note: () => Note): void {
  let release: Release = () => {};
  quietly(() => {
    release = recorder.hold();
  });
  let isDone = false;
  try {
    action();
    isDone = true;
  } finally {
    quietly(() => release(isDone ? note : undefined));
  }
}

/** What has been noted of the board so far. A cause is looked for before its effect is noted, because hal acts first and tells later. */
class BoardWatch {
  readonly #board: Board;
  readonly #recorder: Notes;
  readonly #faults = new Map<string, string>();
  #mains: Board['mains'];
  readonly #cables = new Map<number, number | null>();

  constructor(board: Board, recorder: Notes) {
    this.#board = board;
    this.#recorder = recorder;
    this.#mains = board.mains;
  }

  begin(): void {
    this.#mains = this.#board.mains;
    this.#faults.clear();
    this.#cables.clear();
    this.look();
  }

  look(): void {
    this.#lookAtMains();
    this.#lookAtCables();
    const raised = new Map(this.#board.faults.map((fault) => [`${fault.code} ${fault.connectorId}`, fault]));
    for (const [key, fault] of raised) {
      const text = JSON.stringify(fault);
      if (this.#faults.get(key) === text) continue;
      this.#faults.set(key, text);
      this.#recorder.note(faultNote(fault, true));
    }
    for (const [key, text] of this.#faults) {
      if (raised.has(key)) continue;
      this.#faults.delete(key);
      this.#recorder.note(faultNote(JSON.parse(text) as Fault, false));
    }
  }

  #lookAtCables(): void {
    for (const { id, proximity } of this.#board.connectors) {
      const cableA = proximity?.cableA ?? null;
      if (cableA === (this.#cables.get(id) ?? null)) continue;
      this.#cables.set(id, cableA);
      this.#recorder.note({ what: 'proximity', connector: id, cableA });
    }
  }

  #lookAtMains(): void {
    const { mains } = this.#board;
    if (mains === this.#mains) return;
    this.#mains = mains;
    this.#recorder.note({ what: 'mains', mains });
  }
}

const faultNote = ({ code, connectorId, info, vendorErrorCode }: Fault, raised: boolean): Note => ({
  what: 'fault',
  connector: connectorId,
  code,
  raised,
  ...(info === undefined ? {} : { info }),
  ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }),
});

function recordedConnector(hardware: ConnectorHardware, watch: BoardWatch, recorder: BoardRecorder): ConnectorHardware {
  const { id, evse, meter, lock, proximity } = hardware;
  watchEvse(id, evse, watch, recorder);
  proximity?.onChange(() => quietly(() => watch.look()));
  return {
    ...hardware,
    evse: recordedEvse(id, evse, recorder),
    meter: recordedMeter(meter, { connector: id }, recorder),
    ...(lock === undefined ? {} : { lock: recordedLock(id, lock, recorder) }),
  };
}

function watchEvse(connector: number, evse: Evse, watch: BoardWatch, recorder: Notes): void {
  let { pilot, contactor }: EvseState = evse.state;
  // Whoever makes one begins with it.
  let told: ContactorCommand = 'open';
  const lookAtPilot = (now: EvseState): void => {
    if (now.pilot === pilot) return;
    pilot = now.pilot;
    recorder.note({ what: 'pilot', connector, pilot });
  };
  evse.onState((now) =>
    quietly(() => {
      watch.look();
      lookAtPilot(now);
      if (now.contactor === contactor) return;
      contactor = now.contactor;
      recorder.note({ what: 'feedback', connector, contactor });
    }),
  );
  evse.onCommand?.((command) =>
    quietly(() => {
      if (command === told) return;
      told = command;
      watch.look();
      quietly(() => lookAtPilot(evse.state));
      recorder.note({ what: 'contactor', connector, command });
    }),
  );
}

const recordedEvse = (connector: number, evse: Evse, recorder: Notes): Evse => ({
  get state() {
    return evse.state;
  },
  offer: (offer) =>
    grouped(
      recorder,
      () => evse.offer(offer),
      () => ({ what: 'offer', connector, offer, dutyPercent: Math.round(dutyOf(offer) * 100) / 100 }),
    ),
  permit: (given) =>
    grouped(
      recorder,
      () => evse.permit(given),
      () => ({ what: 'permit', connector, given }),
    ),
  onState: (listener) => evse.onState(listener),
  onCommand: (look) => evse.onCommand?.(look) ?? (() => {}),
  // What the coil is told then is noted like everything else that it is told.
  ...(evse.exercise === undefined ? {} : { exercise: evse.exercise }),
});

interface MeterPlace {
  readonly connector: number;
  readonly meter?: 'main' | 'grid';
}

/** Hands on the very promise of the meter, so that whoever reads does not wait a turn longer. */
function recordedMeter(meter: EnergyMeter, place: MeterPlace, recorder: BoardRecorder): EnergyMeter {
  let last: Reading | undefined;
  return {
    get offers() {
      return meter.offers;
    },
    read() {
      const asked = recorder.now();
      const reading = meter.read();
      const took = (): number => Math.round(recorder.now() - asked);
      reading.then(
        (done) =>
          quietly(() => {
            // Who asks while a reading is under way may share it.
            if (done === last) return;
            last = done;
            recorder.note({ what: 'reading', ...place, took: took(), values: done.values });
          }),
        (cause: unknown) =>
          quietly(() => recorder.note({ what: 'noReading', ...place, took: took(), code: codeOf(cause) })),
      );
      return reading;
    },
  };
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : 'unexpected';

function recordedLock(connector: number, lock: ConnectorLock, recorder: Notes): ConnectorLock {
  const noted = (turned: Promise<boolean>): Promise<boolean> => {
    const look = (): void => quietly(() => recorder.note({ what: 'lock', connector, locked: lock.locked }));
    turned.then(look, look);
    return turned;
  };
  return {
    get locked() {
      return lock.locked;
    },
    lock: () => noted(lock.lock()),
    unlock: () => noted(lock.unlock()),
  };
}
