/** The central system of the bench on 127.0.0.1: WebSocket for charge points, HTTP for people, on one port. For the bench only. */
import type { RequestListener } from 'node:http';
import { CentralSystemLogic, type CentralSystemParts } from './central-system-logic.ts';
import { answering, type JsonAnswer, type JsonRequest, ok, refused } from './json-http.ts';
import { isObject } from './merge-patch.ts';

/** A charge point at the door; `platform/web-socket-server.ts` makes these. */
export interface StationSocket {
  readonly identity: string;
  send(text: string): void;
  onText(listener: (text: string) => void): void;
  onClose(listener: () => void): void;
}

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly onConnection: (socket: StationSocket) => void;
  readonly onRequest: RequestListener;
}

export interface CentralSystemOptions extends CentralSystemParts {
  /** 0 takes any free one. */
  readonly port: number;
  readonly serve: (options: ServeOptions) => Promise<{ readonly port: number; close(): Promise<void> }>;
}

export interface CentralSystem {
  readonly port: number;
  readonly logic: CentralSystemLogic;
  stop(): Promise<void>;
}

const PURPOSE = 'embedded in the bench of chargepoint; never for production';
const LONGEST_IDENTITY = 100;

/** Rejects if the port cannot be had. */
export async function startCentralSystem(options: CentralSystemOptions): Promise<CentralSystem> {
  const { log, serve } = options;
  const logic = new CentralSystemLogic(options);
  const server = await serve({
    host: '127.0.0.1',
    port: options.port,
    onConnection: (socket) => welcome(logic, socket),
    onRequest: answering({
      log,
      headers: { 'x-purpose': PURPOSE },
      routes: {
        'GET /central-system': () => ok({ purpose: PURPOSE, stations: logic.stations }),
        'POST /central-system/call': (request) => call(logic, request),
      },
    }),
  });
  log.info(`the embedded central system (for the bench only) listens on ws://127.0.0.1:${server.port}`);
  return { port: server.port, logic, stop: () => server.close() };
}

function welcome(logic: CentralSystemLogic, socket: StationSocket): void {
  const link = logic.connect(socket.identity.slice(0, LONGEST_IDENTITY), (text) => socket.send(text));
  socket.onText((text) => link.receive(text));
  socket.onClose(() => link.closed());
}

async function call(logic: CentralSystemLogic, { body }: JsonRequest): Promise<JsonAnswer> {
  if (!isObject(body)) return refused('a call is an object');
  const { identity, action, payload = {} } = body;
  if (typeof identity !== 'string') return refused('identity takes the name of a charge point');
  if (typeof action !== 'string') return refused('action takes the name of an OCPP call');
  return ok(await logic.call(identity, action, payload));
}
