/** The network and the central system of a virtual world: raw frames, no code of ours on the other side. */
import type { DialRequest, Socket, SocketClosed, SocketEvents, Sockets, Unsubscribe } from '../../src/ports.ts';
import { settle, type VirtualClock } from './virtual-clock.ts';

export interface WireEntry {
  /** Milliseconds since the world began. */
  readonly t: number;
  /** As seen from the charge point. */
  readonly dir: 'tx' | 'rx';
  readonly frame: readonly unknown[];
  /** Counts the connections; not part of a golden log. */
  readonly connection: number;
}

export type Payload = Record<string, unknown>;
/** What the central system says to a call. `silence` never answers; a string array is a CALLERROR. */
export type Answer = Payload | 'silence' | readonly ['callError', code: string];
export type Answering = (payload: Payload) => Answer;

interface Connection {
  readonly request: DialRequest;
  readonly events: SocketEvents;
  state: 'dialling' | 'open' | 'halfOpen' | 'closed';
}

const BOOT_EVENTS: ReadonlySet<string> = new Set(['StartupOfTheDevice', 'ResetOrReboot', 'SettingSystemTime']);

/** Answers like a good central system, unless a test says otherwise. */
export class SimCentralSystem {
  clock: VirtualClock;
  readonly wire: WireEntry[] = [];
  readonly dials: { readonly t: number; readonly url: string }[] = [];
  /** Every SecurityEventNotification, those of every boot included. */
  readonly securityEvents: Payload[] = [];
  /** Whether the wire shows what every boot, reset and set clock tells: most stories are about something else. */
  showsBootEvents = false;
  readonly #hidden = new Set<string>();
  readonly transactions: { readonly id: number; readonly start: Payload; stop?: Payload }[] = [];
  readonly #answers = new Map<string, Answering>();
  readonly #waiting = new Map<string, (answer: Payload | string) => void>();
  #connection: Connection | undefined;
  #nextCall = 1;
  nextTransaction = 1;

  constructor(clock: VirtualClock) {
    this.clock = clock;
    this.answer('BootNotification', () => ({
      status: 'Accepted',
      currentTime: new Date(clock.wall(clock.now())).toISOString(),
      interval: 86_400,
    }));
    this.answer('Heartbeat', () => ({ currentTime: new Date(clock.wall(clock.now())).toISOString() }));
    this.answer('Authorize', () => ({ idTagInfo: { status: 'Accepted' } }));
    this.answer('StartTransaction', (start) => {
      const id = this.nextTransaction++;
      this.transactions.push({ id, start });
      return { transactionId: id, idTagInfo: { status: 'Accepted' } };
    });
    this.answer('StopTransaction', (stop) => {
      const transaction = this.transactions.find(({ id }) => id === stop['transactionId']);
      if (transaction !== undefined) transaction.stop = stop;
      return {};
    });
    for (const action of ['StatusNotification', 'MeterValues']) this.answer(action, () => ({}));
  }

  answer(action: string, answering: Answering): void {
    this.#answers.set(action, answering);
  }

  /** Calls the charge point; resolves with the confirmation, or with the code of a CALLERROR. */
  async call(action: string, payload: Payload = {}): Promise<Payload | string> {
    const id = `cs-${this.#nextCall++}`;
    const answer = new Promise<Payload | string>((resolve) => this.#waiting.set(id, resolve));
    this.raw(JSON.stringify([2, id, action, payload]));
    await settle();
    return answer;
  }

  /** Puts any text on the wire. */
  raw(text: string): void {
    this.#log('rx', text);
    this.#connection?.events.received(text);
  }

  /** The calls of the charge point with this action, as payloads. */
  received(action: string): readonly Payload[] {
    return this.calls().flatMap(({ frame }) => (frame[2] === action ? [frame[3] as Payload] : []));
  }

  /** All calls of the charge point, oldest first. */
  calls(): readonly WireEntry[] {
    return this.wire.filter(({ dir, frame }) => dir === 'tx' && frame[0] === 2);
  }

  get connected(): boolean {
    return this.#connection?.state === 'open';
  }

  close(how: Partial<SocketClosed> = {}): void {
    const connection = this.#connection;
    if (connection === undefined || connection.state === 'closed') return;
    connection.state = 'closed';
    this.#connection = undefined;
    connection.events.closed({ code: 1006, reason: '', ...how });
  }

  /** The link dies without a word: nothing gets through any more, and nobody is told. */
  vanish(): void {
    if (this.#connection !== undefined) this.#connection.state = 'halfOpen';
    this.#connection = undefined;
  }

  accept(connection: Connection): void {
    this.#connection = connection;
    this.dials.push({ t: this.clock.now(), url: connection.request.url });
  }

  receive(connection: Connection, text: string): void {
    if (connection.state !== 'open') return;
    const frame = this.#isHidden(text) ? (JSON.parse(text) as readonly unknown[]) : this.#log('tx', text);
    const [type, id, third, payload] = frame as [number, string, unknown, Payload];
    if (type === 2) this.#onCall(connection, id, String(third), payload);
    else this.#onAnswer(id, type === 3 ? (third as Payload) : String(third));
  }

  #onCall(connection: Connection, id: string, action: string, payload: Payload): void {
    const answer = this.#answers.get(action)?.(payload) ?? (['callError', 'NotImplemented'] as const);
    if (answer === 'silence') return;
    const text = isCallError(answer) ? JSON.stringify([4, id, answer[1], '', {}]) : JSON.stringify([3, id, answer]);
    this.clock.after(0, () => {
      if (connection.state !== 'open') return;
      if (!this.#hidden.has(id)) this.#log('rx', text);
      connection.events.received(text);
    });
  }

  #onAnswer(id: string, answer: Payload | string): void {
    this.#waiting.get(id)?.(answer);
    this.#waiting.delete(id);
  }

  #isHidden(text: string): boolean {
    if (!text.includes('"SecurityEventNotification"')) return false;
    const [, id, action, payload] = JSON.parse(text) as [number, string, unknown, Payload];
    if (action !== 'SecurityEventNotification') return false;
    this.securityEvents.push(payload);
    const isHidden = !this.showsBootEvents && BOOT_EVENTS.has(String(payload['type']));
    if (isHidden) this.#hidden.add(id);
    return isHidden;
  }

