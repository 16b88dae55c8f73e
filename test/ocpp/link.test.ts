/** The link: when it dials, how it notices a dead socket, how it ends (design: The link). */
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_BACK_OFF, retryDelayMs } from '../../src/core/retry.ts';
import { Link, type LinkOptions, type LinkSettings } from '../../src/ocpp/link.ts';
import type { SocketClosed } from '../../src/ports.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';
import { BROKEN, FakeSockets, httpStatus, REFUSED } from './support/fake-sockets.ts';
import { RecordingLog } from './support/recording-log.ts';

const URL_A = 'ws://host/cp001';
const FRACTION = 0.5;

let clock: VirtualClock;
let sockets: FakeSockets;
let log: RecordingLog;
let settings: LinkSettings;
let story: string[];
let send: (text: string) => void;

function startLink(options: Partial<LinkOptions> = {}): Link {
  const link = new Link({
    sockets,
    clock,
    log,
    settings: () => settings,
    retryDelayMs: (retry) => retryDelayMs(DEFAULT_BACK_OFF, retry, FRACTION),
    onOpen: (given) => {
      story.push('open');
      send = given;
    },
    onText: (text) => story.push(`text ${text}`),
    onClose: (how: SocketClosed) => story.push(`close ${how.code}`),
    onFailure: (how) => story.push(`failure ${how.failure}`),
    ...options,
  });
  link.start();
  return link;
}

/** Gaps between the dials, in milliseconds. */
const gaps = (): number[] => sockets.dials.slice(1).map((dial, n) => dial.at - (sockets.dials[n]?.at ?? 0));

async function failDials(count: number, how: SocketClosed): Promise<void> {
  for (let n = 0; n < count; n++) {
    const before = sockets.dials.length;
    sockets.last.events.closed(how);
    while (sockets.dials.length === before) await clock.advance(50);
  }
}

beforeEach(() => {
  clock = new VirtualClock();
  sockets = new FakeSockets(() => clock.now());
  log = new RecordingLog();
  settings = { url: URL_A, pingIntervalS: 0 };
  story = [];
});

describe('dialling', () => {
  it('offers exactly ocpp1.6 and passes on the settings of the moment', () => {
    settings = { url: URL_A, pingIntervalS: 30, verifyHostname: false, certificateAuthorities: ['PEM'] };
    startLink();
    expect(sockets.last.request).toEqual({
      url: URL_A,
      verifyHostname: false,
      certificateAuthorities: ['PEM'],
      subprotocol: 'ocpp1.6',
      handshakeTimeoutMs: 20_000,
    });
  });

  it('backs off 1, 2, 4, 8, 16, 32, 60, 60 s and half of the random range', async () => {
    startLink();
    await failDials(8, REFUSED);
    expect(gaps()).toEqual([1500, 2500, 4500, 8500, 16_500, 32_500, 60_500, 60_500]);
    expect(story).toEqual(Array(8).fill('failure refused'));
  });

  it.each([401, 403, 404])('waits at least a minute after HTTP %i', async (status) => {
    startLink();
    await failDials(2, httpStatus(status));
    expect(gaps()).toEqual([60_500, 60_500]);
  });

  it('does not wait longer than usual after other statuses', async () => {
    startLink();
    await failDials(1, httpStatus(503));
    expect(gaps()).toEqual([1500]);
  });

  it('goes on backing off when a link opens but never settles', async () => {
    startLink();
    await failDials(3, REFUSED);
    sockets.last.events.opened();
    await failDials(1, BROKEN);
    expect(gaps().at(-1)).toBe(8500);
  });

  it('tries again within 300 ms after a settled link broke, then backs off from the start', async () => {
    const link = startLink();
    await failDials(5, REFUSED);
    sockets.last.events.opened();
    link.settled();
    await failDials(2, BROKEN);
    expect(gaps().slice(-2)).toEqual([150, 1500]);
  });

  it('gives up a dial that neither opens nor closes', async () => {
    startLink();
    const stuck = sockets.last;
    await clock.advance(seconds(25));
    expect(stuck.terminated).toBe(true);
    expect(story).toEqual(['failure timeout']);
    await clock.advance(seconds(2));
    expect(sockets.dials).toHaveLength(2);
  });

  it('ignores whatever an old socket still reports', async () => {
    startLink();
    const old = sockets.last;
    await failDials(1, REFUSED);
    sockets.last.events.opened();
    old.events.opened();
    old.events.received('old');
    old.events.closed(BROKEN);
    await clock.advance(seconds(1));
    expect(story).toEqual(['failure refused', 'open']);
    expect(sockets.dials).toHaveLength(2);
  });

  it('starts once, however often it is told', () => {
    startLink().start();
    expect(sockets.dials).toHaveLength(1);
  });
});

