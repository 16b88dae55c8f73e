/** The central system of the bench against our own peer on the other side, in memory and once over a loopback port. */
import { afterEach, describe, expect, it } from 'vitest';
import { startCentralSystem } from '../../src/bench/central-system.ts';
import { CentralSystemLogic, type StationLink } from '../../src/bench/central-system-logic.ts';
import { askJson } from '../../src/bench/json-client.ts';
import { OPERATIONS, operationOf } from '../../src/ocpp/messages/all.ts';
import { ClearCache } from '../../src/ocpp/messages/core/clear-cache.ts';
import type { Handler } from '../../src/ocpp/operation.ts';
import { Peer } from '../../src/ocpp/peer.ts';
import { platformClock } from '../../src/platform/clock.ts';
import { nodeRandom } from '../../src/platform/random.ts';
import { serveWebSockets } from '../../src/platform/web-socket-server.ts';
import { WebSockets } from '../../src/platform/web-sockets.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';

const noWireLog = { frame: () => {} };
const clearCache: Handler = ClearCache.answeredBy(() => ({ status: 'Accepted' }));

const NOW = '2026-01-05T08:00:00.000Z';
const START = { connectorId: 1, idTag: 'A', meterStart: 5, timestamp: NOW };

const peerOf = (clock: VirtualClock, handlers: readonly Handler[] = [clearCache]) =>
  new Peer({
    handlers,
    known: operationOf,
    clock,
    random: nodeRandom,
    log: silentLog,
    wireLog: noWireLog,
    callTimeoutMs: () => 1000,
  });

const setUp = () => {
  const clock = new VirtualClock();
  const logic = new CentralSystemLogic({ clock, random: nodeRandom, log: silentLog, wireLog: noWireLog });
  const connect = (identity = 'cp001') => {
    const station = peerOf(clock);
    const link: StationLink = logic.connect(identity, (text) => queueMicrotask(() => station.receive(text)));
    station.attach((text) => queueMicrotask(() => link.receive(text)));
    const call = (action: string, payload: unknown): Promise<unknown> => {
      const operation = operationOf(action);
      if (operation === undefined) throw new Error(`no operation ${action}`);
      return station.call(operation, payload);
    };
    return { call, link };
  };
  return { clock, logic, connect };
};

/** One good request for everything that a charge point may call. */
const REQUESTS: Readonly<Record<string, unknown>> = {
  Authorize: { idTag: 'A' },
  BootNotification: { chargePointVendor: 'Acme', chargePointModel: 'Pi' },
  DataTransfer: { vendorId: 'Acme' },
  DiagnosticsStatusNotification: { status: 'Idle' },
  FirmwareStatusNotification: { status: 'Idle' },
  Heartbeat: {},
  LogStatusNotification: { status: 'Idle' },
  MeterValues: { connectorId: 1, meterValue: [{ timestamp: NOW, sampledValue: [{ value: '1' }] }] },
  SecurityEventNotification: { type: 'StartupOfTheDevice', timestamp: NOW },
  SignCertificate: { csr: 'x' },
  SignedFirmwareStatusNotification: { status: 'Idle' },
  StartTransaction: START,
  StatusNotification: { connectorId: 1, errorCode: 'NoError', status: 'Available' },
  StopTransaction: { transactionId: 1, meterStop: 9, timestamp: NOW },
};

