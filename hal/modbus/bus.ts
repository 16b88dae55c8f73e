/** One RS-485 bus with many users: one request at a time, repeated when it fails, and no answer ever taken for another one's. */
import type { Monotonic, Surroundings } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import type { OpenBytePort, SerialBus } from './byte-port.ts';
import { Connection, type Outcome, type Pace } from './connection.ts';
import type { ReadCode, Request } from './rtu-client.ts';
import { serialPort } from './serial-port.ts';

export interface Manners extends Pace {
  /** Asked so many times in all before it counts as failed; absent: 3. */
  readonly attempts?: number;
  /** Goes before everything that waits, and does not wait for stragglers. */
  readonly urgent?: boolean;
}

/**
 * Every call is answered in bounded time. It rejects with a HalError: `meterSilent` (no answer), `badReply` (a damaged answer or a
 * Modbus exception), `busClosed` (no adapter, or closed).
 */
export interface ModbusBus {
  /** Grows each time the port is lost, before it is opened again: whoever remembers something about a device asks it anew. */
  readonly openings: number;
  /** Functions 3 (holding), 4 (input) and 1 (coils, each 0 or 1); address as on the wire, count 1..125. */
  readRegisters(
    code: ReadCode,
    unit: number,
    address: number,
    count: number,
    manners: Manners,
  ): Promise<readonly number[]>;
  /** Function 16. Resolves when the device has acknowledged; it may be repeated, so values must not be increments. */
  writeRegisters(unit: number, address: number, values: readonly number[], manners: Manners): Promise<void>;
  /** Functions 5 (a coil: 0 or 1) and 6 (a register). Otherwise as `writeRegisters`. */
  writeSingle(what: 'coil' | 'register', unit: number, address: number, value: number, manners: Manners): Promise<void>;
  close(): Promise<void>;
}

const ATTEMPTS = 3;
/** An answer that comes later than this is no longer feared. */
const OWED_MS = 10_000;
/** Illegal function, address or value: asking again does not help (Modbus Application Protocol V1.1b3, section 7). */
const FINAL_EXCEPTIONS: readonly number[] = [1, 2, 3];

interface Job {
  readonly request: Request;
  readonly manners: Manners;
  attemptsLeft: number;
  resolve(registers: readonly number[]): void;
  reject(error: unknown): void;
}

/** A request without a valid answer: it may still come. */
interface Owed {
  readonly request: Request;
  readonly until: Monotonic;
}

/** Nothing is opened or loaded before the first request. */
export function modbusBus(
  serial: SerialBus,
  surroundings: Surroundings,
  openPort: OpenBytePort = serialPort(serial),
): ModbusBus {
  return new QueuedBus(serial.path, surroundings, new Connection(serial, surroundings, openPort));
}

class QueuedBus implements ModbusBus {
  readonly #path: string;
  readonly #surroundings: Surroundings;
  readonly #connection: Connection;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  #owed: readonly Owed[] = [];

  constructor(path: string, surroundings: Surroundings, connection: Connection) {
    this.#path = path;
    this.#surroundings = surroundings;
    this.#connection = connection;
  }

  get openings(): number {
    return this.#connection.openings;
  }

  readRegisters(
    code: ReadCode,
    unit: number,
    address: number,
    count: number,
    manners: Manners,
  ): Promise<readonly number[]> {
    return this.#enqueue({ type: 'read', function: code, unit, address, count }, manners);
  }

  async writeRegisters(unit: number, address: number, values: readonly number[], manners: Manners): Promise<void> {
    await this.#enqueue({ type: 'write', as: 'block', unit, address, values }, manners);
  }

  async writeSingle(
    what: 'coil' | 'register',
    unit: number,
    address: number,
    value: number,
    manners: Manners,
  ): Promise<void> {
    await this.#enqueue({ type: 'write', as: what, unit, address, values: [value] }, manners);
  }

  async close(): Promise<void> {
    await this.#connection.close();
    await this.#running;
  }

