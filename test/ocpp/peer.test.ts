/** The RPC layer: our calls, the other side's calls, and whatever else comes over the wire. */
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { CallError, CallFailure } from '../../src/errors.ts';
import { operationOf } from '../../src/ocpp/messages/all.ts';
import { BootNotification } from '../../src/ocpp/messages/core/boot-notification.ts';
import { ChangeConfiguration } from '../../src/ocpp/messages/core/change-configuration.ts';
import { DataTransfer } from '../../src/ocpp/messages/core/data-transfer.ts';
import { Heartbeat } from '../../src/ocpp/messages/core/heartbeat.ts';
import { Reset } from '../../src/ocpp/messages/core/reset.ts';
import { StatusNotification } from '../../src/ocpp/messages/core/status-notification.ts';
import { TriggerMessage } from '../../src/ocpp/messages/remote-trigger/trigger-message.ts';
import type { Handler } from '../../src/ocpp/operation.ts';
import { Peer, type PeerOptions } from '../../src/ocpp/peer.ts';
import { settle, VirtualClock } from '../sim/virtual-clock.ts';
import { RecordingLog } from './support/recording-log.ts';

const TIMEOUT_MS = 30_000;
const NOW = '2026-01-05T08:00:00Z';
const BOOT = { chargePointVendor: 'Acme', chargePointModel: 'Pi' };
const BOOT_CONF = { status: 'Accepted', currentTime: NOW, interval: 300 } as const;

let clock: VirtualClock;
let log: RecordingLog;
let sent: unknown[][];
let wire: string[];

function makePeer(options: Partial<PeerOptions> = {}): Peer {
  let n = 0;
  return new Peer({
    handlers: [],
    known: operationOf,
    clock,
    random: { uuid: () => `id-${++n}` },
    log,
    wireLog: { frame: (direction, text) => wire.push(`${direction} ${text}`) },
    callTimeoutMs: () => TIMEOUT_MS,
    ...options,
  });
}

const attach = (peer: Peer): void => peer.attach((text) => sent.push(JSON.parse(text)));

function attached(options: Partial<PeerOptions> = {}): Peer {
  const peer = makePeer(options);
  attach(peer);
  return peer;
}

