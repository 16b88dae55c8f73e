/** A central system that we did not write (`ocpp-rpc` in strict mode), as a witness: every frame with the machine's monotonic time. */
import type { Server } from 'node:http';
import { RPCServer } from 'ocpp-rpc';

export interface Frame {
  /** CLOCK_MONOTONIC. */
  readonly ns: bigint;
  /** Counts connections from 1. */
  readonly link: number;
  readonly from: 'chargePoint' | 'centralSystem';
  readonly message: readonly unknown[];
}

export type Payload = Readonly<Record<string, unknown>>;

/** A call of the charge point. */
export interface Call {
  readonly ns: bigint;
  readonly link: number;
  readonly id: string;
  readonly action: string;
  readonly payload: Payload;
}

/** Who asked to be let in, and how he showed who he is. */
export interface Visit {
  /** Of Basic authentication. */
  readonly password: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly admitted: boolean;
}

/** The part of an ocpp-rpc client that is used here; its own types leave out the events. */
interface Client {
  on(event: 'message', listener: (event: { message: Buffer | string; outbound: boolean }) => void): void;
  on(event: 'strictValidationFailure' | 'badMessage', listener: (event: { error: Error }) => void): void;
  on(event: 'close', listener: () => void): void;
  handle(handler: (call: { method: string; params: Payload }) => Payload): void;
  call(action: string, payload: Payload, options?: { callTimeoutMs?: number }): Promise<Payload>;
  sendRaw(text: string): void;
  close(options: { force: boolean }): Promise<unknown>;
}

/** Ours may be nonsense on purpose. */
function messageOf(text: string): readonly unknown[] | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return Array.isArray(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

const now = (): string => new Date().toISOString();
const ACCEPTED = { idTagInfo: { status: 'Accepted' } };

export class CentralSystem {
  readonly frames: Frame[] = [];
  readonly calls: Call[] = [];
  /** What the other side got wrong, as ocpp-rpc's own schemas see it. */
  readonly complaints: string[] = [];
  /** Every request to upgrade. */
  readonly visits: Visit[] = [];
  links = 0;
  /** Whoever it says no to gets a 401. */
  admits: (visit: Omit<Visit, 'admitted'>) => boolean = () => true;
  /** Refuses to upgrade: the network or a proxy is down. */
  refusing = false;
  #nextTransaction = 1;
  readonly #wakers = new Set<() => void>();
  readonly #answers: { readonly [action: string]: (payload: Payload) => Payload } = {
    BootNotification: () => ({ status: 'Accepted', currentTime: now(), interval: 300 }),
    Heartbeat: () => ({ currentTime: now() }),
    StatusNotification: () => ({}),
    Authorize: () => ACCEPTED,
    StartTransaction: () => ({ transactionId: this.#nextTransaction++, ...ACCEPTED }),
    MeterValues: () => ({}),
    StopTransaction: () => ACCEPTED,
    SecurityEventNotification: () => ({}),
    FirmwareStatusNotification: () => ({}),
    SignedFirmwareStatusNotification: () => ({}),
    DiagnosticsStatusNotification: () => ({}),
    LogStatusNotification: () => ({}),
    SignCertificate: () => ({ status: 'Accepted' }),
  };
  readonly #server = new RPCServer({ protocols: ['ocpp1.6'], strictMode: true });
  #http: Server | undefined;
  #client: Client | undefined;

  /** On a free port unless one is given. */
  static async start(port = 0): Promise<CentralSystem> {
    const central = new CentralSystem();
    central.#server.auth((accept, reject, { headers, password }) => {
      const visit = { headers, password: password?.toString('latin1') };
      const admitted = central.admits(visit);
      central.visits.push({ ...visit, admitted });
      if (central.refusing) reject(503, 'out of order');
      else if (admitted) accept();
      else reject(401, 'who are you?');
    });
    central.#server.on('client', (client: Client) => central.#serve(client));
    central.#http = await central.#server.listen(port, '127.0.0.1');
    return central;
  }

  get port(): number {
    const address = this.#http?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connected(): boolean {
    return this.#client !== undefined;
  }

  get lastTransactionId(): number {
    return this.#nextTransaction - 1;
  }

  /** Rejects with what the charge point answered, with a time-out, or without a connection. */
  async call(action: string, payload: Payload, withinMs = 5_000): Promise<Payload> {
    if (this.#client === undefined) throw new Error(`${action}: no charge point is connected`);
    return this.#client.call(action, payload, { callTimeoutMs: withinMs });
  }

  /** Says this, whatever it is. */
  sendRaw(text: string): void {
    this.#client?.sendRaw(text);
  }

  /** The first such call after `from` (an index into `calls`), waited for. */
  async until(
    action: string,
    fits: (payload: Payload) => boolean = () => true,
    { from = 0, withinMs = 10_000 }: { from?: number; withinMs?: number } = {},
  ): Promise<Call> {
    const found = (): Call | undefined =>
      this.calls.find((call, index) => index >= from && call.action === action && fits(call.payload));
    await this.#wait(() => found() !== undefined, withinMs, action);
    const call = found();
    if (call === undefined) throw new Error('unreachable');
    return call;
  }

  untilConnected(withinMs = 15_000): Promise<void> {
    return this.#wait(() => this.connected, withinMs, 'a connection');
  }

  /** Drops the connection without a word, as a dead network does. */
  cut(): void {
    void this.#client?.close({ force: true });
    this.#client = undefined;
  }

  async stop(): Promise<void> {
    this.refusing = true;
    this.cut();
    this.#http?.closeAllConnections();
    await this.#server.close({ force: true });
  }

  #serve(client: Client): void {
    const link = ++this.links;
    client.on('message', ({ message, outbound }) => this.#take(link, String(message), outbound));
    client.on('strictValidationFailure', ({ error }) => this.complaints.push(String(error)));
    client.on('badMessage', ({ error }) => this.complaints.push(String(error)));
    client.on('close', () => {
      if (this.#client === client) this.#client = undefined;
      this.#wake();
    });
    client.handle(({ method, params }) => {
      const answer = this.#answers[method];
      if (answer === undefined) throw new Error(`no answer to ${method}`);
      return answer(params);
    });
    this.#client = client;
    this.#wake();
  }

  #take(link: number, text: string, outbound: boolean): void {
    const ns = process.hrtime.bigint();
    const message = messageOf(text);
    if (message === undefined) return;
    this.frames.push({ ns, link, from: outbound ? 'centralSystem' : 'chargePoint', message });
    const [type, id, action, payload] = message;
    if (outbound || type !== 2) return;
    this.calls.push({ ns, link, id: String(id), action: String(action), payload: payload as Payload });
    this.#wake();
  }

  #wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }

  #wait(condition: () => boolean, withinMs: number, what: string): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(look);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`not within ${withinMs} ms: ${what}; calls: ${this.calls.map(({ action }) => action)}`));
      }, withinMs);
      const look = (): void => {
        if (!condition()) return;
        end();
        resolve();
      };
      this.#wakers.add(look);
    });
  }
}
