/** `chargepoint why`, `limits` and `delay` against a socket that answers as an agent does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cancelText, limitsText } from '../../src/cli/limits.ts';
import { whyText } from '../../src/cli/why.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { ControlError } from '../../src/errors.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { bench } from '../config/support.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let socket: string;
let server: ControlServer | undefined;
/** What has been posted: path and body. */
let posted: [string, unknown][];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'limits-'));
  socket = join(directory, 'control.sock');
  posted = [];
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const chargepoint = (...argv: string[]) => typed(argv);

const CONNECTORS = [
  {
    id: 1,
    status: 'Charging',
    why: 'charging with up to 16 A',
    offerA: 16,
    limitA: 16,
    phases: 3,
    bounds: [
      { source: 'chargingProfile', limitA: 16, reason: 'TxProfile 7 allows 16 A until 14:00Z' },
      {
        source: 'house',
        limitA: 18.5,
        reason: 'the house takes 16.5 A on L2 besides the charge point, its fuse has 35 A',
      },
      { source: 'maxA', limitA: 32, reason: 'wiring, contactor and board' },
    ],
  },
  {
    id: 2,
    status: 'SuspendedEVSE',
    why: 'the limit of 0 A is below 6 A',
    limitA: 0,
    phases: 1,
    bounds: [{ source: 'dimming', limitA: 0, reason: 'the contact of the grid operator is active' }],
  },
];
const LIMITS = [
  { source: 'ems', connectorId: 0, limitA: 10, remainingS: 42, expired: false, phases: 1 },
  { source: 'solar', connectorId: 2, limitA: 16, remainingS: 0, expired: true },
];

async function withAgent(refusal?: ControlError): Promise<void> {
  const post = (path: string, answer: unknown) => ({
    method: 'POST' as const,
    path,
    handle: ({ body }: { readonly body: unknown }) => {
      posted.push([path, body]);
      if (refusal !== undefined) throw refusal;
      return answer;
    },
  });
  server = await serveControl({
    socket: socketFile(socket),
    log: silentLog,
    routes: [
      { method: 'GET', path: '/why', handle: () => ({ connectors: CONNECTORS }) },
      { method: 'GET', path: '/limits', handle: () => ({ limits: LIMITS }) },
      post('/limits', { limits: LIMITS }),
      post('/limits/withdraw', { limits: [] }),
      post('/random-delay/cancel', { cancelled: [1] }),
    ],
  });
}

const fits = (text: string): boolean => text.split('\n').every((line) => [...line].length <= 80);

describe('why', () => {
  it('says for each connector in a sentence why, and lists what bounds it, the lowest first', async () => {
    await withAgent();
    const { code, out, err } = await chargepoint('why', '--socket', socket);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`Connector 1: Charging, 16 A offered on 3 phases, limit 16 A
  charging with up to 16 A
  >  16 A    chargingProfile  TxProfile 7 allows 16 A until 14:00Z
     18.5 A  house            the house takes 16.5 A on L2 besides the charge
                              point, its fuse has 35 A
     32 A    maxA             wiring, contactor and board

Connector 2: SuspendedEVSE, nothing offered, limit 0 A
  the limit of 0 A is below 6 A
  >  0 A  dimming  the contact of the grid operator is active
`);
    expect(fits(out)).toBe(true);
  });

  it('finds the agent of a configuration, and tells only of the connector that was asked for', async () => {
    await withAgent();
    const config = join(directory, 'chargepoint.yaml');
    writeFileSync(config, JSON.stringify({ ...bench, stateDir: directory }));
    const { code, out } = await chargepoint('why', '--connector', '2', '--config', config);
    expect(code).toBe(0);
    expect(out).toMatch(/^Connector 2: /);
    expect(out).not.toContain('Connector 1');
  });

  it('prints the answer with --json, that of one connector alone where it was asked for', async () => {
    await withAgent();
    const json = async (...more: string[]): Promise<unknown> =>
      JSON.parse((await chargepoint('why', '--json', '--socket', socket, ...more)).out);
    expect(await json()).toEqual({ connectors: CONNECTORS });
    expect(await json('--connector', '2')).toEqual({ connectors: [CONNECTORS[1]] });
  });

  it('knows no connector that is not there: exit code 78', async () => {
    await withAgent();
    expect(await chargepoint('why', '--connector', '3', '--socket', socket)).toEqual({
      code: 78,
      out: '',
      err: 'There is no connector 3.\n',
    });
  });
});

