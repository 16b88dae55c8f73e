/** A board whose inputs come from a recording: it decides nothing, it shows what was there and notes what it is told. */
import type {
  Board,
  ConnectorHardware,
  ConnectorLock,
  EvseState,
  Fault,
  FaultChange,
  Mains,
  Timebase,
  Unsubscribe,
} from '../../../hal/contract.ts';
import type { RecordedConnector, RecordedEntry, StateOfConnector } from '../../recorder/recording.ts';
import type { Output } from './output.ts';
import { replayMeter } from './replay-meter.ts';

export interface ReplayBoardOptions {
  readonly connectors: readonly RecordedConnector[];
  /** Where everything stands when the replay begins; without it as at power-up. */
  readonly states: readonly StateOfConnector[];
  readonly mains: Mains;
  /** All that is played, for the meters and for how faults are called. */
  readonly entries: readonly RecordedEntry[];
  readonly clock: Timebase;
  readonly note: (output: Output) => void;
}

export interface ReplayBoard extends Board {
  /** What happened in one turn: all of it is there before anybody hears of it, as it was on the real board. */
  play(turn: readonly RecordedEntry[]): void;
  /** What bounded the offer when the replay began bounds it no longer. */
  freeLimits(): void;
}

type RecordedFault = Extract<RecordedEntry, { readonly what: 'fault' }>;

/** A motor that has not answered by then does not answer. */
const LOCK_WITHIN_MS = 10_000;

export function replayBoard(options: ReplayBoardOptions): ReplayBoard {
  const { clock, note, entries } = options;
  const faults = new Map(faultsAtTheBeginning(options).map((fault) => [faultKey(fault), fault]));
  const onFault = new Set<(change: FaultChange) => void>();
  const onMains = new Set<(mains: Mains) => void>();
  let mains = options.mains;
  const connectors = options.connectors.map(
    (described) =>
      new ReplayConnector({
        described,
        state: options.states.find(({ connector }) => connector.id === described.id),
        clock,
        note,
      }),
  );
  const meterAt = (id: number) =>
    replayMeter(
      entries.filter((entry) => isLook(entry) && entry.connector === id && entry.meter !== 'grid'),
      clock,
    );
  const hasMainMeter = entries.some((entry) => isLook(entry) && entry.meter === 'main');
  const readers = readersOf(options);
  const find = (id: number) => connectors.find((each) => each.id === id);

  const show = (entry: RecordedEntry): void => {
    if (entry.what === 'fault') {
      if (entry.raised) faults.set(faultKey(entry), faultOf(entry));
      else faults.delete(faultKey(entry));
    } else if (entry.what === 'mains') mains = entry.mains;
    else if ('connector' in entry) find(entry.connector)?.show(entry);
  };
  const tell = (entry: RecordedEntry): void => {
    if (entry.what === 'fault') {
      find(entry.connector)?.gaveUp(entry);
      for (const listener of [...onFault]) listener({ fault: faultOf(entry), raised: entry.raised });
    } else if (entry.what === 'mains') for (const listener of [...onMains]) listener(entry.mains);
    else if (entry.what === 'tag') readers[entry.reader]?.present(entry.idTag);
    else if ('connector' in entry) find(entry.connector)?.tell(entry);
  };

  return {
    connectors: connectors.map((each) => each.hardware(meterAt(each.id))),
    ...(hasMainMeter ? { mainMeter: meterAt(0) } : {}),
    readers,
    get faults() {
      return [...faults.values()];
    },
    get mains() {
      return mains;
    },
    watched: true,
    onFault: subscribingTo(onFault),
    onMains: subscribingTo(onMains),
    // What a reset clears the recording says.
    resetFaults: () => {},
    close: async () => {},
    play(turn) {
      for (const entry of turn) show(entry);
      for (const entry of turn) tell(entry);
    },
    freeLimits: () => {
      for (const connector of connectors) connector.freeLimit();
    },
  };
}

interface ReplayConnectorOptions {
  readonly described: RecordedConnector;
  readonly state: StateOfConnector | undefined;
  readonly clock: Timebase;
  readonly note: (output: Output) => void;
}

class ReplayConnector {
  readonly #options: ReplayConnectorOptions;
  #evse: EvseState;
  #cableA: number | undefined;
  #locked: boolean;
  #limitA: number;
  #turning: { readonly wanted: boolean; readonly end: (done: boolean) => void }[] = [];
  readonly #onState = new Set<(state: EvseState) => void>();
  readonly #onCable = new Set<(cableA: number | undefined) => void>();
  readonly #onLimit = new Set<() => void>();

  constructor(options: ReplayConnectorOptions) {
    this.#options = options;
    const { described, state } = options;
    this.#evse = { pilot: state?.pilot ?? 'A', contactor: state?.contactor ?? 'open' };
    this.#cableA = state?.connector.cableA;
    this.#locked = state?.connector.locked ?? false;
    this.#limitA = state?.connector.limitA ?? described.maxA;
  }

  get id(): number {
    return this.#options.described.id;
  }