/** The way a call ended: its confirmation or the code of its failure. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    return error instanceof CallFailure ? error.code : error;
  }
}

const actions = (): unknown[] => sent.map((frame) => frame[2]);
const receive = (peer: Peer, message: unknown): void => peer.receive(JSON.stringify(message));

beforeEach(() => {
  clock = new VirtualClock();
  log = new RecordingLog();
  sent = [];
  wire = [];
});

describe('our calls', () => {
  it('go out as a CALL and end with the confirmation', async () => {
    const peer = attached();
    const call = peer.call(BootNotification, BOOT);
    expect(sent).toEqual([[2, 'id-1', 'BootNotification', BOOT]]);
    receive(peer, [3, 'id-1', BOOT_CONF]);
    expect(await call).toEqual(BOOT_CONF);
  });

  it('are in flight one at a time, in the order of asking', async () => {
    const peer = attached();
    const calls = [1, 2, 3].map((n) => outcome(peer.call(DataTransfer, { vendorId: `v${n}` })));
    expect(sent).toHaveLength(1);
    receive(peer, [3, 'id-1', { status: 'Accepted' }]);
    expect(sent).toHaveLength(2);
    receive(peer, [4, 'id-2', 'GenericError', '', {}]);
    expect(sent).toHaveLength(3);
    receive(peer, [3, 'id-3', { status: 'Rejected' }]);
    expect(sent.map((frame) => frame[3])).toEqual([{ vendorId: 'v1' }, { vendorId: 'v2' }, { vendorId: 'v3' }]);
    expect(await Promise.all(calls)).toEqual([{ status: 'Accepted' }, 'callError', { status: 'Rejected' }]);
  });

  describe('that wait', () => {
    const LANES = ['rest', 'fact', 'urgent'] as const;
    const said = (): unknown[] => sent.map((frame) => (frame[3] as { vendorId?: string }).vendorId ?? frame[2]);
    const ask = (peer: Peer): void => {
      for (const n of [1, 2])
        for (const lane of LANES) void outcome(peer.call(DataTransfer, { vendorId: `${lane} ${n}` }, { lane }));
    };

    it('go in the order of asking, but urgent ones first, while the other side answers', () => {
      const peer = attached();
      void outcome(peer.call(Heartbeat, {}));
      ask(peer);
      for (let n = 1; n <= 7; n++) receive(peer, [4, `id-${n}`, 'GenericError', '', {}]);
      expect(said()).toEqual(['Heartbeat', 'urgent 1', 'urgent 2', 'rest 1', 'fact 1', 'rest 2', 'fact 2']);
    });

    it('go with facts before the rest once a call had no answer in time, until one is answered again', async () => {
      const peer = attached();
      void outcome(peer.call(Heartbeat, {}));
      ask(peer);
      await clock.advance(3 * TIMEOUT_MS);
      expect(said()).toEqual(['Heartbeat', 'urgent 1', 'urgent 2', 'fact 1']);
      receive(peer, [4, 'id-4', 'GenericError', '', {}]);
      expect(said().at(-1)).toBe('rest 1');
    });
  });

  it('fail with `timeout`, counted from sending and not from asking', async () => {
    const peer = attached();
    const first = outcome(peer.call(Heartbeat, {}));
    const second = outcome(peer.call(Heartbeat, {}, { timeoutMs: 5_000 }));
    await clock.advance(TIMEOUT_MS - 1);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(await first).toBe('timeout');
    expect(sent).toHaveLength(2);
    await clock.advance(4_999);
    receive(peer, [3, 'id-2', { currentTime: NOW }]);
    expect(await second).toEqual({ currentTime: NOW });
    expect(clock.armed).toBe(0);
  });

  it('fail with `timeout` only once the link has proved alive; until then an answer counts and nothing else is sent', async () => {
    let prove: (alive: boolean) => void = () => {};
    const peer = attached({ proveLink: () => new Promise((resolve) => (prove = resolve)) });
    const calls = [1, 2, 3].map(() => outcome(peer.call(Heartbeat, {})));
    await clock.advance(TIMEOUT_MS + 5000);
    expect(sent).toHaveLength(1);
    receive(peer, [3, 'id-1', { currentTime: NOW }]);
    prove(true);
    expect(await calls[0]).toEqual({ currentTime: NOW });
    await clock.advance(TIMEOUT_MS);
    expect(sent).toHaveLength(2);
    prove(true);
    expect(await calls[1]).toBe('timeout');
    await clock.advance(TIMEOUT_MS);
    prove(false);
    expect(await calls[2]).toBe('disconnected');
    expect(sent).toHaveLength(3);
  });

  it('fail at once without a link', async () => {
    const peer = makePeer();
    expect(await outcome(peer.call(Heartbeat, {}))).toBe('disconnected');
    attach(peer);
    expect(sent).toEqual([]);
  });

  it('all fail when the link goes away, and none is sent on the next one', async () => {
    const peer = attached();
    const calls = [1, 2, 3].map(() => outcome(peer.call(Heartbeat, {})));
    peer.detach();
    expect(await Promise.all(calls)).toEqual(['disconnected', 'disconnected', 'disconnected']);
    attach(peer);
    expect(sent).toHaveLength(1);
    expect(clock.armed).toBe(0);
  });

  it('fail with `disconnected` when the socket throws', async () => {
    const peer = makePeer();
    peer.attach(() => {
      throw new Error('not open');
    });
    expect(await outcome(peer.call(Heartbeat, {}))).toBe('disconnected');
  });

  it('fail with `badRequest`, unsent and logged, when we made them wrong', async () => {
    const peer = attached();
    expect(await outcome(peer.call(BootNotification, { ...BOOT, chargePointModel: 'x'.repeat(21) }))).toBe(
      'badRequest',
    );
    expect(sent).toEqual([]);
    expect(log.messages('error')).toHaveLength(1);
  });

  it('fail with `badReply` when the confirmation does not fit, and the next one goes on', async () => {
    const peer = attached();
    const first = outcome(peer.call(BootNotification, BOOT));
    void outcome(peer.call(Heartbeat, {}));
    receive(peer, [3, 'id-1', { status: 'Perhaps', currentTime: NOW, interval: 1 }]);
    expect(await first).toBe('badReply');
    expect(actions()).toEqual(['BootNotification', 'Heartbeat']);
  });

  it('carry the code of a CALLERROR, whatever it is', async () => {
    const peer = attached();
    const call = peer.call(Heartbeat, {}).catch((error: unknown) => error);
    receive(peer, [4, 'id-1', 'RpcFrameworkError', 'Call already in progress']);
    expect(await call).toMatchObject({ code: 'callError', remoteCode: 'RpcFrameworkError' });
  });

  it.each([
    ['null', [3, 'id-1', null]],
    ['nothing', [3, 'id-1']],
  ])('take %s for an empty confirmation', async (_what, frame) => {
    const peer = attached();
    const call = peer.call(StatusNotification, { connectorId: 0, errorCode: 'NoError', status: 'Available' });
    receive(peer, frame);
    expect(await call).toEqual({});
  });
});

describe('an answer that comes too late', () => {
  it('still reaches the one who asked, once', async () => {
    const peer = attached();
    const late: unknown[] = [];
    const call = outcome(peer.call(Heartbeat, {}, { onLate: (confirmation) => late.push(confirmation) }));
    await clock.advance(TIMEOUT_MS);
    expect(await call).toBe('timeout');
    receive(peer, [3, 'id-1', { currentTime: NOW }]);
    receive(peer, [3, 'id-1', { currentTime: NOW }]);
    expect(late).toEqual([{ currentTime: NOW }]);
    expect(peer.counters).toMatchObject({ lateAnswers: 1, unknownAnswers: 1 });
  });

  it('reaches him on the next link too', async () => {
    const peer = attached();
    const late: unknown[] = [];
    const call = outcome(peer.call(Heartbeat, {}, { onLate: (confirmation) => late.push(confirmation) }));
    peer.detach();
    expect(await call).toBe('disconnected');
    attach(peer);
    receive(peer, [3, 'id-1', { currentTime: NOW }]);
    expect(late).toEqual([{ currentTime: NOW }]);
  });

  it('does not disturb the call in flight', async () => {
    const peer = attached();
    void outcome(peer.call(Heartbeat, {}));
    const second = outcome(peer.call(Heartbeat, {}));
    await clock.advance(TIMEOUT_MS);
    receive(peer, [3, 'id-1', { currentTime: '2001-01-01T00:00:00Z' }]);
    receive(peer, [3, 'id-2', { currentTime: NOW }]);
    expect(await second).toEqual({ currentTime: NOW });
  });

  it('is forgotten in the end', async () => {
    const peer = attached();
    for (let n = 0; n < 100; n++) {
      void outcome(peer.call(Heartbeat, {}));
      await clock.advance(TIMEOUT_MS);
    }
    receive(peer, [3, 'id-1', { currentTime: NOW }]);
    receive(peer, [3, 'id-100', { currentTime: NOW }]);
    expect(peer.counters).toMatchObject({ lateAnswers: 1, unknownAnswers: 1 });
  });
});

const resetHandler = (answer: () => 'Accepted' | 'Rejected' = () => 'Accepted'): Handler =>
  Reset.answeredBy(() => ({ status: answer() }));

describe("the other side's calls", () => {
  it('are answered with the id they came with', async () => {
    const peer = attached({ handlers: [resetHandler()] });
    receive(peer, [2, 4711, 'Reset', { type: 'Soft' }]);
    receive(peer, [2, '\u{1F50C} any string', 'Reset', { type: 'Soft' }]);
    await settle();
    expect(sent).toEqual([
      [3, 4711, { status: 'Accepted' }],
      [3, '\u{1F50C} any string', { status: 'Accepted' }],
    ]);
  });

  it('are answered while a call of ours is in flight', async () => {
    const peer = attached({ handlers: [resetHandler()] });
    void outcome(peer.call(Heartbeat, {}));
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    await settle();
    expect(sent.at(-1)).toEqual([3, 'a', { status: 'Accepted' }]);
  });

  it('are handled one at a time, in order', async () => {
    const finish: (() => void)[] = [];
    const begun: string[] = [];
    const handler = DataTransfer.answeredBy(({ vendorId }) => {
      begun.push(vendorId);
      return new Promise((resolve) => finish.push(() => resolve({ status: 'Accepted' })));
    });
    const peer = attached({ handlers: [handler] });
    for (const id of ['a', 'b', 'c']) receive(peer, [2, id, 'DataTransfer', { vendorId: id }]);
    await settle();
    expect(begun).toEqual(['a']);
    for (let n = 0; n < 3; n++) {
      finish.shift()?.();
      await settle();
    }
    expect(sent.map((frame) => frame[1])).toEqual(['a', 'b', 'c']);
  });

  it('have their effects after the answer is on the wire', async () => {
    const story: string[] = [];
    const handler = Reset.answeredBy((_request, answering) => {
      answering.afterwards(() => story.push('effect'));
      story.push('handled');
      return { status: 'Accepted' };
    });
    const peer = makePeer({ handlers: [handler] });
    peer.attach(() => story.push('answered'));
    receive(peer, [2, 'a', 'Reset', { type: 'Hard' }]);
    await settle();
    expect(story).toEqual(['handled', 'answered', 'effect']);
  });

  it('have no effect when the answer became a CALLERROR or could not be sent', async () => {
    let effects = 0;
    const handler = Reset.answeredBy((_request, answering) => {
      answering.afterwards(() => effects++);
      throw new CallError('GenericError', 'no');
    });
    receive(attached({ handlers: [handler] }), [2, 'a', 'Reset', { type: 'Hard' }]);
    await settle();
    const patient = Reset.answeredBy(async (_request, answering) => {
      answering.afterwards(() => effects++);
      return { status: 'Accepted' };
    });
    const peer = attached({ handlers: [patient] });
    receive(peer, [2, 'b', 'Reset', { type: 'Hard' }]);
    peer.detach();
    attach(peer);
    await settle();
    expect(effects).toBe(0);
    expect(sent.map((frame) => frame[0])).toEqual([4]);
  });

  describe('with something that is to happen in any case', () => {
    const accepted = { status: 'Accepted' } as const;
    const inTwoMinutes = <T>(value: T): Promise<T> =>
      new Promise((resolve) => clock.after(120_000, () => resolve(value)));

    type Answer = Parameters<typeof Reset.answeredBy>[0];
    const WAYS: readonly [string, Answer, answered: boolean, ((peer: Peer) => unknown)?][] = [
      ['is answered', () => accepted, true],
      ['is answered late, when the link has gone', async () => accepted, false, (peer) => peer.detach()],
      ['is answered late, on another link', async () => accepted, false, attach],
      ['becomes a CALLERROR', () => Promise.reject(new CallError('GenericError', 'no')), false],
      ['is answered with what does not fit', () => ({ status: 'Maybe' }) as never, false],
      ['is answered after nobody waits any more', () => inTwoMinutes(accepted), false],
    ];

    it.each(WAYS)('it happens once, and knows whether one was answered that %s', async (_, answer, answered, then) => {
      const story: unknown[] = [];
      const handler = Reset.answeredBy((request, answering) => {
        answering.inAnyCase((wasAnswered) => story.push(wasAnswered));
        return answer(request, answering);
      });
      const peer = attached({ handlers: [handler] });
      receive(peer, [2, 'a', 'Reset', { type: 'Hard' }]);
      then?.(peer);
      await clock.advance(180_000);
      expect(story).toEqual([answered]);
    });

    it('it happens although the socket refuses the answer', async () => {
      const story: unknown[] = [];
      const handler = Reset.answeredBy((_, { inAnyCase }) => {
        inAnyCase((wasAnswered) => story.push(wasAnswered));
        return accepted;
      });
      const peer = makePeer({ handlers: [handler] });
      peer.attach(() => {
        throw new Error('closing');
      });
      receive(peer, [2, 'a', 'Reset', { type: 'Hard' }]);
      await settle();
      expect(story).toEqual([false]);
    });

    it('it happens at once, where it comes up after nobody waits any more', async () => {
      const story: unknown[] = [];
      const handler = Reset.answeredBy(async (_, { afterwards, inAnyCase }) => {
        await inTwoMinutes(undefined);
        inAnyCase((wasAnswered) => story.push(wasAnswered));
        afterwards(() => story.push('afterwards'));
        return accepted;
      });
      receive(attached({ handlers: [handler] }), [2, 'a', 'Reset', { type: 'Hard' }]);
      await clock.advance(180_000);
      expect(story).toEqual([false]);
    });

    it('it comes after the answer, in the order in which it was asked for', async () => {
      const story: string[] = [];
      const handler = Reset.answeredBy((_, { afterwards, inAnyCase }) => {
        inAnyCase(() => story.push('first'));
        afterwards(() => story.push('second'));
        inAnyCase(() => story.push('third'));
        return accepted;
      });
      const peer = makePeer({ handlers: [handler] });
      peer.attach(() => story.push('answered'));
      receive(peer, [2, 'a', 'Reset', { type: 'Hard' }]);
      await settle();
      expect(story).toEqual(['answered', 'first', 'second', 'third']);
    });
  });

  it('go on after an effect that throws', async () => {
    const handler = Reset.answeredBy((_request, answering) => {
      answering.afterwards(() => {
        throw new Error('mine');
      });
      return { status: 'Accepted' };
    });
    const peer = attached({ handlers: [handler] });
    receive(peer, [2, 'a', 'Reset', { type: 'Hard' }]);
    receive(peer, [2, 'b', 'Reset', { type: 'Hard' }]);
    await settle();
    expect(sent).toHaveLength(2);
    expect(log.messages('error')).toHaveLength(2);
  });

  it('are repaired first, and each repair is logged once', async () => {
    const values: string[] = [];
    const handler = ChangeConfiguration.answeredBy(({ value }) => {
      values.push(value);
      return { status: 'Accepted' };
    });
    const peer = attached({ handlers: [handler] });
    for (const id of ['a', 'b']) receive(peer, [2, id, 'ChangeConfiguration', { key: 'HeartbeatInterval', value: 60 }]);
    await settle();
    expect(values).toEqual(['60', '60']);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('that hang are answered InternalError after a minute, and the next has its turn', async () => {
    const hanging = DataTransfer.answeredBy(() => new Promise(() => {}));
    const peer = attached({ handlers: [hanging, resetHandler()] });
    receive(peer, [2, 'a', 'DataTransfer', { vendorId: 'v' }]);
    receive(peer, [2, 'b', 'Reset', { type: 'Soft' }]);
    await clock.advance(60_000);
    expect(sent).toEqual([
      [4, 'a', 'InternalError', 'internal error', {}],
      [3, 'b', { status: 'Accepted' }],
    ]);
    expect(clock.armed).toBe(0);
  });

  it('on a new link do not wait for a handler of the old one, whose answer is dropped', async () => {
    let finish = (): void => {};
    const slow = DataTransfer.answeredBy(
      () =>
        new Promise((resolve) => {
          finish = () => resolve({ status: 'Accepted' });
        }),
    );
    const peer = attached({ handlers: [slow, resetHandler()] });
    receive(peer, [2, 'a', 'DataTransfer', { vendorId: 'v' }]);
    attach(peer);
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    await settle();
    finish();
    await settle();
    expect(sent).toEqual([[3, 'a', { status: 'Accepted' }]]);
  });
});

describe('the table of CALLERRORs', () => {
  const handlers = (): Handler[] => [
    resetHandler(),
    DataTransfer.answeredBy(() => {
      throw new Error('our own failure');
    }),
    ChangeConfiguration.answeredBy(() => ({ status: 'Maybe' }) as never),
  ];

  it.each([
    ['NotImplemented', 'an action that OCPP 1.6 does not know', [2, 'a', 'MakeCoffee', {}]],
    ['NotImplemented', 'an action named like a member of every object', [2, 'a', '__proto__', {}]],
    ['NotSupported', 'an action that is known but not handled', [2, 'a', 'ClearCache', {}]],
    ['OccurenceConstraintViolation', 'a missing member', [2, 'a', 'Reset', {}]],
    ['TypeConstraintViolation', 'a member of the wrong type', [2, 'a', 'Reset', { type: 7 }]],
    ['PropertyConstraintViolation', 'a value not in the enumeration', [2, 'a', 'Reset', { type: 'Warm' }]],
    ['FormationViolation', 'a payload that is no object', [2, 'a', 'Reset', ['Soft']]],
    ['FormationViolation', 'a CALL with too few elements', [2, 'a', 'Reset']],
    ['FormationViolation', 'an unknown message type', [7, 'a', 'Reset', {}]],
    ['InternalError', 'a handler that throws', [2, 'a', 'DataTransfer', { vendorId: 'v' }]],
    [
      'InternalError',
      'a confirmation of ours that does not fit',
      [2, 'a', 'ChangeConfiguration', { key: 'k', value: 'v' }],
    ],
  ])('has %s for %s', async (code, _what, frame) => {
    const peer = attached({ handlers: handlers() });
    receive(peer, frame);
    await settle();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject([4, 'a', code, expect.any(String), {}]);
  });

  it('has a plain status instead, where there is one, for a word that a newer edition may know (section 5.17)', async () => {
    const invalid: string[] = [];
    const asked: string[] = [];
    const handler = TriggerMessage.answeredBy(({ requestedMessage }) => {
      asked.push(requestedMessage);
      return { status: 'Accepted' };
    });
    const peer = attached({ handlers: [handler], onInvalid: (what) => invalid.push(what) });
    for (const [id, request] of Object.entries({
      known: { requestedMessage: 'Heartbeat' },
      unknown: { requestedMessage: 'NewerNotification' },
      number: { requestedMessage: 7 },
      missing: {},
      wrong: { requestedMessage: 'Heartbeat', connectorId: 'one' },
    }))
      receive(peer, [2, id, 'TriggerMessage', request]);
    await settle();
    expect(sent.map(([, id, answer]) => [id, answer])).toEqual([
      ['known', { status: 'Accepted' }],
      ['unknown', { status: 'NotImplemented' }],
      ['number', 'TypeConstraintViolation'],
      ['missing', 'OccurenceConstraintViolation'],
      ['wrong', 'TypeConstraintViolation'],
    ]);
    expect([asked, invalid.length]).toEqual([['Heartbeat'], 3]);
  });

  it('has GenericError for broken JSON with an id, and silence for anything without one', async () => {
    const peer = attached({ handlers: handlers() });
    peer.receive('[2,"a","Reset",{"type"');
    for (const text of ['nonsense', '{}', '[]', '[2,"","Reset",{}]', '[3,"a",', '']) peer.receive(text);
    await settle();
    expect(sent).toEqual([[4, 'a', 'GenericError', expect.any(String), {}]]);
    expect(peer.counters.malformed).toBe(6);
  });

  it('hides what went wrong inside from the other side, and logs it', async () => {
    const peer = attached({ handlers: handlers() });
    receive(peer, [2, 'a', 'DataTransfer', { vendorId: 'v' }]);
    await settle();
    expect(JSON.stringify(sent)).not.toContain('our own failure');
    expect(log.lines.find(({ level }) => level === 'error')?.fields['cause']).toMatchObject({
      message: 'our own failure',
    });
  });

  it('passes on the code and the details of a CallError, even when they cannot be sent', async () => {
    const round: Record<string, unknown> = {};
    round['self'] = round;
    const details = [{ because: 'x' }, round];
    const handler = Reset.answeredBy(() => {
      throw new CallError('SecurityError', 'no', details.shift() ?? {});
    });
    const peer = attached({ handlers: [handler] });
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    receive(peer, [2, 'b', 'Reset', { type: 'Soft' }]);
    await settle();
    expect(sent).toEqual([
      [4, 'a', 'SecurityError', 'no', { because: 'x' }],
      [4, 'b', 'SecurityError', 'no', {}],
    ]);
  });

  it('refuses a second call with the id of one that is being handled', async () => {
    const peer = attached({ handlers: [resetHandler()] });
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    await settle();
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    await settle();
    expect(sent.map((frame) => frame[2])).toEqual(['ProtocolError', { status: 'Accepted' }, { status: 'Accepted' }]);
  });

  it('refuses to start with two handlers for one action', () => {
    expect(() => makePeer({ handlers: [resetHandler(), resetHandler()] })).toThrow('Reset');
  });
});

describe('while registration is rejected (OCPP 1.6 section 4.2)', () => {
  it('no call gets an answer, well-formed or not, and our own calls go on', async () => {
    const peer = attached({ handlers: [resetHandler()], gate: { mayAnswer: () => 'silence' } });
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    receive(peer, [2, 'b', 'MakeCoffee', {}]);
    receive(peer, [2, 'c']);
    peer.receive('[2,"d","Reset",{');
    await settle();
    expect(sent).toEqual([]);
    const boot = outcome(peer.call(BootNotification, BOOT));
    receive(peer, [3, 'id-1', BOOT_CONF]);
    expect(await boot).toEqual(BOOT_CONF);
  });
});

describe('hostile traffic', () => {
  it('in a flood is answered up to a bound and refused beyond it', async () => {
    const hanging = DataTransfer.answeredBy(() => new Promise(() => {}));
    const peer = attached({ handlers: [hanging] });
    for (let n = 0; n < 5_000; n++) receive(peer, [2, n, 'DataTransfer', { vendorId: 'v' }]);
    await settle();
    expect(sent).toHaveLength(3_999);
    expect(sent.every((frame) => frame[0] === 4 && frame[2] === 'InternalError')).toBe(true);
    expect(peer.counters.overflows).toBe(3_999);
  });

  it('of large frames is bounded by size', () => {
    const hanging = DataTransfer.answeredBy(() => new Promise(() => {}));
    const peer = attached({ handlers: [hanging] });
    const data = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 20; n++) receive(peer, [2, n, 'DataTransfer', { vendorId: 'v', data }]);
    expect(peer.counters.overflows).toBeGreaterThanOrEqual(11);
  });

  it('never makes the peer throw, and never makes it send anything but well-formed answers', async () => {
    const id = fc.oneof(fc.string({ maxLength: 5 }), fc.integer(), fc.constant('id-1'), fc.jsonValue());
    const action = fc.oneof(fc.constantFrom('Reset', 'DataTransfer', 'ClearCache', '__proto__'), fc.jsonValue());
    const message = fc.oneof(
      fc.tuple(fc.constantFrom<unknown>(2, 3, 4, 5, '2', null), id, action, fc.jsonValue()),
      fc.tuple(fc.constantFrom(3, 4), id, fc.jsonValue()),
      fc.array(fc.jsonValue()),
    );
    const frame = message.map((value) => JSON.stringify(value));
    const broken = fc.tuple(frame, fc.nat(40)).map(([text, length]) => text.slice(0, length));
    const texts = fc.array(fc.oneof(frame, broken, fc.string(), fc.json()), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(texts, async (all) => {
        sent = [];
        const handler = DataTransfer.answeredBy(() => ({ status: 'Accepted' }));
        const peer = attached({ handlers: [resetHandler(), handler] });
        const call = outcome(peer.call(Heartbeat, {}));
        for (const text of all) peer.receive(text);
        await settle();
        peer.detach();
        await call;
        const [own, ...answers] = sent;
        expect(own?.[0]).toBe(2);
        for (const answer of answers) {
          expect([3, 4]).toContain(answer[0]);
          expect(['string', 'number']).toContain(typeof answer[1]);
          expect(answer).toHaveLength(answer[0] === 3 ? 3 : 5);
        }
        expect(answers.length).toBeLessThanOrEqual(all.length);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the wire log', () => {
  it('sees every frame in both directions', async () => {
    const peer = attached({ handlers: [resetHandler()] });
    receive(peer, [2, 'a', 'Reset', { type: 'Soft' }]);
    await settle();
    expect(wire).toEqual(['rx [2,"a","Reset",{"type":"Soft"}]', 'tx [3,"a",{"status":"Accepted"}]']);
  });

  it('sees nothing of a link that is gone', () => {
    const peer = attached();
    peer.detach();
    peer.receive('[2,"a","Reset",{}]');
    expect(wire).toEqual([]);
  });
});

describe('two peers, one on each side', () => {
  it('talk to each other', async () => {
    const station = makePeer({ handlers: [resetHandler()] });
    const central = makePeer({ handlers: [Heartbeat.answeredBy(() => ({ currentTime: NOW }))] });
    station.attach((text) => central.receive(text));
    central.attach((text) => station.receive(text));
    expect(await station.call(Heartbeat, {})).toEqual({ currentTime: NOW });
    expect(await central.call(Reset, { type: 'Hard' })).toEqual({ status: 'Accepted' });
  });
});