describe('the network', () => {
  it('is not dialled into while it is down, and at once when it is back', async () => {
    startLink();
    await failDials(6, REFUSED);
    const dials = sockets.dials.length;
    sockets.last.events.closed(REFUSED);
    sockets.cut();
    await clock.advance(seconds(600));
    expect(sockets.dials).toHaveLength(dials);
    sockets.restore();
    expect(sockets.dials).toHaveLength(dials + 1);
    await clock.advance(seconds(10));
    expect(sockets.dials).toHaveLength(dials + 1);
  });

  it('coming back ends the back-off', async () => {
    startLink();
    sockets.last.events.closed(httpStatus(404));
    sockets.restore();
    expect(gaps()).toEqual([0]);
  });

  it('coming back replaces a dial that began before, and leaves an open link alone', () => {
    startLink();
    sockets.restore();
    expect(sockets.dials).toHaveLength(2);
    expect(sockets.dials[0]?.terminated).toBe(true);
    sockets.last.events.opened();
    sockets.restore();
    expect(sockets.dials).toHaveLength(2);
    expect(story).toEqual(['open']);
  });
});

describe('an open link', () => {
  it('carries texts both ways', () => {
    const link = startLink();
    sockets.last.events.opened();
    expect(link.open).toBe(true);
    send('hello');
    sockets.last.events.received('world');
    expect(sockets.last.sent).toEqual(['hello']);
    expect(story).toEqual(['open', 'text world']);
  });

  it('sends nothing through a socket that is gone', async () => {
    startLink();
    sockets.last.events.opened();
    const old = { ...sockets.last, send };
    await failDials(1, BROKEN);
    sockets.last.events.opened();
    old.send('late');
    expect(sockets.dials.map((dial) => dial.sent)).toEqual([[], []]);
  });

  it('pings every WebSocketPingInterval, and lives as long as pongs come', async () => {
    settings = { ...settings, pingIntervalS: 30 };
    startLink();
    const { events, pings } = sockets.last;
    events.opened();
    for (let n = 0; n < 4; n++) {
      await clock.advance(seconds(30));
      events.pong();
    }
    expect(pings).toEqual([30_000, 60_000, 90_000, 120_000]);
    expect(story).toEqual(['open']);
  });

  it('is dropped after two missed pongs, 20 s after the first ping, however long the interval is', async () => {
    settings = { ...settings, pingIntervalS: 60 };
    startLink();
    sockets.last.events.opened();
    await clock.advance(seconds(79.9));
    expect(story).toEqual(['open']);
    await clock.advance(seconds(0.1));
    expect(story).toEqual(['open', 'close 1006']);
    expect(sockets.dials[0]?.terminated).toBe(true);
  });

  it('is dropped as soon with an interval shorter than the deadline', async () => {
    settings = { ...settings, pingIntervalS: 3 };
    startLink();
    sockets.last.events.opened();
    await clock.advance(seconds(23));
    expect(story).toEqual(['open', 'close 1006']);
  });

  it.each([0, 3600])('is noticed to be half-open with WebSocketPingInterval %i too', async (pingIntervalS) => {
    settings = { ...settings, pingIntervalS };
    startLink();
    sockets.last.events.opened();
    await clock.advance(seconds(139));
    expect(story).toEqual(['open']);
    await clock.advance(seconds(1));
    expect(story).toEqual(['open', 'close 1006']);
  });

  it('needs no ping of its own while the other side is heard', async () => {
    startLink();
    sockets.last.events.opened();
    for (let n = 0; n < 10; n++) {
      await clock.advance(seconds(100));
      sockets.last.events.received('x');
    }
    expect(sockets.last.pings).toEqual([]);
  });

  it('takes any frame for a sign of life, not only the pong', async () => {
    settings = { ...settings, pingIntervalS: 30 };
    startLink();
    sockets.last.events.opened();
    for (let n = 0; n < 20; n++) {
      await clock.advance(seconds(19));
      sockets.last.events.received('x');
    }
    expect(story).not.toContain('close 1006');
  });

  it('follows a changed interval at once', async () => {
    const link = startLink();
    sockets.last.events.opened();
    settings = { ...settings, pingIntervalS: 10 };
    link.pingIntervalChanged();
    await clock.advance(seconds(10));
    expect(sockets.last.pings).toEqual([10_000]);
    sockets.last.events.pong();
    settings = { ...settings, pingIntervalS: 0 };
    link.pingIntervalChanged();
    await clock.advance(seconds(60));
    expect(sockets.last.pings).toEqual([10_000]);
  });
});