  #log(dir: 'tx' | 'rx', text: string): readonly unknown[] {
    let frame: readonly unknown[];
    try {
      frame = JSON.parse(text) as readonly unknown[];
    } catch {
      frame = [text];
    }
    this.wire.push({ t: this.clock.now(), dir, frame, connection: this.dials.length });
    return frame;
  }
}

const isCallError = (answer: Answer): answer is readonly ['callError', string] => Array.isArray(answer);

/** The agent's `Sockets` port in the virtual world. */
export class SimNetwork implements Sockets {
  readonly #central: SimCentralSystem;
  /** The others, by host; where nobody is, a dial comes to nothing. */
  readonly #others = new Map<string, SimCentralSystem | 'nobody'>();
  readonly #onReachable = new Set<() => void>();
  reachable = true;
  /** What a dial comes to instead of a connection. */
  refuse: SocketClosed | undefined;
  /** With TLS: the fingerprints of the chain that the server is found to have. */
  verified: readonly string[] | undefined;
  /** The same, for whoever looks at what the dial shows; undefined lets it through. */
  admit: (request: DialRequest) => SocketClosed | undefined = () => undefined;
  /** Every dial, whatever it came to. */
  readonly dials: { readonly t: number; readonly request: DialRequest }[] = [];

  constructor(central: SimCentralSystem) {
    this.#central = central;
  }

  /** Another central system, by its host; `nobody`: there is none. Every host that is not given is the first one. */
  place(host: string, central: SimCentralSystem | 'nobody'): void {
    this.#others.set(host, central);
  }

  get centrals(): readonly SimCentralSystem[] {
    return [this.#central, ...[...this.#others.values()].filter((other) => other !== 'nobody')];
  }

  onReachable(listener: () => void): Unsubscribe {
    this.#onReachable.add(listener);
    return () => this.#onReachable.delete(listener);
  }

  /** The process that listened is dead. */
  forget(): void {
    this.#onReachable.clear();
  }

  /** The cable to the world is cut: no farewell, no new connection. */
  cut(): void {
    this.reachable = false;
    for (const central of this.centrals) central.close();
  }

  restore(): void {
    this.reachable = true;
    for (const listener of [...this.#onReachable]) listener();
  }

  dial(request: DialRequest, events: SocketEvents): Socket {
    const connection: Connection = { request, events, state: 'dialling' };
    const { clock } = this.#central;
    this.dials.push({ t: clock.now(), request });
    const there = this.#others.get(new URL(request.url).host) ?? this.#central;
    clock.after(0, () => {
      if (connection.state === 'closed') return;
      const refused = this.refuse ?? this.admit(request);
      if (refused !== undefined || !this.reachable || there === 'nobody') {
        connection.state = 'closed';
        events.closed(refused ?? { failure: 'network', code: 1006, reason: '' });
        return;
      }
      connection.state = 'open';
      there.accept(connection);
      events.opened(this.verified);
    });
    const end = (code: number, reason: string): void => {
      if (connection.state === 'closed') return;
      connection.state = 'closed';
      clock.after(0, () => events.closed({ code, reason }));
    };
    return {
      send: (text) => there !== 'nobody' && there.receive(connection, text),
      ping: () => clock.after(0, () => connection.state === 'open' && events.pong()),
      close: end,
      terminate: () => end(1006, ''),
    };
  }
}
