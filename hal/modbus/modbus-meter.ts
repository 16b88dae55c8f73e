/** An energy meter behind a Modbus bus: what it holds and how it is asked is data (`register-map.ts`). */
import type { Cancel, EnergyMeter, Line, Monotonic, Quantity, Reading, Surroundings, Values } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { ModbusBus } from './bus.ts';
import { decode, identityOf, identityWords, merge } from './decode.ts';
import { judge, type Memory } from './plausibility.ts';
import {
  type IdentityRegister,
  LINES,
  type PlannedRead,
  plan,
  quantitiesOf,
  type ReadFunction,
  type RegisterMap,
  type SerialNumberRegister,
} from './register-map.ts';

/** Where the meter sits: its address, and what its connector can draw. */
export interface MeterPlace {
  /** Modbus address 1..247. */
  readonly unit: number;
  readonly maxA: number;
  readonly phases: 1 | 3;
  /** Called with true when the meter has failed for too long (fault `meterSilent`), with false at the first good reading. */
  onSilent(raised: boolean): void;
}

export const FUNCTION_CODE: { readonly [name in ReadFunction]: 3 | 4 } = { holding: 3, input: 4 };
/** A doubtful reading is looked at again at once: most glitches last for one answer. */
const LOOKS_PER_READ = 3;
const FAILED_READS_UNTIL_SILENT = 3;
const FAILING_MS_UNTIL_SILENT = 10_000;
/** A meter that has failed is asked again after this although nobody wants to know: it blocks charging until it is heard. */
export const RETRY_MS = 10_000;

export interface MeterDriver extends EnergyMeter {
  /** Asks nothing more by itself. */
  close(): void;
}

/** Nothing is asked before the first `read()`. */
export function modbusMeter(
  bus: ModbusBus,
  map: RegisterMap,
  place: MeterPlace,
  surroundings: Surroundings,
): MeterDriver {
  return new ModbusMeter(bus, map, place, surroundings);
}

class ModbusMeter implements MeterDriver {
  readonly offers: EnergyMeter['offers'];
  readonly #bus: ModbusBus;
  readonly #map: RegisterMap;
  readonly #place: MeterPlace;
  readonly #surroundings: Surroundings;
  readonly #reads: readonly PlannedRead[];
  #memory: Memory = {};
  #serialNumber: string | undefined;
  /** `bus.openings` when the device was identified; undefined: ask it again. */
  #identifiedAt: number | undefined;
  #underWay: Promise<Reading> | undefined;
  #failedReads = 0;
  #failingSince: Monotonic | undefined;
  #silent = false;
  #retry: Cancel | undefined;
  #closed = false;

  constructor(bus: ModbusBus, map: RegisterMap, place: MeterPlace, surroundings: Surroundings) {
    this.#bus = bus;
    this.#map = map;
    this.#place = place;
    this.#surroundings = surroundings;
    this.#reads = plan(map);
    this.offers = offersOf(map);
  }

  /** Whoever asks while a reading is under way gets that one, which may have begun before what made him ask: `at` tells. */
  read(): Promise<Reading> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  close(): void {
    this.#closed = true;
    this.#stopRetrying();
  }

  async #read(): Promise<Reading> {
    const startedAt = this.#surroundings.clock.now();
    try {
      if (this.#identifiedAt !== this.#bus.openings) await this.#identify();
      const reading = await this.#plausibleReading();
      this.#succeeded();
      return reading;
    } catch (error) {
      this.#failed(startedAt);
      if (error instanceof HalError && error.code === 'meterImplausible') throw error;
      throw new HalError('meterSilent', `${this.#name}: no reading`, { cause: error });
    }
  }

  async #plausibleReading(): Promise<Reading> {
    let doubt = '';
    for (let look = 0; look < LOOKS_PER_READ; look += 1) {
      const { at, answeredAt, values } = await this.#look();
      const verdict = this.#judge(values, answeredAt);
      if (verdict === undefined) return { at, serialNumber: this.#serialNumber, values };
      doubt = verdict;
    }
    throw new HalError('meterImplausible', `${this.#name}: ${doubt}`);
  }

  /** Why these values must not be used; undefined: they may. */
  #judge(values: Values, at: Monotonic): string | undefined {
    // Other quantities may be absent from a variant of the device; energy is what is billed.
    const wanted = this.#map.quantities.energyImport?.sum !== undefined;
    if (wanted && values.energyImport?.sum === undefined) return 'the energy register holds no number';
    const { maxA, phases } = this.#place;
    const { memory, doubt, replaced } = judge(this.#memory, values, at, { maxA, phases, meterMaxA: this.#map.maxA });
    if (replaced) this.#surroundings.log.warn('energy registers began anew', { meter: this.#name, values });
    this.#memory = memory;
    return doubt;
  }