describe('the central system of the bench', () => {
  const calls = OPERATIONS.map(({ operation }) => operation).filter(({ initiator }) => initiator !== 'CentralSystem');

  it.each(calls.map(({ action }) => action))('answers %s', async (action) => {
    const { connect, logic } = setUp();
    const told: string[] = [];
    logic.onTold((each) => told.push(`${each.identity} ${each.action}`));
    await expect(connect().call(action, REQUESTS[action])).resolves.toBeTypeOf('object');
    expect(told).toEqual([`cp001 ${action}`]);
  });

  it('accepts a charge point and tells it the time', async () => {
    const { connect } = setUp();
    expect(await connect().call('BootNotification', REQUESTS['BootNotification'])).toEqual({
      status: 'Accepted',
      currentTime: NOW,
      interval: 300,
    });
  });

  it.each([
    ['A', 'Accepted'],
    ['BLOCKED1', 'Blocked'],
    ['expired', 'Expired'],
    ['INVALID', 'Invalid'],
  ])('says of the tag %s that it is %s', async (idTag, status) => {
    const { connect } = setUp();
    expect(await connect().call('Authorize', { idTag })).toEqual({ idTagInfo: { status } });
  });

  it('remembers what it was told', async () => {
    const { connect, logic } = setUp();
    const { call, link } = connect();
    for (const action of [
      'BootNotification',
      'StatusNotification',
      'StartTransaction',
      'MeterValues',
      'StopTransaction',
    ]) {
      await call(action, REQUESTS[action]);
    }
    await call('FirmwareStatusNotification', { status: 'Downloading' });
    link.closed();
    expect(logic.stations).toEqual([
      {
        identity: 'cp001',
        connected: false,
        lastSeen: NOW,
        boot: REQUESTS['BootNotification'],
        connectors: { '1': REQUESTS['StatusNotification'] },
        transactions: [{ transactionId: 1, start: START, stop: REQUESTS['StopTransaction'] }],
        meterValues: [REQUESTS['MeterValues']],
        notices: [{ at: NOW, action: 'FirmwareStatusNotification', payload: { status: 'Downloading' } }],
      },
    ]);
  });

  it('gives one transaction one id, however often it is told of it', async () => {
    const { connect } = setUp();
    const { call } = connect();
    expect(await call('StartTransaction', START)).toMatchObject({ transactionId: 1 });
    expect(await call('StartTransaction', START)).toMatchObject({ transactionId: 1 });
    expect(await call('StartTransaction', { ...START, meterStart: 6 })).toMatchObject({ transactionId: 2 });
  });

  it('forgets the oldest, so that nobody can fill its memory', async () => {
    const { connect, logic } = setUp();
    const { call, link } = connect();
    for (let n = 0; n < 600; n++) await call('MeterValues', { ...(REQUESTS['MeterValues'] as object), connectorId: n });
    for (let n = 0; n < 300; n++)
      await call('StatusNotification', { ...(REQUESTS['StatusNotification'] as object), connectorId: n });
    const [station] = logic.stations;
    expect(station?.meterValues).toHaveLength(500);
    expect(station?.meterValues.at(-1)?.connectorId).toBe(599);
    expect(Object.keys(station?.connectors ?? {})).toHaveLength(100);
    link.closed();
    for (let n = 0; n < 60; n++) connect(`other-${n}`).link.closed();
    expect(logic.stations).toHaveLength(50);
    expect(logic.stations.at(-1)?.identity).toBe('other-59');
  });

  it('calls a charge point', async () => {
    const { connect, logic } = setUp();
    connect();
    expect(await logic.call('cp001', 'ClearCache', {})).toEqual({ result: { status: 'Accepted' } });
  });

  it('says why a call came to nothing', async () => {
    const { connect, logic, clock } = setUp();
    expect(await logic.call('cp001', 'ClearCache', {})).toMatchObject({ code: 'disconnected' });
    const { link } = connect();
    expect(await logic.call('cp001', 'Reset', { type: 'Soft' })).toMatchObject({ code: 'NotSupported' });
    expect(await logic.call('cp001', 'Reset', { type: 'Medium' })).toMatchObject({ code: 'badRequest' });
    expect(await logic.call('cp001', 'Heartbeat', {})).toMatchObject({ code: 'badRequest' });
    expect(await logic.call('cp001', 'constructor', {})).toMatchObject({ code: 'badRequest' });
    const lost = logic.call('cp001', 'ClearCache', {});
    link.closed();
    expect(await lost).toMatchObject({ code: 'disconnected' });
    const silent = logic.connect('mute', () => {});
    const unanswered = logic.call('mute', 'ClearCache', {});
    await clock.advance(30_000);
    expect(await unanswered).toMatchObject({ code: 'timeout' });
    silent.closed();
  });

  it('knows only the newest connection of a charge point', async () => {
    const { connect, logic } = setUp();
    const first = connect();
    connect();
    first.link.closed();
    expect(logic.stations).toMatchObject([{ identity: 'cp001', connected: true }]);
    expect(await logic.call('cp001', 'ClearCache', {})).toEqual({ result: { status: 'Accepted' } });
  });
});

describe('the central system of the bench on its port', () => {
  const ended: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
  });

  it('speaks OCPP to charge points and HTTP to people, and says what it is for', async () => {
    const clock = platformClock('boot-1');
    const parts = { clock, random: nodeRandom, log: silentLog, wireLog: noWireLog };
    const { port, stop } = await startCentralSystem({ ...parts, port: 0, serve: serveWebSockets });
    ended.push(stop, () => clock.close());
    const station = new Peer({ ...parts, handlers: [clearCache], known: operationOf, callTimeoutMs: () => 1000 });
    await new Promise<void>((resolve) => {
      const request = { url: `ws://127.0.0.1:${port}/cp%20001`, subprotocol: 'ocpp1.6', handshakeTimeoutMs: 1000 };
      const socket = new WebSockets().dial(request, {
        opened: () => {
          station.attach((text) => socket.send(text));
          resolve();
        },
        received: (text) => station.receive(text),
        pong: () => {},
        closed: () => station.detach(),
      });
    });
    const call = (body: unknown) => askJson(port, 'POST', '/central-system/call', body);
    expect(await call({ identity: 'cp 001', action: 'ClearCache', payload: {} })).toEqual({
      status: 200,
      body: { result: { status: 'Accepted' } },
    });
    expect(await call({ identity: 'cp 001', action: 'Reset', payload: { type: 'Hard' } })).toMatchObject({
      status: 200,
      body: { error: expect.any(String), code: 'NotSupported' },
    });
    expect(await call({ action: 'ClearCache' })).toMatchObject({ status: 400 });
    expect(await call(7)).toMatchObject({ status: 400 });
    expect(await askJson(port, 'GET', '/central-system')).toMatchObject({
      status: 200,
      body: {
        purpose: expect.stringContaining('never for production'),
        stations: [{ identity: 'cp 001', connected: true }],
      },
    });
    expect(await askJson(port, 'GET', '/')).toMatchObject({ status: 404 });
  });
});
