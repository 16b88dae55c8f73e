/** The central system of the measurements: answers everything, as fast as it can, and knows when each frame came. */
import { WebSocketServer } from 'ws';
import { nowMs } from './processes.mjs';

const ACCEPTED = { idTagInfo: { status: 'Accepted' } };

/** One for each connection that a charge point makes, under its identity. */
class Station {
  #socket;
  #listeners = new Set();
  #transactionId = 0;
  #callId = 0;
  #waiting = new Map();
  /** While set, frames go here, unparsed and unanswered. */
  onText;

  constructor(socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const at = nowMs();
      if (this.onText === undefined) this.receive(data, at);
      else this.onText(data, at);
    });
  }

  send(text) {
    this.#socket.send(text);
  }

  /** As when the central system is killed. */
  drop() {
    this.#socket.terminate();
  }

  /** Resolves to the confirmation, when it came and how long it took; rejects with a CALLERROR. */
  call(action, payload) {
    const id = `c${++this.#callId}`;
    const sentAt = nowMs();
    this.send(JSON.stringify([2, id, action, payload]));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (frame, at) => {
        if (frame[0] === 3) resolve({ payload: frame[2], at, sentAt, tookMs: at - sentAt });
        else reject(new Error(`${action}: ${JSON.stringify(frame)}`));
      });
    });
  }

  /** The next call of the charge point that fits. */
  next(fits, withinMs = 10_000) {
    return new Promise((resolve, reject) => {
      const listener = (call) => {
        if (!fits(call)) return;
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(call);
      };
      const timer = setTimeout(() => reject(new Error(`nothing that fits ${fits} within ${withinMs} ms`)), withinMs);
      this.#listeners.add(listener);
    });
  }

  onCall(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  receive(data, at) {
    const frame = JSON.parse(data);
    const [type, id, action, payload] = frame;
    if (type !== 2) {
      this.#waiting.get(id)?.(frame, at);
      this.#waiting.delete(id);
      return;
    }
    this.send(JSON.stringify([3, id, this.#answer(action)]));
    const answeredAt = nowMs();
    for (const listener of [...this.#listeners]) listener({ action, payload, at, answeredAt });
  }

  #answer(action) {
    switch (action) {
      case 'BootNotification':
        return { status: 'Accepted', currentTime: new Date().toISOString(), interval: 86_400 };
      case 'Heartbeat':
        return { currentTime: new Date().toISOString() };
      case 'StartTransaction':
        return { transactionId: ++this.#transactionId, ...ACCEPTED };
      case 'Authorize':
        return ACCEPTED;
      default:
        return {};
    }
  }
}

/** On the loopback; `station` waits for the next connection of this identity. */
export async function startCentralSystem(port = 0) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port,
    perMessageDeflate: false,
    handleProtocols: () => 'ocpp1.6',
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const waiting = new Map();
  const arrivals = [];
  server.on('connection', (socket, request) => {
    const identity = request.url.split('/').at(-1);
    const station = new Station(socket);
    arrivals.push({ identity, at: nowMs() });
    waiting.get(identity)?.(station);
    waiting.delete(identity);
  });
  return {
    port: server.address().port,
    url: `ws://127.0.0.1:${server.address().port}`,
    /** Every connection so far. */
    arrivals,
    station: (identity, withinMs = 20_000) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${identity} does not connect`)), withinMs);
        waiting.set(identity, (station) => {
          clearTimeout(timer);
          resolve(station);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(resolve);
      }),
  };
}