  /** Every block once. `at` and `answeredAt` belong to the block with the energy. */
  async #look(): Promise<{ readonly at: Monotonic; readonly answeredAt: Monotonic; readonly values: Values }> {
    const { clock } = this.#surroundings;
    const parts: Values[] = [];
    let at = clock.now();
    let answeredAt = at;
    for (const read of this.#reads) {
      const askedAt = clock.now();
      const registers = await this.#registers(read.function, read.address, read.count);
      if (read.fields.some(({ quantity, line }) => quantity === 'energyImport' && line === 'sum')) {
        // The bus may have made it wait, or asked twice: earlier than the register was taken, never later.
        at = askedAt;
        answeredAt = clock.now();
      }
      parts.push(decode(this.#map, read, registers));
    }
    return { at, answeredAt, values: merge(parts) };
  }

  /** Once after each opening of the bus, and after a silence: another meter may have been wired in meanwhile. */
  async #identify(): Promise<void> {
    const { identify, serialNumber } = this.#map;
    const { openings } = this.#bus;
    if (identify !== undefined) await this.#checkModel(identify);
    if (serialNumber !== undefined) {
      const found = await this.#identity(serialNumber, serialNumber.wordOrder);
      if (found !== undefined && this.#serialNumber !== undefined && this.#serialNumber !== found) {
        this.#surroundings.log.warn('the meter was exchanged', { from: this.#serialNumber, to: found });
        this.#memory = {};
      }
      this.#serialNumber = found ?? this.#serialNumber;
    }
    this.#identifiedAt = openings;
  }

  /** The wrong map gives plausible garbage: a meter that says it is another model is not read. */
  async #checkModel(identify: IdentityRegister): Promise<void> {
    const code = await this.#identity(identify);
    if (code === undefined) this.#surroundings.log.info('the meter does not tell its model', { meter: this.#name });
    const found = code === undefined ? undefined : otherModel(identify, code);
    if (found !== undefined) throw new HalError('meterImplausible', `${this.#name}: the device is ${found}`);
  }

  /** Undefined if the device refuses this register: not every firmware has it. */
  async #identity(
    register: IdentityRegister | SerialNumberRegister,
    wordOrder = this.#map.read.wordOrder,
  ): Promise<string | undefined> {
    try {
      const registers = await this.#registers(register.function, register.address, identityWords(register));
      return identityOf(register, registers, wordOrder);
    } catch (error) {
      if (!(error instanceof HalError) || error.code !== 'badReply') throw error;
      if ((error.cause as { readonly type?: unknown } | undefined)?.type !== 'exception') throw error;
      return undefined;
    }
  }

  #registers(code: ReadFunction, address: number, count: number): Promise<readonly number[]> {
    return this.#bus.readRegisters(FUNCTION_CODE[code], this.#place.unit, address, count, this.#map.read);
  }

  #succeeded(): void {
    this.#failedReads = 0;
    this.#failingSince = undefined;
    this.#stopRetrying();
    if (!this.#silent) return;
    this.#silent = false;
    this.#place.onSilent(false);
  }

  #failed(startedAt: Monotonic): void {
    this.#failedReads += 1;
    this.#failingSince ??= startedAt;
    this.#retryLater();
    const failingMs = this.#surroundings.clock.now() - this.#failingSince;
    if (this.#failedReads < FAILED_READS_UNTIL_SILENT && failingMs < FAILING_MS_UNTIL_SILENT) return;
    this.#identifiedAt = undefined;
    if (this.#silent) return;
    this.#silent = true;
    this.#place.onSilent(true);
  }

  #retryLater(): void {
    if (this.#closed) return;
    this.#retry ??= this.#surroundings.clock.after(RETRY_MS, () => {
      this.#retry = undefined;
      // What it says is told through `onSilent`, and its failure asks for the next attempt.
      this.read().catch(() => {});
    });
  }

  #stopRetrying(): void {
    this.#retry?.();
    this.#retry = undefined;
  }

  get #name(): string {
    return `${this.#map.model} (unit ${this.#place.unit})`;
  }
}

/** Which other model says this code; undefined: it may be this one. */
export function otherModel({ type, codes, others, unknown }: IdentityRegister, code: string): string | undefined {
  const shown = type === 'text' ? code : `0x${Number(code).toString(16).padStart(4, '0')}`;
  const other = others?.[code];
  if (other !== undefined) return `${other} (code ${shown})`;
  return codes[code] !== undefined || unknown === 'accept' ? undefined : `an unknown model (code ${shown})`;
}

function offersOf(map: RegisterMap): EnergyMeter['offers'] {
  const offers: { [quantity in Quantity]?: readonly Line[] } = {};
  for (const [quantity, registers] of quantitiesOf(map.quantities)) {
    offers[quantity] = LINES.filter((line) => registers[line] !== undefined);
  }
  return offers;
}