  show(entry: RecordedEntry): void {
    if (entry.what === 'pilot') this.#evse = { ...this.#evse, pilot: entry.pilot };
    else if (entry.what === 'feedback') this.#evse = { ...this.#evse, contactor: entry.contactor };
    else if (entry.what === 'proximity') this.#cableA = entry.cableA ?? undefined;
    else if (entry.what === 'lock') this.#locked = entry.locked;
  }

  tell(entry: RecordedEntry): void {
    if (entry.what === 'pilot' || entry.what === 'feedback')
      for (const listener of [...this.#onState]) listener(this.#evse);
    else if (entry.what === 'proximity') for (const listener of [...this.#onCable]) listener(this.#cableA);
    else if (entry.what === 'lock') this.#turned(({ wanted }) => wanted === this.#locked, true);
  }

  /** The lock has not done what it was told. */
  gaveUp({ code, raised }: RecordedFault): void {
    if (raised && (code === 'lockFailed' || code === 'unlockFailed'))
      this.#turned(({ wanted }) => wanted === (code === 'lockFailed'), false);
  }

  freeLimit(): void {
    this.#limitA = this.#options.described.maxA;
    for (const listener of [...this.#onLimit]) listener();
  }

  hardware(meter: ConnectorHardware['meter']): ConnectorHardware {
    const { described, clock, note } = this.#options;
    const { id, maxA, phases, cable } = described;
    const state = () => this.#evse;
    const cableA = () => this.#cableA;
    const factor = () => Math.min(1, this.#limitA / maxA);
    return {
      id,
      maxA,
      phases,
      meter,
      evse: {
        get state() {
          return state();
        },
        offer: (offer) => note({ at: clock.now(), what: 'offer', connector: id, offer }),
        permit: (given) => note({ at: clock.now(), what: 'permit', connector: id, given }),
        onState: subscribingTo(this.#onState),
      },
      // The limit that was in force, whoever had set it.
      derating: {
        get factor() {
          return factor();
        },
        celsius: undefined,
        onChange: subscribingTo(this.#onLimit),
      },
      ...(cable === 'attached'
        ? {}
        : {
            lock: this.#lock(),
            proximity: {
              get cableA() {
                return cableA();
              },
              onChange: subscribingTo(this.#onCable),
            },
          }),
    };
  }

  #lock(): ConnectorLock {
    const locked = () => this.#locked;
    return {
      get locked() {
        return locked();
      },
      lock: () => this.#turn(true),
      unlock: () => this.#turn(false),
    };
  }

  #turn(wanted: boolean): Promise<boolean> {
    if (this.#locked === wanted) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(LOCK_WITHIN_MS, () => end(false));
      const end = (done: boolean): void => {
        cancel();
        this.#turning = this.#turning.filter((each) => each.end !== end);
        resolve(done);
      };
      this.#turning.push({ wanted, end });
    });
  }

  #turned(which: (turning: { readonly wanted: boolean }) => boolean, done: boolean): void {
    for (const turning of this.#turning.filter(which)) turning.end(done);
  }
}

const isLook = (entry: RecordedEntry): entry is Extract<RecordedEntry, { readonly what: 'reading' | 'noReading' }> =>
  entry.what === 'reading' || entry.what === 'noReading';

const faultKey = ({ code, ...where }: RecordedFault | Fault): string =>
  `${'connector' in where ? where.connector : where.connectorId} ${code}`;

const faultOf = ({ code, connector, info, vendorErrorCode }: RecordedFault): Fault => ({
  code,
  connectorId: connector,
  ...(info === undefined ? {} : { info }),
  ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }),
});

/** A connector knows its faults, but not whether one is of the whole charge point: how its end is recorded says that. */
function faultsAtTheBeginning({ states, entries }: ReplayBoardOptions): readonly Fault[] {
  return states.flatMap(({ connector }) =>
    connector.faults.map(({ code, info, vendorErrorCode, vendorId }) => {
      const isOfAll = entries.some(
        (entry) => entry.what === 'fault' && entry.connector === 0 && entry.code === code && !entry.raised,
      );
      return {
        code,
        connectorId: isOfAll ? 0 : connector.id,
        ...(info === undefined ? {} : { info }),
        ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }),
        ...(vendorId === undefined ? {} : { vendorId }),
      };
    }),
  );
}

/** Which connectors a reader serves is not recorded: one serves all; of several, each serves one, and one more serves all. */
function readersOf({ connectors, entries }: ReplayBoardOptions) {
  const ids = connectors.map(({ id }) => id);
  const highest = Math.max(0, ...entries.map((entry) => (entry.what === 'tag' ? entry.reader : 0)));
  const served = highest === 0 ? [ids] : [...ids.map((id) => [id]), ids];
  return served.map((each) => {
    const listeners = new Set<(idTag: string) => void>();
    return {
      connectors: each,
      onTag: subscribingTo(listeners),
      present: (idTag: string) => {
        for (const listener of [...listeners]) listener(idTag);
      },
    };
  });
}

const subscribingTo =
  <T>(listeners: Set<T>) =>
  (listener: T): Unsubscribe => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
