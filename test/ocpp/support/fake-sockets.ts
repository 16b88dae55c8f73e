/** A network of one virtual central system; a test decides what becomes of each dial. */
import type { DialRequest, Socket, SocketClosed, SocketEvents, Sockets, Unsubscribe } from '../../../src/ports.ts';

export interface FakeDial {
  readonly at: number;
  readonly request: DialRequest;
  readonly events: SocketEvents;
  readonly sent: string[];
  readonly pings: number[];
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  terminated: boolean;
}

export class FakeSockets implements Sockets {
  reachable = true;
  readonly dials: FakeDial[] = [];
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();

  constructor(now: () => number) {
    this.#now = now;
  }

  onReachable(listener: () => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  cut(): void {
    this.reachable = false;
  }

  restore(): void {
    this.reachable = true;
    for (const listener of this.#listeners) listener();
  }

  get last(): FakeDial {
    const last = this.dials.at(-1);
    if (last === undefined) throw new Error('nobody has dialled');
    return last;
  }

  dial(request: DialRequest, events: SocketEvents): Socket {
    const dial: FakeDial = {
      at: this.#now(),
      request,
      events,
      sent: [],
      pings: [],
      closedWith: undefined,
      terminated: false,
    };
    this.dials.push(dial);
    return {
      send: (text) => void dial.sent.push(text),
      ping: () => void dial.pings.push(this.#now()),
      close: (code, reason) => {
        dial.closedWith = { code, reason };
      },
      terminate: () => {
        dial.terminated = true;
        dial.events.closed(BROKEN);
      },
    };
  }
}

export const BROKEN: SocketClosed = { code: 1006, reason: '' };
export const REFUSED: SocketClosed = { failure: 'refused', code: 1006, reason: 'ECONNREFUSED' };
export const httpStatus = (status: number): SocketClosed => ({
  failure: 'httpStatus',
  httpStatus: status,
  code: 1006,
  reason: `HTTP ${status}`,
});