describe('a link in doubt', () => {
  const proof = (link: Link): (() => boolean | undefined) => {
    let answer: boolean | undefined;
    void link.prove().then((alive) => {
      answer = alive;
    });
    return () => answer;
  };

  it('is pinged at once and dropped after 10 s of silence', async () => {
    const link = startLink();
    sockets.last.events.opened();
    const alive = proof(link);
    expect(sockets.last.pings).toEqual([0]);
    await clock.advance(seconds(9.9));
    expect([alive(), story]).toEqual([undefined, ['open']]);
    await clock.advance(seconds(0.1));
    expect([alive(), story]).toEqual([false, ['open', 'close 1006']]);
  });

  it.each(['pong', 'text'] as const)(
    'is alive at the first %s, and needs two missed pongs again to be dead',
    async (sign) => {
      const link = startLink();
      sockets.last.events.opened();
      const alive = proof(link);
      await clock.advance(seconds(5));
      if (sign === 'pong') sockets.last.events.pong();
      else sockets.last.events.received('x');
      await clock.advance(0);
      expect(alive()).toBe(true);
      await clock.advance(seconds(139));
      expect(story).not.toContain('close 1006');
    },
  );

  it('answers everybody who asked, also when the link closes meanwhile or is not there', async () => {
    const link = startLink();
    expect(await link.prove()).toBe(false);
    sockets.last.events.opened();
    const answers = [proof(link), proof(link)];
    sockets.last.events.closed(BROKEN);
    await clock.advance(0);
    expect(answers.map((answer) => answer())).toEqual([false, false]);
  });
});

describe('redial', () => {
  it('closes politely and dials at once with the new settings', async () => {
    const link = startLink();
    const old = sockets.last;
    old.events.opened();
    settings = { ...settings, url: 'wss://other/cp001' };
    link.redial('a new address');
    expect(old.closedWith).toEqual({ code: 1000, reason: 'a new address' });
    expect(sockets.dials).toHaveLength(1);
    old.events.closed({ code: 1000, reason: '' });
    expect(sockets.last.request.url).toBe('wss://other/cp001');
    expect(gaps()).toEqual([0]);
    expect(story).toEqual(['open', 'close 1000']);
  });

  it('does not wait for a close that never comes', async () => {
    const link = startLink();
    sockets.last.events.opened();
    link.redial('a new key');
    await clock.advance(seconds(2));
    expect(sockets.dials).toHaveLength(2);
    expect(story).toEqual(['open', 'close 1006']);
  });

  it('replaces a dial and a back-off, and begins the back-off anew', async () => {
    const link = startLink();
    link.redial('changed');
    expect(sockets.dials).toHaveLength(2);
    await failDials(5, REFUSED);
    sockets.last.events.closed(REFUSED);
    link.redial('changed');
    expect(gaps().at(-1)).toBe(0);
    await failDials(1, REFUSED);
    expect(gaps().at(-1)).toBe(1500);
  });

  it('of a stopped link does nothing', async () => {
    const link = startLink();
    await link.stop();
    link.redial('changed');
    expect(sockets.dials).toHaveLength(1);
  });

  it('from within onClose makes one socket, not two', async () => {
    const link: Link = startLink({ onClose: () => link.redial('changed') });
    sockets.last.events.opened();
    sockets.last.events.closed(BROKEN);
    await clock.advance(seconds(5));
    expect(sockets.dials).toHaveLength(2);
  });
});

