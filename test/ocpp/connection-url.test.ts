/** The connection URL (OCPP-J 1.6, section 3.1.1). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionUrl } from '../../src/ocpp/connection-url.ts';

describe('the connection URL', () => {
  it.each([
    ['ws://host:9000', 'ws://host:9000/cp001'],
    ['ws://host:9000/', 'ws://host:9000/cp001'],
    ['ws://host/steve/websocket/CentralSystemService/', 'ws://host/steve/websocket/CentralSystemService/cp001'],
    ['ws://host/ocpp?tenant=7', 'ws://host/ocpp/cp001?tenant=7'],
    ['wss://host/ocpp', 'ws://host/ocpp/cp001'],
  ])('of %s is %s', (endpoint, url) => {
    expect(connectionUrl(endpoint, 'cp001', false)).toBe(url);
  });

  it('is wss with TLS, and keeps the port', () => {
    expect(connectionUrl('ws://host:9000/ocpp', 'cp001', true)).toBe('wss://host:9000/ocpp/cp001');
  });

  it('holds any identity as one segment that decodes to it', () => {
    // A lone surrogate has no UTF-8, and `.` and `..` are no segments of a URL.
    const identity = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/^\.{1,2}$/.test(text));
    fc.assert(
      fc.property(identity, (name) => {
        const { pathname } = new URL(connectionUrl('ws://host/ocpp', name, false));
        expect(pathname.split('/').slice(0, -1)).toEqual(['', 'ocpp']);
        expect(decodeURIComponent(pathname.split('/').at(-1) ?? '')).toBe(name);
      }),
    );
  });
});
