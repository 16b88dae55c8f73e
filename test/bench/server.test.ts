/** The bench over HTTP on a loopback port, with the real mock board and an agent that is played. */
import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { createMockBoard, type MockBoardOptions } from '../../hal/mock/mock-board.ts';
import type { AgentView } from '../../src/agent.ts';
import { startBench } from '../../src/bench/server.ts';
import { platformClock } from '../../src/platform/clock.ts';
import type { Log } from '../../src/ports.ts';

type Json = Record<string, unknown>;

const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

const setUp = async (inputs: Json = {}, site: Pick<MockBoardOptions, 'gridConnection' | 'dimming'> = {}) => {
  const seen: string[] = [];
  const log: Log = {
    debug: () => {},
    info: () => {},
    warn: (_message, fields) => seen.push(`warn ${fields?.['path']}`),
    error: (message) => seen.push(message),
    child: () => log,
  };
  const clock = platformClock('boot-1');
  const board = createMockBoard({
    ...site,
    clock,
    log,
    connectors: [
      { id: 1, cable: 'socket' },
      { id: 2, cable: 'attached', maxA: 16, phases: 1 },
    ],
  });
  const bench = await startBench({
    config: { host: '127.0.0.1', port: 0, inputs },
    board,
    clock,
    log,
    storage: { fail: (on) => seen.push(`storage ${on}`) },
    link: { setLink: (link) => seen.push(`link ${link}`) },
  });
  ended.push(
    () => bench.stop(),
    () => clock.close(),
  );
  const ask = (method: string, path: string, options: { body?: string; headers?: Record<string, string> } = {}) =>
    new Promise<{ status: number; body: Json }>((resolve, reject) => {
      const sent = httpRequest(
        {
          host: '127.0.0.1',
          port: bench.port,
          method,
          path,
          headers: { 'content-type': 'application/json', ...options.headers },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Json }));
        },
      );
      sent.on('error', reject);
      sent.end(options.body);
    });
  const send = (method: string, path: string, body: unknown) => ask(method, path, { body: JSON.stringify(body) });
  const out = (body: Json, id = '1') => (body['connectors'] as Record<string, Json>)[id]?.['out'] as Json;
  return { bench, board, clock, seen, ask, send, out };
};

const charging = async () => {
  const world = await setUp({ connectors: { '1': { ev: { plugged: true, delayMs: 0, amps: 16 } } } });
  const { evse } = world.board.connectors[0] ?? {};
  const closed = new Promise<void>((resolve) => {
    evse?.onState(({ pilot, contactor }) => {
      if (contactor === 'closed') resolve();
      else if (pilot === 'C') evse.permit(true);
    });
  });
  evse?.offer(16);
  await closed;
  return world;
};

describe('GET /bench', () => {
  it('answers the document of the manual at power-up', async () => {
    const { ask, out } = await setUp();
    const { status, body } = await ask('GET', '/bench');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['now', 'clock', 'link', 'power', 'storage', 'firmware', 'out', 'connectors']);
    expect(body).toMatchObject({
      clock: { rate: 1, offsetMs: 0 },
      firmware: { result: 'ok', installMs: 1000, keepAvailable: false, reboot: true },
      out: { connected: false, boot: null, queue: 0 },
    });
    expect(body['now']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect((body['connectors'] as Json)['1']).toEqual({
      ev: {
        plugged: false,
        mode: 'auto',
        delayMs: 1000,
        amps: 32,
        phases: 1,
        vent: false,
        diode: true,
        end: 'cable',
        cableA: 32,
      },
      jam: null,
      temperatureC: 25,
      faults: {},
      meter: { wh: 0, watts: null, volts: 230, soc: 50, drop: false, serial: null },
      out: {
        pilot: 'A',
        pwm: 100,
        contactor: false,
        locked: false,
        amps: 0,
        watts: 0,
        phases: 3,
        status: 'Available',
        transaction: 'none',
        transactionId: null,
        limitA: 32,
        why: 'the agent is starting',
      },
    });
    expect(out(body, '2')).toMatchObject({ phases: 1, limitA: 16 });
  });

  it('shows what the agent says, once there is one', async () => {
    const { bench, ask, out } = await setUp();
    const connector = {
      status: 'Charging',
      transaction: 'online',
      transactionId: 7,
      limitA: 10.123,
      why: 'a profile',
    } as const;
    const view = {
      connected: true,
      boot: 'Accepted',
      queue: 3,
      connectors: [{ id: 1, ...connector }],
    } as const satisfies AgentView;
    bench.attach({ view: () => view, onChange: () => () => {} });
    const { body } = await ask('GET', '/bench');
    expect(body['out']).toEqual({ connected: true, boot: 'Accepted', queue: 3 });
    expect(out(body)).toMatchObject({ ...connector, limitA: 10.12 });
  });
});

