/** Finds what hangs on a bus whose settings nobody knows: tries settings and units until something answers, and asks what it is. */
import type { Surroundings } from '../contract.ts';
import { modbusBus } from './bus.ts';
import type { OpenBytePort, SerialBus } from './byte-port.ts';
import { Connection } from './connection.ts';
import { type Model, type Recognition, recognise } from './recognise.ts';
import type { SerialSettings } from './register-map.ts';
import type { Request } from './rtu-client.ts';
import { serialPort } from './serial-port.ts';

export interface ScanOptions {
  readonly path: string;
  /** The likeliest first. */
  readonly guesses: readonly SerialSettings[];
  /** Modbus units; the first is tried with every guess before any other is. */
  readonly units: readonly number[];
  readonly models: readonly Model[];
  /** Ends the scan; what was found until then is the result. */
  readonly signal: AbortSignal;
  /** Told before each unit is asked. */
  readonly trying?: (settings: SerialSettings, unit: number) => void;
  readonly openPort?: (serial: SerialBus) => OpenBytePort;
}

export interface FoundDevice extends Recognition {
  readonly settings: SerialSettings;
  readonly unit: number;
}

export interface ScanResult {
  /** All on one bus have the same settings: the scan ends with the first that anybody answers to. */
  readonly devices: readonly FoundDevice[];
  /** Settings at which bytes came, but no valid answer. */
  readonly garbled: readonly SerialSettings[];
  readonly aborted: boolean;
}

/** Meters answer within 100 ms, some within 200. */
const PROBE = { silenceMs: 20, timeoutMs: 300 } as const;
/** A device that knows neither the function nor the register says so: every answer will do. */
const PROBES: readonly Pick<Request & { readonly type: 'read' }, 'function' | 'address' | 'count'>[] = [
  { function: 4, address: 0, count: 2 },
  { function: 3, address: 0, count: 2 },
];
/** The time of a request and its answer on the wire. */
const BITS_OF_A_PROBE = 17 * 11;

/** How long a scan takes at most, if nobody answers, in ms. */
export const longestScanMs = ({ guesses, units }: Pick<ScanOptions, 'guesses' | 'units'>): number =>
  guesses.reduce(
    (sum, { baudRate }) =>
      sum + units.length * PROBES.length * (PROBE.silenceMs + PROBE.timeoutMs + (1000 * BITS_OF_A_PROBE) / baudRate),
    0,
  );

/** Rejects with HalError `busClosed` if the port cannot be opened, or vanishes. The port is closed when it settles. */
export async function scanBus(options: ScanOptions, surroundings: Surroundings): Promise<ScanResult> {
  const { guesses, units, signal } = options;
  const garbled = new Set<SerialSettings>();
  const first = units.slice(0, 1);
  const rest = units.slice(1);
  for (const part of [first, rest]) {
    for (const settings of part.length === 0 ? [] : guesses) {
      const sweep = new Sweep(options, settings, surroundings);
      const found = await sweep.units(part);
      if (sweep.garbled) garbled.add(settings);
      if (found.length === 0) {
        if (signal.aborted) return { devices: [], garbled: [...garbled], aborted: true };
        continue;
      }
      const others = part === first && !signal.aborted ? await sweep.units(rest) : [];
      const devices = await sweep.recognised([...found, ...others]);
      return { devices, garbled: [], aborted: signal.aborted };
    }
  }
  return { devices: [], garbled: [...garbled], aborted: signal.aborted };
}

/** One guess. */
class Sweep {
  garbled = false;
  readonly #options: ScanOptions;
  readonly #settings: SerialSettings;
  readonly #serial: SerialBus;
  readonly #surroundings: Surroundings;

  constructor(options: ScanOptions, settings: SerialSettings, surroundings: Surroundings) {
    this.#options = options;
    this.#settings = settings;
    this.#serial = { path: options.path, ...settings };
    this.#surroundings = surroundings;
  }

  /** Those of `units` that answer. */
  async units(units: readonly number[]): Promise<readonly number[]> {
    const { signal, trying } = this.#options;
    const connection = new Connection(this.#serial, this.#surroundings, this.#openPort());
    const stop = (): void => void connection.close();
    signal.addEventListener('abort', stop);
    try {
      const found: number[] = [];
      for (const unit of units) {
        if (signal.aborted) break;
        trying?.(this.#settings, unit);
        await connection.open();
        if (await this.#answers(connection, unit)) found.push(unit);
      }
      return found;
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      await connection.close();
    }
  }

  async recognised(units: readonly number[]): Promise<readonly FoundDevice[]> {
    const { signal, models } = this.#options;
    const bus = modbusBus(this.#serial, this.#surroundings, this.#openPort());
    const stop = (): void => void bus.close();
    signal.addEventListener('abort', stop);
    const devices: FoundDevice[] = [];
    try {
      for (const unit of units) {
        const recognition = signal.aborted ? { fits: [] } : await recognise(bus, unit, models);
        devices.push({ settings: this.#settings, unit, ...recognition });
      }
      return devices;
    } catch (error) {
      if (!signal.aborted) throw error;
      return devices;
    } finally {
      signal.removeEventListener('abort', stop);
      await bus.close();
    }
  }

  /** An answer that comes too late has another unit or function: it is nobody's. */
  async #answers(connection: Connection, unit: number): Promise<boolean> {
    for (const probe of PROBES) {
      const { type } = await connection.exchange({ type: 'read', unit, ...probe }, PROBE);
      if (type === 'registers' || type === 'exception') return true;
      if (type === 'damaged') this.garbled = true;
      if (type === 'lost') {
        if (this.#options.signal.aborted) return false;
        throw connection.unavailable();
      }
    }
    return false;
  }

  #openPort(): OpenBytePort {
    return (this.#options.openPort ?? serialPort)(this.#serial);
  }
}
