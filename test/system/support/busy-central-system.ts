/** A central system that keeps a charge point busy: it asks as fast as it is answered, and can hold a backlog back and let it go. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Payload } from './central-system.ts';

const ACCEPTED = { idTagInfo: { status: 'Accepted' } };
/** A proper one has one call under way; this one is rude, and yet a slow machine is not buried. */
const IN_FLIGHT = 16;
const WITHIN_MS = 15_000;

export class BusyCentralSystem {
  readonly #server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    handleProtocols: () => 'ocpp1.6',
  });
  readonly #links = new Map<string, Link>();
  readonly #held = new Set<string>();

  static async start(): Promise<BusyCentralSystem> {
    const central = new BusyCentralSystem();
    central.#server.on('connection', (socket, { url = '' }) => {
      const identity = url.slice(1);
      central.#links.set(identity, new Link(socket, () => central.#held.has(identity)));
    });
    await once(central.#server, 'listening');
    return central;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The present connection of this charge point, or the one that it makes. */
  async link(identity: string): Promise<Link> {
    for (const end = performance.now() + WITHIN_MS; ; await delay(5)) {
      const link = this.#links.get(identity);
      if (link !== undefined) return link;
      if (performance.now() > end) throw new Error(`${identity} does not connect`);
    }
  }

  /** From now on no MeterValues of this charge point is confirmed, so that all that comes after it waits. */
  hold(identity: string): void {
    this.#held.add(identity);
  }

  letGo(identity: string): void {
    this.#held.delete(identity);
    this.#links.get(identity)?.confirmHeld();
  }

  /** Drops the connection without a word, as a dead network does. */
  async cut(identity: string): Promise<void> {
    const link = await this.link(identity);
    this.#links.delete(identity);
    link.drop();
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function answerTo(action: string): Payload {
  switch (action) {
    case 'BootNotification':
      return { status: 'Accepted', currentTime: new Date().toISOString(), interval: 86_400 };
    case 'Heartbeat':
      return { currentTime: new Date().toISOString() };
    case 'StartTransaction':
      return { transactionId: 1, ...ACCEPTED };
    case 'Authorize':
      return ACCEPTED;
    default:
      return {};
  }
}

/** One connection. */
class Link {
  readonly #socket: WebSocket;
  readonly #isHeld: () => boolean;
  readonly #waiting = new Map<string, (payload: Payload) => void>();
  /** MeterValues that were confirmed. */
  taken = 0;
  #heldId: string | undefined;
  #calls = 0;
  #answers = 0;

  constructor(socket: WebSocket, isHeld: () => boolean) {
    this.#socket = socket;
    this.#isHeld = isHeld;
    socket.on('message', (data) => this.#take(String(data)));
  }

  call(action: string, payload: Payload): Promise<Payload> {
    const id = `call ${++this.#calls}`;
    const answered = new Promise<Payload>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify([2, id, action, payload]));
    return answered;
  }

  /** Asks at this rate, as long as it is answered. The function that is returned ends it, and returns how many were answered in a second. */
  flood(callsPerSecond: number): () => number {
    const begun = performance.now();
    const before = this.#answers;
    let sent = 0;
    const send = (): void => {
      const due = ((performance.now() - begun) * callsPerSecond) / 1000;
      for (; sent < due && sent - (this.#answers - before) < IN_FLIGHT; sent++)
        this.#socket.send(`[2,"flood ${sent}","GetConfiguration",{"key":["HeartbeatInterval"]}]`);
    };
    const timer = setInterval(send, 1);
    return () => {
      clearInterval(timer);
      return (1000 * (this.#answers - before)) / (performance.now() - begun);
    };
  }

  confirmHeld(): void {
    const id = this.#heldId;
    this.#heldId = undefined;
    if (id !== undefined) this.#confirm(id, 'MeterValues');
  }

  drop(): void {
    this.#socket.terminate();
  }

  #take(text: string): void {
    // Most of what comes while it is flooded.
    if (text.startsWith('[3,"flood')) {
      this.#answers++;
      return;
    }
    const [type, id, third] = JSON.parse(text) as [number, string, unknown];
    if (type === 2) {
      if (third === 'MeterValues' && this.#isHeld()) this.#heldId = id;
      else this.#confirm(id, String(third));
      return;
    }
    this.#waiting.get(id)?.(third as Payload);
    this.#waiting.delete(id);
  }

  #confirm(id: string, action: string): void {
    if (action === 'MeterValues') this.taken++;
    this.#socket.send(JSON.stringify([3, id, answerTo(action)]));
  }
}