  #enqueue(request: Request, manners: Manners): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, manners, attemptsLeft: manners.attempts ?? ATTEMPTS, resolve, reject });
      if (manners.urgent === true) this.#connection.nudge();
      this.#running ??= this.#run();
    });
  }

  /** Serves the queue until it is empty. Never rejects. */
  async #run(): Promise<void> {
    for (let job = this.#nextJob(); job !== undefined; job = this.#nextJob()) {
      try {
        await this.#connection.open();
        await this.#attempt(job);
      } catch (error) {
        job.reject(error);
      }
    }
    this.#running = undefined;
  }

  #nextJob(): Job | undefined {
    const urgent = this.#queue.findIndex(({ manners }) => manners.urgent === true);
    return this.#queue.splice(Math.max(urgent, 0), 1)[0];
  }

  /** A failed attempt goes to the end of the queue: a dead device must not keep the others waiting. */
  async #attempt(job: Job): Promise<void> {
    job.attemptsLeft -= 1;
    const outcome = this.#ambiguous(job.request) ? await this.#exchangeBehindBarrier(job) : await this.#exchange(job);
    if (outcome.type === 'registers') job.resolve(outcome.registers);
    else if (job.attemptsLeft > 0 && mayPass(outcome)) this.#queue.push(job);
    else job.reject(this.#errorFrom(outcome, job.request));
  }

  async #exchange({ request, manners }: Pick<Job, 'request' | 'manners'>): Promise<Outcome> {
    const outcome = await this.#connection.exchange(request, manners);
    if (outcome.type === 'silent' || outcome.type === 'damaged') {
      this.#owed = [...this.#stillOwed(), { request, until: this.#surroundings.clock.now() + OWED_MS }];
      await this.#connection.drain(manners, () => this.#queue.some((job) => job.manners.urgent === true));
    }
    return outcome;
  }

  /**
   * An answer that is still owed could pass for the answer to this request. A slave answers in the order in which it is asked: once
   * it has answered a request of another form, nothing from before that can come any more.
   */
  async #exchangeBehindBarrier(job: Job): Promise<Outcome> {
    const { request, manners } = job;
    // A device that we do not hear may hear us: a write goes out in any case, its acknowledgement is not believed.
    if (request.type === 'write') await this.#exchange(job);
    const forms = [request, ...this.#stillOwed().map((owed) => owed.request)];
    const barrier = await this.#exchange({ request: requestUnlike(forms, request), manners });
    if (barrier.type !== 'registers' && barrier.type !== 'exception') return barrier;
    this.#owed = this.#owed.filter((owed) => owed.request.unit !== request.unit);
    return this.#exchange(job);
  }

  #stillOwed(): readonly Owed[] {
    const now = this.#surroundings.clock.now();
    this.#owed = this.#owed.filter(({ until }) => until > now);
    return this.#owed;
  }

  #ambiguous(request: Request): boolean {
    return this.#stillOwed().some((owed) => sameForm(owed.request, request) && !sameRequest(owed.request, request));
  }

  #errorFrom(outcome: Exclude<Outcome, { type: 'registers' }>, request: Request): HalError {
    const who = `unit ${request.unit} on ${this.#path}`;
    const what = `register 0x${request.address.toString(16).padStart(4, '0')}`;
    switch (outcome.type) {
      case 'silent':
        return new HalError('meterSilent', `${who} does not answer (${what})`);
      case 'damaged':
        return new HalError('badReply', `${who}: only damaged frames (${what})`);
      case 'exception':
        return new HalError('badReply', `${who} refuses ${what}: ${outcome.text}`, { cause: outcome });
      case 'lost':
        return this.#connection.unavailable();
    }
  }
}

function mayPass(outcome: Outcome): boolean {
  if (outcome.type === 'exception') return !FINAL_EXCEPTIONS.includes(outcome.code);
  return outcome.type === 'silent' || outcome.type === 'damaged';
}

/** Could an answer to `one` pass for an answer to `other`? A read's answer does not repeat the address, a write's not the values. */
function sameForm(one: Request, other: Request): boolean {
  if (one.unit !== other.unit) return false;
  if (one.type === 'read' && other.type === 'read')
    return one.function === other.function && answerWords(one) === answerWords(other);
  if (one.type === 'read' || other.type === 'read') return false;
  return one.as === other.as && one.address === other.address && one.values.length === other.values.length;
}

/** Eight coils share a byte. */
const answerWords = ({ function: code, count }: { readonly function: ReadCode; readonly count: number }): number =>
  code === 1 ? Math.ceil(count / 8) : count;

/** The shortest read at the same place whose answer cannot be taken for an answer to any of `others`. */
function requestUnlike(others: readonly Request[], { unit, address, ...request }: Request): Request {
  // Of coils it would take eight more to make a longer answer; a refusal of their address is an answer, too.
  const code = request.type === 'read' && request.function !== 1 ? request.function : 3;
  let barrier: Request = { type: 'read', function: code, unit, address, count: 1 };
  while (others.some((other) => sameForm(other, barrier))) barrier = { ...barrier, count: barrier.count + 1 };
  return barrier;
}

function sameRequest(one: Request, other: Request): boolean {
  if (one.type === 'read' || other.type === 'read') return one.address === other.address;
  return one.values.every((value, index) => value === other.values[index]);
}