describe('PATCH /bench', () => {
  it('returns the document with the outputs that follow from it', async () => {
    const { send, out } = await setUp();
    const { status, body } = await send('PATCH', '/bench', { connectors: { '1': { ev: { plugged: true } } } });
    expect(status).toBe(200);
    expect(out(body)).toMatchObject({ pilot: 'B', contactor: false });
  });

  it.each<[string, Json]>([
    ['a blocking fault', { connectors: { '1': { faults: { GroundFailure: { info: 'test' } } } } }],
    ['a missing diode', { connectors: { '1': { ev: { diode: false } } } }],
    ['a pulled plug', { connectors: { '1': { ev: { plugged: false } } } }],
    ['failing mains', { power: 'failing' }],
  ])('shows an open contactor in the very document that answers %s', async (_name, patch) => {
    const { ask, send, out } = await charging();
    expect(out((await ask('GET', '/bench')).body)).toMatchObject({ contactor: true, amps: 16, watts: 3680 });
    const { body } = await send('PATCH', '/bench', patch);
    expect(out(body)).toMatchObject({ contactor: false, amps: 0, watts: 0 });
  });

  it('answers within 50 ms, however restless the agent is', async () => {
    const { bench, clock, send } = await setUp();
    const view: AgentView = { connected: true, boot: null, queue: 0, connectors: [] };
    let change = () => {};
    bench.attach({
      view: () => view,
      onChange: (listener) => {
        change = listener;
        return () => {};
      },
    });
    let isOver = false;
    const fidget = (): void => {
      change();
      if (!isOver) clock.afterReal(2, fidget);
    };
    fidget();
    const before = clock.now();
    await send('PATCH', '/bench', { power: 'on' });
    isOver = true;
    // 50 ms are ours; the rest is what a busy test machine takes for itself.
    expect(clock.now() - before).toBeLessThan(500);
  });

  it('reaches link, storage, clock and firmware', async () => {
    const { bench, clock, seen, send } = await setUp();
    await send('PATCH', '/bench', {
      link: 'down',
      storage: 'fail',
      clock: { rate: 60, offsetMs: 5000 },
      firmware: { result: 'installFail' },
    });
    expect(seen).toEqual(['storage true', 'link down']);
    expect(clock.rate).toBe(60);
    expect(clock.offsetMs).toBe(5000);
    expect(bench.firmware.result).toBe('installFail');
  });

  it('raises a fault with its details and clears it', async () => {
    const { board, send } = await setUp();
    const details = { info: 'burnt', vendorErrorCode: 'E7', vendorId: 'Acme' };
    await send('PATCH', '/bench', { connectors: { '2': { faults: { PowerSwitchFailure: details } } } });
    expect(board.faults).toEqual([{ code: 'contactorStuckOpen', connectorId: 2, ...details }]);
    await send('PATCH', '/bench', { connectors: { '2': { faults: { PowerSwitchFailure: null } } } });
    expect(board.faults).toEqual([]);
  });

  it('declares a meter swap by setting the register, even to what it is', async () => {
    const { board, send } = await setUp();
    const serial = () => board.connector(1).observe().meterSerial;
    const first = serial();
    await send('PATCH', '/bench', { connectors: { '1': { meter: { volts: 240 } } } });
    expect(serial()).toBe(first);
    const { body } = await send('PATCH', '/bench', { connectors: { '1': { meter: { wh: 0 } } } });
    expect(serial()).not.toBe(first);
    expect(body['connectors']).toMatchObject({ '1': { meter: { wh: 0, volts: 240 } } });
  });

  it('changes nothing when it is refused', async () => {
    const { ask, send } = await setUp();
    const before = (await ask('GET', '/bench')).body;
    const answer = await send('PATCH', '/bench', { link: 'down', connectors: { '1': { out: { pilot: 'C' } } } });
    expect(answer).toEqual({ status: 400, body: { error: 'connectors.1.out is an output' } });
    const after = (await ask('GET', '/bench')).body;
    expect({ ...after, now: '' }).toEqual({ ...before, now: '' });
  });
});