describe('stop', () => {
  it('says goodbye with 1001 and resolves when the socket has closed', async () => {
    const link = startLink();
    sockets.last.events.opened();
    let stopped = false;
    const stopping = link.stop().then(() => {
      stopped = true;
    });
    expect(sockets.last.closedWith?.code).toBe(1001);
    await clock.advance(500);
    expect(stopped).toBe(false);
    sockets.last.events.closed({ code: 1001, reason: '' });
    await stopping;
    expect(story).toEqual(['open', 'close 1001']);
  });

  it('is bounded, and leaves no timer and no dial behind', async () => {
    const link = startLink();
    sockets.last.events.opened();
    const stopping = link.stop();
    await clock.advance(seconds(2));
    await stopping;
    sockets.restore();
    await clock.advance(seconds(600));
    expect(sockets.dials).toHaveLength(1);
    expect(clock.armed).toBe(0);
    expect(story).toEqual(['open', 'close 1006']);
  });

  it('ends a dial and a back-off at once', async () => {
    const dialling = startLink();
    await dialling.stop();
    const waiting = startLink();
    sockets.last.events.closed(REFUSED);
    await waiting.stop();
    expect(clock.armed).toBe(0);
    expect(story).toEqual(['failure refused']);
  });

  it('can be followed by a start before the socket has closed', async () => {
    const link = startLink();
    sockets.last.events.opened();
    const stopping = link.stop();
    link.start();
    sockets.last.events.closed({ code: 1001, reason: '' });
    await stopping;
    expect(sockets.dials).toHaveLength(2);
    expect(gaps()).toEqual([0]);
  });

  it('can be followed by another start', async () => {
    const link = startLink();
    await link.stop();
    link.start();
    expect(sockets.dials).toHaveLength(2);
  });
});

describe('the log', () => {
  it.each<[SocketClosed, RegExp]>([
    [httpStatus(401), /AuthorizationKey and identity/],
    [httpStatus(404), /path of the URL.*registered/],
    [httpStatus(400), /identity.*version/],
    [httpStatus(301), /redirect/],
    [httpStatus(502), /proxy/],
    [REFUSED, /host and port/],
    [{ failure: 'tls', code: 1006, reason: 'CERT_HAS_EXPIRED: the certificate has expired' }, /CERT_HAS_EXPIRED/],
    [{ failure: 'subprotocol', code: 1006, reason: '' }, /ocpp1\.6/],
    [{ code: 1008, reason: 'bad\r\nnews' }, /policy.*bad news/],
    [{ code: 4999, reason: '' }, /4999/],
  ])('says in one line why %j ended the link, what to do, and when it dials again', (how, words) => {
    startLink();
    if (how.failure === undefined) sockets.last.events.opened();
    sockets.last.events.closed(how);
    const [line, ...more] = log.messages('warn');
    expect(more).toEqual([]);
    expect(line).toMatch(words);
    expect(line).toMatch(/next dial in [\d.]+ s$/);
    expect(line).not.toMatch(/[\r\n]/);
  });
});
