/** The link of the bench over a network of one test socket. */
import { describe, expect, it } from 'vitest';
import { benchSockets } from '../../src/bench/bench-sockets.ts';
import type { DialRequest, SocketEvents, Sockets } from '../../src/ports.ts';

const REQUEST: DialRequest = { url: 'ws://127.0.0.1/x', subprotocol: 'ocpp1.6', handshakeTimeoutMs: 1000 };

const setUp = () => {
  const seen: string[] = [];
  let events: SocketEvents | undefined;
  const inner: Sockets = {
    reachable: true,
    onReachable: () => () => {},
    dial: (_request, given) => {
      events = given;
      seen.push('dialled');
      return {
        send: (text) => seen.push(`sent ${text}`),
        ping: () => {},
        close: (code) => seen.push(`close ${code}`),
        terminate: () => {
          seen.push('terminated');
          given.closed({ code: 1006, reason: '' });
        },
      };
    },
  };
  const listener: SocketEvents = {
    opened: () => seen.push('opened'),
    received: (text) => seen.push(`received ${text}`),
    pong: () => {},
    closed: ({ code }) => seen.push(`closed ${code}`),
  };
  return { ...benchSockets(inner), seen, listener, inside: () => events };
};

describe('the link of the bench', () => {
  it('is the network itself while it is up', () => {
    const { sockets, seen, listener, inside } = setUp();
    const socket = sockets.dial(REQUEST, listener);
    inside()?.opened();
    inside()?.received('a');
    socket.send('b');
    expect(sockets.reachable).toBe(true);
    expect(seen).toEqual(['dialled', 'opened', 'received a', 'sent b']);
  });

  it('hands on which chain was verified, so that the root in use is known on a bench too', () => {
    const { sockets, listener, inside } = setUp();
    const chains: unknown[] = [];
    sockets.dial(REQUEST, { ...listener, opened: (verified) => chains.push(verified) });
    inside()?.opened(['server', 'root']);
    expect(chains).toEqual([['server', 'root']]);
  });

  it('drops every connection without a farewell when it goes down, once', () => {
    const { sockets, setLink, seen, listener } = setUp();
    sockets.dial(REQUEST, listener);
    setLink('down');
    setLink('down');
    expect(sockets.reachable).toBe(false);
    expect(seen).toEqual(['dialled', 'terminated', 'closed 1006']);
  });

  it('tells who waits as soon as it is up again, and only then', () => {
    const { sockets, setLink } = setUp();
    let told = 0;
    const unsubscribe = sockets.onReachable(() => {
      told += 1;
      expect(sockets.reachable).toBe(true);
    });
    setLink('up');
    setLink('down');
    expect(told).toBe(0);
    setLink('up');
    expect(told).toBe(1);
    unsubscribe();
    setLink('down');
    setLink('up');
    expect(told).toBe(1);
  });

  it('lets nobody through who dials while it is down', () => {
    const { sockets, setLink, seen, listener } = setUp();
    setLink('down');
    sockets.dial(REQUEST, listener);
    expect(seen).toEqual(['dialled', 'terminated', 'closed 1006']);
  });
});