describe('a bench in a house', () => {
  const inHouse = (inputs: Json = {}) => setUp(inputs, { gridConnection: true, dimming: true });

  it('shows what the house draws and the contact of the grid operator, before the outputs', async () => {
    const { ask } = await inHouse();
    const { body } = await ask('GET', '/bench');
    expect(Object.keys(body)).toEqual([
      'now',
      'clock',
      'link',
      'power',
      'storage',
      'firmware',
      'grid',
      'dimming',
      'out',
      'connectors',
    ]);
    expect(body).toMatchObject({ grid: { amps: [0, 0, 0], drop: false }, dimming: false });
  });

  it('plays them', async () => {
    const { board, send } = await inHouse({ grid: { amps: [9, 9, 9] } });
    const amps = async () => (await board.gridMeter?.read())?.values.current;
    expect(await amps()).toEqual({ L1: 9, L2: 9, L3: 9 });
    const { body } = await send('PATCH', '/bench', { grid: { amps: [1, 2, 3] }, dimming: true });
    expect(body).toMatchObject({ grid: { amps: [1, 2, 3], drop: false }, dimming: true });
    expect([await amps(), board.dimming?.active]).toEqual([{ L1: 1, L2: 2, L3: 3 }, true]);
    await send('PATCH', '/bench', { grid: { drop: true } });
    await expect(amps()).rejects.toMatchObject({ code: 'meterSilent' });
  });

  it('may have one without the other', async () => {
    const { ask, send } = await setUp({}, { dimming: true });
    expect((await ask('GET', '/bench')).body).not.toHaveProperty('grid');
    const { status, body } = await send('PATCH', '/bench', { dimming: true, grid: { amps: [1, 1, 1] } });
    expect([status, body]).toEqual([400, { error: 'grid is no input of this bench' }]);
    expect((await ask('GET', '/bench')).body['dimming']).toBe(false);
  });

  it('is needed for inputs of a house in the configuration: elsewhere they are reported and ignored', async () => {
    const { seen, ask } = await setUp({ grid: { amps: [1, 1, 1] }, dimming: true });
    expect(seen).toEqual(['warn grid', 'warn dimming']);
    expect((await ask('GET', '/bench')).body).not.toHaveProperty('grid');
  });
});

describe('POST /bench/tap', () => {
  it('presents a tag once to the reader that serves the connectors', async () => {
    const { board, send } = await setUp();
    const taps: string[] = [];
    for (const { connectors, onTag } of board.readers) onTag((idTag) => taps.push(`${idTag}@${connectors.join('+')}`));
    expect((await send('POST', '/bench/tap', { idTag: 'RFID_VALID1', connectors: [1] })).status).toBe(200);
    await send('POST', '/bench/tap', { idTag: 'B' });
    expect(taps).toEqual(['RFID_VALID1@1', 'B@1+2']);
  });

  it.each<[string, unknown]>([
    ['no tag', { connectors: [1] }],
    ['an empty tag', { idTag: '' }],
    ['a tag that no message can carry', { idTag: 'x'.repeat(21) }],
    ['an unknown connector', { idTag: 'A', connectors: [3] }],
    ['no connector', { idTag: 'A', connectors: [] }],
    ['an unknown member', { idTag: 'A', conectors: [1] }],
    ['a list', []],
  ])('refuses %s', async (_name, body) => {
    const { send } = await setUp();
    expect(await send('POST', '/bench/tap', body)).toMatchObject({ status: 400, body: { error: expect.any(String) } });
  });
});

