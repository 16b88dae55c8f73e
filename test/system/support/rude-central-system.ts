/** Central systems that nobody wants, at the far end of a real socket: nonsense, silence, floods, doors slammed at any moment. */
import { createServer, type Server, type Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

type Misdeed = (socket: WebSocket, heard: string, chance: () => number) => void;

const uuid = '123e4567-e89b-42d3-a456-426614174000';

/** What no charge point should trip over. `ID` becomes the id of its last call. */
export const NONSENSE: readonly string[] = [
  '',
  '{',
  'null',
  '[]',
  '[2]',
  '[3,"ID"]',
  '[3,"ID",null]',
  '[3,"ID",{"status":"Accepted"}]',
  '[3,"ID",{"status":"Accepted","currentTime":"yesterday","interval":-1}]',
  '[3,"ID",{"status":7,"currentTime":{},"interval":"soon"}]',
  '[4,"ID","Whatever"]',
  '[3,"nobody asked",{}]',
  '[9,"ID",{}]',
  '[2,"a",7,{}]',
  '[2,7,"Reset",{}]',
  `[2,"${uuid}","RemoteStartTransaction",{"idTag":{"$gt":""},"connectorId":"1"}]`,
  `[2,"${uuid}","RemoteStartTransaction",{"connectorId":1,"idTag":"TAG"}]`,
  `[2,"${uuid}","RemoteStartTransaction",{"idTag":"${'9'.repeat(5000)}"}]`,
  `[2,"${uuid}","__proto__",{"__proto__":{"status":"Accepted"}}]`,
  `[2,"${uuid}","ChangeConfiguration",{"key":"HeartbeatInterval","value":"-1e99"}]`,
  `[2,"${'i'.repeat(100_000)}","Heartbeat",{}]`,
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `[2,"b","DataTransfer",{"vendorId":"x","data":"${'x'.repeat(300_000)}"}]`,
  '\u0000\uffff\ud83d',
];

const FLOOD_FRAMES = 2_000;
const CLOSE_CODES = [1000, 1001, 1002, 1008, 1011, 1013, 3000, 4999];
/** So many messages of ours are misused, all in all: it is a test, not a war. */
const MISUSED = 30;
const FLOOD_TEXT = '[2,"f","DataTransfer",{"vendorId":"flood","data":"............................................"}]';

export const MISDEEDS: { readonly [name: string]: Misdeed } = {
  'answers nonsense': (socket, heard, chance) => {
    const id = /^\[2,"([^"]*)"/.exec(heard)?.[1] ?? '';
    for (const text of NONSENSE) if (chance() < 0.7) socket.send(text.replace('ID', id));
    socket.send(Buffer.from([0, 255, 254, 3]));
  },
  'never answers': () => {},
  floods: (socket) => {
    for (let frame = 0; frame < FLOOD_FRAMES; frame++) socket.send(FLOOD_TEXT);
    for (let frame = 0; frame < 50; frame++) socket.ping('flood');
  },
  'closes at any moment': (socket, _, chance) => {
    setTimeout(() => {
      const way = chance();
      if (way < 0.3) socket.terminate();
      else if (way < 0.6) socket.close(CLOSE_CODES[Math.trunc(chance() * CLOSE_CODES.length)], 'go away');
      else socket.close();
    }, chance() * 60);
  },
};

export class RudeCentralSystem {
  links = 0;
  heard = 0;
  readonly #server: WebSocketServer;
  readonly #chance: () => number;

  private constructor(misdeed: Misdeed, chance: () => number) {
    this.#chance = chance;
    this.#server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'ocpp1.6' });
    this.#server.on('connection', (socket) => {
      this.links++;
      socket.on('error', () => {});
      const misbehave = (text: string): void => {
        if (this.heard <= MISUSED && socket.readyState === socket.OPEN) misdeed(socket, text, this.#chance);
      };
      misbehave('');
      socket.on('message', (data) => {
        this.heard++;
        misbehave(String(data));
      });
    });
  }

  static async start(misdeed: Misdeed, chance: () => number): Promise<RudeCentralSystem> {
    const rude = new RudeCentralSystem(misdeed, chance);
    await new Promise<void>((resolve) => rude.#server.on('listening', resolve));
    return rude;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Not even a web socket: takes connections and says these bytes, or nothing. */
export class RudePort {
  links = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(bytes: string | undefined) {
    this.#server = createServer((socket) => {
      this.links++;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      if (bytes !== undefined) socket.end(bytes);
    });
  }

  static async start(bytes: string | undefined): Promise<RudePort> {
    const rude = new RudePort(bytes);
    await new Promise<void>((resolve) => rude.#server.listen(0, '127.0.0.1', resolve));
    return rude;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
