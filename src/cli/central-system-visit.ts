/** One WebSocket to the central system, for a technician: it is let in or not, sends one BootNotification, and says goodbye. */
import type { ChargePointConfig } from '../config.ts';
import { CallFailure, type CallFailureCode } from '../errors.ts';
import { SUBPROTOCOL } from '../ocpp/link.ts';
import { operationOf } from '../ocpp/messages/all.ts';
import { BootNotification } from '../ocpp/messages/core/boot-notification.ts';
import { Peer } from '../ocpp/peer.ts';
import { nodeRandom } from '../platform/random.ts';
import type { Clock, DialRequest, Log, Socket, SocketClosed, Sockets } from '../ports.ts';

export type BootAnswer =
  | {
      readonly status: string;
      readonly currentTime: string;
      readonly interval: number;
      readonly ms: number;
      /** Our wall time, halfway between question and answer. */
      readonly receivedAt: number;
    }
  | { readonly failure: CallFailureCode; readonly message: string };

export interface Visit {
  /** Why there is no connection. */
  readonly refused?: SocketClosed;
  /** Sends it once, however often it is asked. Never rejects. */
  boot(): Promise<BootAnswer>;
  close(): void;
}

export interface VisitPorts {
  readonly sockets: Pick<Sockets, 'dial'>;
  readonly clock: Pick<Clock, 'now' | 'afterReal' | 'wall'>;
  readonly log: Log;
}

const BOOT_WITHIN_MS = 30_000;
const NORMAL = 1000;

/** Resolves once it is let in, or not. Nothing that the central system asks is answered: it will ask the agent. */
export function visit(
  request: Omit<DialRequest, 'subprotocol'>,
  chargePoint: ChargePointConfig,
  { sockets, clock, log }: VisitPorts,
): Promise<Visit> {
  const peer = new Peer({
    handlers: [],
    known: operationOf,
    clock,
    random: nodeRandom,
    log,
    wireLog: { frame: () => {} },
    callTimeoutMs: () => BOOT_WITHIN_MS,
    gate: { mayAnswer: () => 'silence' },
  });
  let sent: Promise<BootAnswer> | undefined;
  const boot = (): Promise<BootAnswer> => {
    sent ??= sendBoot(peer, chargePoint, clock);
    return sent;
  };
  return new Promise((resolve) => {
    const socket: Socket = sockets.dial(
      { ...request, subprotocol: SUBPROTOCOL },
      {
        opened: () => {
          peer.attach((text) => socket.send(text));
          resolve({ boot, close: () => socket.close(NORMAL, 'the test is over') });
        },
        received: (text) => peer.receive(text),
        pong: () => {},
        closed: (refused) => {
          peer.detach();
          resolve({ refused, boot, close: () => {} });
        },
      },
    );
  });
}

async function sendBoot(
  peer: Peer,
  { identity: _, vendor, model, serialNumber, ...rest }: ChargePointConfig,
  clock: VisitPorts['clock'],
): Promise<BootAnswer> {
  const begun = clock.now();
  try {
    const answer = await peer.call(BootNotification, {
      chargePointVendor: vendor,
      chargePointModel: model,
      ...(serialNumber === undefined ? {} : { chargePointSerialNumber: serialNumber }),
      ...rest,
    });
    const ended = clock.now();
    return { ...answer, ms: Math.ceil(ended - begun), receivedAt: clock.wall((begun + ended) / 2) };
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error;
    return { failure: error.code, message: error.remoteCode ?? error.message };
  }
}