describe('GET /bench/events', () => {
  it('tells what has changed since, and where to go on', async () => {
    const { ask, send } = await setUp();
    const plug = (plugged: boolean) => send('PATCH', '/bench', { connectors: { '1': { ev: { plugged } } } });
    expect((await ask('GET', '/bench/events?after=0')).body).toEqual({ events: [], next: 0 });
    await plug(true);
    const first = (await ask('GET', '/bench/events?after=0')).body;
    expect(first).toEqual({
      events: [{ n: 1, at: expect.any(String), path: 'connectors.1.out.pilot', value: 'B' }],
      next: 1,
    });
    await plug(false);
    expect((await ask('GET', '/bench/events?after=1')).body).toMatchObject({ events: [{ n: 2, value: 'A' }], next: 2 });
  });

  it('waits for the next change', async () => {
    const { board, ask } = await setUp();
    const answer = ask('GET', '/bench/events?after=0&wait=10000');
    await ask('GET', '/bench');
    board.inputs.patchConnector(2, { ev: { plugged: true } });
    expect((await answer).body).toMatchObject({ events: [{ path: 'connectors.2.out.pilot', value: 'B' }], next: 1 });
  });

  it('comes back empty when the time is over, and with everything for a number of an earlier process', async () => {
    const { ask, send } = await setUp();
    expect((await ask('GET', '/bench/events?after=0&wait=20')).body).toEqual({ events: [], next: 0 });
    await send('PATCH', '/bench', { connectors: { '1': { ev: { plugged: true } } } });
    expect((await ask('GET', '/bench/events?after=99&wait=10000')).body).toMatchObject({ events: [{ n: 1 }], next: 1 });
  });

  it.each(['after=-1', 'after=x', 'wait=60001', 'wait=1e3'])('refuses %s', async (query) => {
    const { ask } = await setUp();
    expect((await ask('GET', `/bench/events?${query}`)).status).toBe(400);
  });
});

describe('the door of the bench', () => {
  it('knows no other path and no other method', async () => {
    const { ask } = await setUp();
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/bench/'],
      ['DELETE', '/bench'],
      ['OPTIONS', '/bench'],
      ['GET', '/constructor'],
    ] as const) {
      expect(await ask(method, path)).toMatchObject({
        status: 404,
        body: { error: expect.stringContaining('GET /bench') },
      });
    }
  });

  it('is closed to a page that has rebound its name, and to forms', async () => {
    const { ask } = await setUp();
    expect((await ask('GET', '/bench', { headers: { host: 'evil.example' } })).status).toBe(400);
    expect((await ask('GET', '/bench', { headers: { host: 'LOCALHOST:1' } })).status).toBe(200);
    const form = { body: '{"link":"down"}', headers: { 'content-type': 'text/plain' } };
    expect((await ask('PATCH', '/bench', form)).status).toBe(400);
  });

  it('refuses a body that is no JSON, no UTF-8 or too long', async () => {
    const { ask } = await setUp();
    expect((await ask('PATCH', '/bench', { body: '{' })).body).toEqual({ error: 'the body is no JSON' });
    expect((await ask('PATCH', '/bench', { body: '' })).status).toBe(400);
    const long = await ask('PATCH', '/bench', { body: ' '.repeat(1_100_000) }).catch(() => ({ status: 400 }));
    expect(long.status).toBe(400);
    expect((await ask('GET', '/bench')).status).toBe(200);
  });
});

describe('bench.inputs', () => {
  it('have acted when the bench is there, unknown ones are reported', async () => {
    const { board, seen } = await setUp({
      link: 'down',
      wind: 'north',
      connectors: { '2': { ev: { plugged: true } } },
    });
    expect(board.connector(2).observe().pilot).toBe('B');
    expect(seen).toEqual(['warn wind', 'link down']);
  });

  it('stop the start where a value cannot be', async () => {
    await expect(setUp({ connectors: { '1': { ev: { mode: 'Z' } } } })).rejects.toThrow(
      'bench.inputs: connectors.1.ev.mode takes one of "auto", "B", "C", "D", "E", "F"',
    );
  });
});
