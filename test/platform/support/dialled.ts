/** A dial whose events can be awaited. */
import type { DialRequest, Socket, SocketClosed, Sockets } from '../../../src/ports.ts';

export interface Dialled {
  readonly socket: Socket;
  /** `opened`, `received TEXT`, `pong`, `closed CODE`, as they came. */
  readonly events: readonly string[];
  readonly closed: Promise<SocketClosed>;
  next(event: string): Promise<void>;
}

export function dialled(sockets: Sockets, request: Partial<DialRequest> & { readonly url: string }): Dialled {
  const events: string[] = [];
  const waiting = new Map<string, () => void>();
  const happened = (event: string): void => {
    events.push(event);
    waiting.get(event)?.();
  };
  let tellClosed: (how: SocketClosed) => void = () => {};
  const closed = new Promise<SocketClosed>((resolve) => {
    tellClosed = resolve;
  });
  const socket = sockets.dial(
    { subprotocol: 'ocpp1.6', handshakeTimeoutMs: 5_000, ...request },
    {
      opened: () => happened('opened'),
      received: (text) => happened(`received ${text}`),
      pong: () => happened('pong'),
      closed: (how) => {
        happened(`closed ${how.code}`);
        tellClosed(how);
      },
    },
  );
  return {
    socket,
    events,
    closed,
    next: (event) =>
      events.includes(event) ? Promise.resolve() : new Promise((resolve) => waiting.set(event, resolve)),
  };
}
