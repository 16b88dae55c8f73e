/** The tools for whoever stands at the charge point, beside a running agent of the virtual world and without one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { faultsText } from '../../src/cli/faults.ts';
import { changesOf, inputsText, levelsOf } from '../../src/cli/inputs.ts';
import { sessionsText } from '../../src/cli/sessions.ts';
import { logDirectory } from '../../src/cli/store-directory.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { bench } from '../config/support.ts';
import { minutes, seconds } from '../sim/virtual-clock.ts';
import { silentLog, World } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let stateDir: string;
let file: string;
let socket: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'technician-'));
  stateDir = join(directory, 'state');
  mkdirSync(stateDir);
  file = join(directory, 'chargepoint.yaml');
  const connectors = [
    { id: 1, cable: 'socket' },
    { id: 2, cable: 'attached' },
  ];
  writeFileSync(file, JSON.stringify({ ...bench, connectors, stateDir: 'state', keys: { HeartbeatInterval: '300' } }));
  socket = join(stateDir, 'control.sock');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const chargepoint = (...argv: string[]) => typed([...argv, '--config', file]);

async function besideAgent(): Promise<World> {
  const world = await World.start({
    connectors: [
      { id: 1, cable: 'socket' },
      { id: 2, cable: 'attached' },
    ],
    keys: { MeterValueSampleInterval: '0' },
  });
  server = await serveControl({ socket: socketFile(socket), log: silentLog, routes: world.agent.routes });
  return world;
}

const fits = (text: string): boolean => text.split('\n').every((line) => [...line].length <= 80);

describe('inputs', () => {
  it('shows what the agent sees, and what it stands for', async () => {
    const world = await besideAgent();
    world.plugIn();
    world.board.inputs.setFault(0, 'emergencyStop', {});
    await world.clock.advance(seconds(1));
    const { code, out, err } = await chargepoint('inputs');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /Connector 1\n {2}Pilot +B, EV connected, asks for no power\n {2}Mirror contact +contactor open\n/,
    );
    expect(out).toMatch(/ {2}Proximity +cable for 32 A\n {2}Lock +not locked\n/);
    expect(out).toContain('Fault: emergencyStop, charge point');
    expect(fits(out)).toBe(true);
  });

  it('without an agent shows what the board sees, and gives it back: the next call has it again', async () => {
    for (const _ of [1, 2]) {
      const { code, out } = await chargepoint('inputs', '--json');
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({
        connectors: [{ id: 1, pilot: 'A', cableA: null }, { id: 2 }],
        faults: [],
      });
    }
  });

  it('watch tells each change with its time', () => {
    const view = (pilot: string, faults: readonly object[] = []) =>
      levelsOf({ connectors: [{ id: 1, pilot, contactor: 'open' }], wires: [{ name: 'mains', on: true }], faults });
    const raised = view('B', [{ code: 'peFault', connectorId: 1 }]);
    expect(changesOf(view('A'), view('A'), false)).toEqual([]);
    expect(changesOf(view('A'), raised, false).map((line) => line.slice(14))).toEqual([
      'connector 1 pilot  A -> B\n',
      'fault peFault, connector 1  - -> raised\n',
    ]);
    expect(JSON.parse(changesOf(raised, view('B'), true)[0] ?? '')).toMatchObject({ before: 'raised', now: '-' });
  });
});

describe('pilot', () => {
  it('signals for its time beside the agent, and then x1', async () => {
    const world = await besideAgent();
    const told: number[] = [];
    world.board.onOutput(() => told.push(Math.round(world.board.connector(1).observe().pwm)));
    const { code, out, err } = await chargepoint('pilot', '1', '16', '--seconds', '1');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(
      /^Connector 1: 16 A for 1 s, then x1\. The contactor stays open\.\nFor the central system it is/,
    );
    expect(out).toMatch(/ {2}0\.\d s {2}A {2}no EV\nConnector 1: x1 again\.\n$/);
    expect([told[0], told.at(-1)]).toEqual([27, 100]);
  });

  it('is refused with exit code 78 while somebody charges, and the charging goes on', async () => {
    const world = await besideAgent();
    world.plugIn();
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(seconds(5));
    const before = world.board.connector(1).observe();
    expect(before.contactor).toBe('closed');
    for (const argv of [
      ['pilot', '1', 'F'],
      ['lock', '1', 'unlock'],
      ['lock', '1', 'lock'],
      ['contactor', '1', 'click'],
      ['contactor', '1', 'close'],
    ]) {
      const { code, out, err } = await chargepoint(...argv);
      expect([argv, code, out]).toEqual([argv, 78, '']);
      expect(err).toMatch(/in use|running agent/);
    }
    const { amps: _, energyWh: __, watts: ___, ...after } = world.board.connector(1).observe();
    expect(before).toMatchObject(after);
  });

  it('does the same on the board itself where no agent runs', async () => {
    const { code, out } = await chargepoint('pilot', '2', 'F', '--seconds', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ connectorId: 2, offer: 'F', seen: [{ pilot: 'A', contactor: 'open' }] });
    expect((await chargepoint('pilot', '2')).out).toBe('Connector 2: pilot A, no EV\n');
  });

  it.each([
    [['pilot']],
    [['pilot', '1', '5']],
    [['pilot', '1', 'C']],
    [['pilot', '1', '16', '--seconds', '601']],
    [['lock', '1', 'open']],
    [['contactor', '1', 'close', '--seconds', '8']],
    [['logs', '--since', '1y']],
    [['sessions', '--last', '0']],
  ])('%j asks nobody and exits 78', async (argv) => {
    const { code, out } = await chargepoint(...argv);
    expect([code, out]).toEqual([78, '']);
  });

  it('knows no connector that is not there', async () => {
    await besideAgent();
    for (const argv of [
      ['pilot', '3'],
      ['pilot', '3', 'F'],
      ['lock', '3'],
      ['contactor', '3'],
    ])
      expect(await chargepoint(...argv)).toMatchObject({ code: 78, err: 'There is no connector 3.\n' });
  });
});

describe('lock and contactor', () => {
  it('lock holds the plug for its time and gives it back', async () => {
    const { code, out } = await chargepoint('lock', '1', 'lock', '--seconds', '2');
    expect(code).toBe(0);
    expect(out).toMatch(/locked for 2 s[\s\S]* s {2}locked\nConnector 1: unlocked again\.\n$/);
    expect((await chargepoint('lock', '1', '--json')).out).toContain('"locked": false');
    expect(await chargepoint('lock', '2')).toMatchObject({ out: 'Connector 2: no lock, its cable is attached\n' });
    expect(await chargepoint('lock', '2', 'unlock')).toMatchObject({ code: 78 });
  });

  it('click tells how fast the mirror contact followed', async () => {
    const { code, out } = await chargepoint('contactor', '1', 'click');
    expect(code).toBe(0);
    expect(out).toMatch(/mirror contact closed after \d+ ms\n.*mirror contact open after \d+ ms\n$/);
  });

  it('click goes through the running agent as well, where no EV is there', async () => {
    const world = await besideAgent();
    const clicking = chargepoint('contactor', '2', 'click', '--json');
    for (let look = 0; look < 400 && !world.board.contactorHistory(2).includes('closed'); look++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    await world.clock.advance(seconds(1));
    const { code, out } = await clicking;
    expect([code, JSON.parse(out)]).toMatchObject([0, { connectorId: 2, closedAfterMs: expect.any(Number) }]);
    expect(world.board.contactorHistory(2).at(-1)).toBe('open');
  });

  it('close waits for an EV, and closes nothing without one: exit code 1', async () => {
    const { code, out } = await chargepoint('contactor', '2', 'close', '--wait', '1', '--json');
    expect([code, JSON.parse(out)]).toEqual([1, { connectorId: 2, how: 'noEv' }]);
  });
});

describe('faults', () => {
  it('lists them with exit code 1, and resets the latched ones whose cause is gone', async () => {
    const world = await besideAgent();
    expect(await chargepoint('faults')).toEqual({ code: 0, out: 'No fault.\n', err: '' });
    world.board.inputs.patchConnector(1, { jam: 'welded' });
    world.plugIn();
    await world.central.call('RemoteStartTransaction', { idTag: 'ABC', connectorId: 1 });
    await world.clock.advance(seconds(5));
    world.unplug();
    await world.clock.advance(seconds(5));
    const listed = await chargepoint('faults');
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/^contactorWelded, connector 1[^\n]*\n {2}stops charging; goes by a reset/);
    expect(await chargepoint('faults', 'reset')).toMatchObject({
      code: 1,
      out: expect.stringContaining('Still raised'),
    });
    world.board.inputs.patchConnector(1, { jam: null });
    await world.clock.advance(seconds(1));
    expect(await chargepoint('faults', 'reset', '1')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Reset: contactorWelded, connector 1/),
    });
  });

  it('reset says that only a running agent holds latched faults: exit code 70', async () => {
    expect(await chargepoint('faults', 'reset')).toMatchObject({ code: 70, out: '' });
    expect((await chargepoint('faults')).code).toBe(0);
  });
});

describe('sessions', () => {
  it('tells when, how much, why, and whether the central system knows; in 80 columns', async () => {
    const world = await besideAgent();
    world.plugIn();
    await world.central.call('RemoteStartTransaction', { idTag: 'DEADBEEF', connectorId: 1 });
    await world.clock.advance(minutes(65));
    world.unplug();
    await world.clock.advance(seconds(10));
    const { code, out } = await chargepoint('sessions');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^C {2}No\. +Begin \(UTC\) +Lasts +kWh +idTag +State\n1 +\d+ +2026-01-05 08:00 +1:05 +\d+\.\d{3} +DEADBEEF +delivered, EVDisconnected\n$/,
    );
    expect(fits(out)).toBe(true);
    expect(JSON.parse((await chargepoint('sessions', '--json')).out)).toMatchObject({
      sessions: [{ idTag: 'DEADBEEF', delivery: 'delivered' }],
    });
  });

  it('reads the store where no agent runs', async () => {
    expect(await chargepoint('sessions')).toMatchObject({
      code: 0,
      out: expect.stringContaining('No transaction is known'),
    });
    expect(JSON.parse((await chargepoint('sessions', '--json')).out)).toEqual({ sessions: [] });
  });
});

describe('logs', () => {
  const line = (time: number, level: number, msg: string) => JSON.stringify({ level, time, msg });

  function logged(name: string, ...lines: string[]): void {
    mkdirSync(logDirectory(stateDir), { recursive: true });
    writeFileSync(join(logDirectory(stateDir), name), lines.map((each) => `${each}\n`).join(''), { flag: 'a' });
  }

  it('shows all files, oldest first, by level and age, and leaves half lines out', async () => {
    const now = Date.now();
    logged('000001.log', line(now - hoursMs(2), 40, 'old'), '{"level":40,"ti');
    logged('000002.log', line(now - 1000, 30, 'plain'), line(now - 500, 40, 'bad news'));
    const messages = (out: string) => out.split('\n').flatMap((text) => /(?:info|warn) +(.*)/.exec(text)?.[1] ?? []);
    expect(messages((await chargepoint('logs')).out)).toEqual(['old', 'plain', 'bad news']);
    expect(messages((await chargepoint('logs', '--level', 'warn')).out)).toEqual(['old', 'bad news']);
    expect(messages((await chargepoint('logs', '--since', '1h')).out)).toEqual(['plain', 'bad news']);
    const { out } = await chargepoint('logs', '--since', '1h', '--level', 'warn', '--json');
    expect(JSON.parse(out)).toEqual({ level: 40, time: now - 500, msg: 'bad news' });
  });

  it('follow asks the agent to write down what it holds, and shows what comes, over the end of a file', async () => {
    const now = Date.now();
    let flushes = 0;
    const more = [
      () => logged('000001.log', line(now, 30, 'first')),
      () => logged('000001.log', line(now, 30, 'second'), '{"half'),
      () => logged('000002.log', line(now, 30, 'third')),
    ];
    const route = { method: 'POST', path: '/log/flush', handle: () => more[flushes++]?.() ?? {} } as const;
    server = await serveControl({ socket: socketFile(socket), log: silentLog, routes: [route] });
    const { code, out } = await chargepoint('logs', '--follow', '--seconds', '2');
    expect(code).toBe(0);
    expect(out.match(/first|second|third|half/g)).toEqual(['first', 'second', 'third']);
  });

  it('says that there is none yet', async () => {
    expect(await chargepoint('logs')).toMatchObject({ code: 0, err: expect.stringContaining('There is no log') });
  });
});

const hoursMs = (count: number): number => count * 3_600_000;

it('whatever an agent of another version answers fits, and lets no escape sequence through', () => {
  const long = '\u001b[2J'.repeat(99);
  for (const odd of [{}, { connectors: [null, {}], wires: [null], faults: [null] }]) {
    const text = inputsText(odd) + faultsText([odd, null]) + sessionsText([odd, null]);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  }
  const session = {
    connectorId: long,
    idTag: long,
    began: 1e300,
    ended: 'x',
    energyWh: {},
    reason: long,
    delivery: long,
  };
  const text = faultsText([{ code: long, info: long, stops: long, clears: long }]) + sessionsText([session]);
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  expect(fits(text)).toBe(true);
});