describe('limits', () => {
  it.each([['limits'], ['limits', 'list']])('%s %s tell what is set, and for how long', async (...argv) => {
    await withAgent();
    const { code, out } = await chargepoint(...argv, '--socket', socket);
    expect(code).toBe(0);
    expect(out).toBe(`Connector  Limit  Phases  Remaining                         Source
all        10 A   1       42 s                              ems
2          16 A   -       expired, the safe current counts  solar
`);
    expect(JSON.parse((await chargepoint(...argv, '--json', '--socket', socket)).out)).toEqual({ limits: LIMITS });
  });

  it('set bounds all connectors for a minute, if nothing else is said', async () => {
    await withAgent();
    const { code, out } = await chargepoint('limits', 'set', '--source', 'ems', '--amps', '10', '--socket', socket);
    expect(code).toBe(0);
    expect(posted).toEqual([['/limits', { source: 'ems', connectorId: 0, limitA: 10, ttlS: 60 }]]);
    expect(out).toMatch(/all +10 A +1 +42 s +ems\n/);
  });

  it('set takes connector, time and phases', async () => {
    await withAgent();
    const options = ['--source', 'solar', '--amps', '7.5', '--connector', '2', '--ttl', '300', '--phases', '1'];
    expect((await chargepoint('limits', 'set', ...options, '--socket', socket)).code).toBe(0);
    expect(posted).toEqual([['/limits', { source: 'solar', connectorId: 2, limitA: 7.5, ttlS: 300, phases: 1 }]]);
  });

  it('withdraw takes one back', async () => {
    await withAgent();
    const withdraw = (...more: string[]) =>
      chargepoint('limits', 'withdraw', '--source', 'ems', '--socket', socket, ...more);
    expect(await withdraw()).toEqual({ code: 0, out: 'No local limit is set.\n', err: '' });
    expect(JSON.parse((await withdraw('--connector', '1', '--json')).out)).toEqual({ limits: [] });
    expect(posted).toEqual([
      ['/limits/withdraw', { source: 'ems', connectorId: 0 }],
      ['/limits/withdraw', { source: 'ems', connectorId: 1 }],
    ]);
  });

  it.each([
    [['set', '--source', 'ems']],
    [['set', '--amps', '10']],
    [['set', '--source', 'ems', '--amps', 'ten']],
    [['set', '--source', 'ems', '--amps=-1']],
    [['set', '--source', 'ems', '--amps', '10', '--ttl', '0']],
    [['set', '--source', 'ems', '--amps', '10', '--connector', '1.5']],
    [['set', '--source', 'ems', '--amps', '10', '--phases', '2']],
    [['withdraw']],
    [['raise']],
  ])('%j asks nobody and exits 78 with what is possible', async (argv) => {
    await withAgent();
    const { code, out, err } = await chargepoint('limits', ...argv);
    expect([code, out, posted]).toEqual([78, '', []]);
    expect(err).toContain('--help');
  });

  it('that the agent refuses exit 78 with its words', async () => {
    await withAgent(new ControlError('badRequest', 'limitA is 900, expected at most 80'));
    const { code, out, err } = await chargepoint(
      'limits',
      'set',
      '--source',
      'ems',
      '--amps',
      '900',
      '--socket',
      socket,
    );
    expect([code, out, err]).toEqual([78, '', 'limitA is 900, expected at most 80.\n']);
  });
});

describe('delay cancel', () => {
  it.each([
    [[], {}],
    [['--connector', '0'], {}],
    [['--connector', '1'], { connectorId: 1 }],
  ])('%j lets nobody wait any longer', async (more, body) => {
    await withAgent();
    const { code, out } = await chargepoint('delay', 'cancel', ...more, '--socket', socket);
    expect([code, out]).toEqual([0, 'Connector 1 waits no longer.\n']);
    expect(posted).toEqual([['/random-delay/cancel', body]]);
  });

  it('prints the answer with --json', async () => {
    await withAgent();
    const { out } = await chargepoint('delay', 'cancel', '--json', '--socket', socket);
    expect(JSON.parse(out)).toEqual({ cancelled: [1] });
  });

  it('says so where nobody waited', () => {
    expect(cancelText({ cancelled: [] })).toBe('No connector waits for its random delay.\n');
  });
});

it.each([
  [['why']],
  [['limits']],
  [['limits', 'set', '--source', 'ems', '--amps', '10']],
  [['limits', 'withdraw', '--source', 'ems']],
  [['delay', 'cancel']],
])('%j says in a sentence that no agent runs, with exit code 70', async (argv) => {
  const { code, out, err } = await chargepoint(...argv, '--socket', socket);
  expect([code, out]).toEqual([70, '']);
  expect(err).toMatch(/^no agent is running: nobody listens on /);
});

it('whatever an agent of another version answers fits, and lets no escape sequence through', () => {
  const long = 'a reason '.repeat(30);
  for (const odd of [
    {},
    { connectors: 1, limits: 1, cancelled: 1 },
    { connectors: [null, { why: '\u001b[2J', bounds: [null, { source: 'x'.repeat(99), reason: 'y'.repeat(300) }] }] },
    { connectors: [{ id: 1, why: long, status: long, bounds: [{ source: long, limitA: long, reason: long }, {}] }] },
    { limits: [null, { source: '\u001b[2J'.repeat(99), limitA: null }], cancelled: ['\u001b[2J'.repeat(99)] },
  ]) {
    const text = whyText(odd) + limitsText(odd) + cancelText(odd);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(fits(text), text).toBe(true);
  }
});
