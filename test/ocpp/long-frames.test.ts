/** Long frames are read over several turns; nobody else may notice. */
import { beforeEach, describe, expect, it } from 'vitest';
import { operationOf } from '../../src/ocpp/messages/all.ts';
import { DataTransfer } from '../../src/ocpp/messages/core/data-transfer.ts';
import { Heartbeat } from '../../src/ocpp/messages/core/heartbeat.ts';
import { SendLocalList } from '../../src/ocpp/messages/local-auth-list/send-local-list.ts';
import { Peer } from '../../src/ocpp/peer.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { RecordingLog } from './support/recording-log.ts';

let clock: VirtualClock;
let sent: unknown[][];
let handled: string[];
let peer: Peer;

const attach = (): void => peer.attach((text) => sent.push(JSON.parse(text)));
const transfer = (id: string, length: number): string =>
  JSON.stringify([2, id, 'DataTransfer', { vendorId: id, data: 'x'.repeat(length) }]);

beforeEach(() => {
  clock = new VirtualClock();
  sent = [];
  handled = [];
  peer = new Peer({
    handlers: [
      DataTransfer.answeredBy(({ vendorId }) => {
        handled.push(vendorId);
        return { status: 'Accepted' };
      }),
      SendLocalList.answeredBy(({ localAuthorizationList = [] }) => {
        handled.push(`${localAuthorizationList.length} idTags`);
        return { status: 'Accepted' };
      }),
    ],
    known: operationOf,
    clock,
    random: { uuid: () => 'ours' },
    log: new RecordingLog(),
    wireLog: { frame: () => {} },
    callTimeoutMs: () => 30_000,
  });
  attach();
});

describe('a long frame', () => {
  it.each([20_000, 100_000, 1_000_000])('of %i characters is answered before what came behind it', async (length) => {
    peer.receive(transfer('long', length));
    peer.receive(transfer('short', 1));
    expect(handled).toEqual([]);
    await clock.advance(1);
    expect(handled).toEqual(['long', 'short']);
    expect(sent.map(([type, id]) => [type, id])).toEqual([
      [3, 'long'],
      [3, 'short'],
    ]);
  });

  it('does not keep the answer to a call of ours from its place', async () => {
    const call = peer.call(Heartbeat, {});
    peer.receive(transfer('long', 100_000));
    peer.receive('[3,"ours",{"currentTime":"2027-01-01T00:00:00Z"}]');
    await clock.advance(1);
    expect(await call).toEqual({ currentTime: '2027-01-01T00:00:00Z' });
    expect(handled).toEqual(['long']);
  });

  it('of a link that has gone meanwhile is forgotten, with what came behind it', async () => {
    peer.receive(transfer('long', 100_000));
    peer.receive(transfer('short', 1));
    peer.detach();
    attach();
    peer.receive(transfer('new', 1));
    await clock.advance(1);
    expect(handled).toEqual(['new']);
    expect(sent.map(([, id]) => id)).toEqual(['new']);
  });

  it('that is broken is answered like a short one', async () => {
    peer.receive(`[2,"broken","DataTransfer",{"vendorId":"v","data":"${'x'.repeat(100_000)}`);
    await clock.advance(1);
    expect(sent).toEqual([[4, 'broken', 'GenericError', 'not JSON', {}]]);
  });

  it('with 5,000 idTags comes to its handler whole', async () => {
    const localAuthorizationList = Array.from({ length: 5000 }, (_, n) => ({ idTag: `TAG${n}` }));
    const payload = { listVersion: 1, updateType: 'Differential', localAuthorizationList };
    peer.receive(JSON.stringify([2, 'list', 'SendLocalList', payload]));
    await clock.advance(1);
    expect(handled).toEqual(['5000 idTags']);
  });
});

describe('a flood of short frames behind a long one', () => {
  it.each([
    ['empty ones', ''],
    ['short ones', '1'],
  ])('is refused but for a thousand: %s', async (_, frame) => {
    peer.receive(transfer('long', 20_000));
    for (let n = 0; n < 20_000; n++) peer.receive(frame);
    expect(peer.counters.malformed).toBe(20_000 - 999);
    await clock.advance(1);
    expect(handled).toEqual(['long']);
  });
});

describe('a flood of long frames', () => {
  it('is refused where it would fill the memory, and the link lives on', async () => {
    for (let n = 0; n < 12; n++) peer.receive(transfer(`flood-${n}`, 1024 * 1024));
    expect(sent.every(([type, , code]) => type === 4 && code === 'InternalError')).toBe(true);
    expect(peer.counters.overflows).toBe(5);
    await clock.advance(1);
    expect(handled).toHaveLength(7);
    peer.receive(transfer('after', 1));
    expect(handled).toHaveLength(8);
  });
});
