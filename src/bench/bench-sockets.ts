/** The `link` input: real sockets behind a network that can be taken down. */
import type { DialRequest, Socket, SocketEvents, Sockets, Unsubscribe } from '../ports.ts';

export interface BenchSockets {
  readonly sockets: Sockets;
  /** `down` drops every connection at once, without a farewell; `up` lets whoever waits dial at once. */
  setLink(link: 'up' | 'down'): void;
}

export function benchSockets(inner: Sockets): BenchSockets {
  const open = new Set<Socket>();
  const listeners = new Set<() => void>();
  let up = true;

  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  inner.onReachable(() => {
    if (up) tell();
  });

  const dial = (request: DialRequest, events: SocketEvents): Socket => {
    let isClosed = false;
    const socket = inner.dial(request, {
      opened: (verified) => (verified === undefined ? events.opened() : events.opened(verified)),
      received: (text) => events.received(text),
      pong: () => events.pong(),
      closed: (how) => {
        isClosed = true;
        open.delete(socket);
        events.closed(how);
      },
    });
    if (!isClosed) open.add(socket);
    // Whoever dials without asking whether there is a network finds none.
    if (!up) socket.terminate();
    return socket;
  };

  return {
    sockets: {
      get reachable() {
        return up && inner.reachable;
      },
      onReachable(listener): Unsubscribe {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      dial,
    },
    setLink(link) {
      const wasUp = up;
      up = link === 'up';
      if (!up) for (const socket of [...open]) socket.terminate();
      else if (!wasUp && inner.reachable) tell();
    },
  };
}
