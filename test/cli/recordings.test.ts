/** `chargepoint recordings` against a socket that answers as an agent does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recordingsText } from '../../src/cli/recordings.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

const FILE = '/var/lib/chargepoint/recordings/000012-20260105T080105Z-contactorStuckOpen-1.jsonl';
const SAVED = { name: '000012-20260105T080105Z-contactorStuckOpen-1.jsonl', file: FILE, bytes: 98_304 };

let directory: string;
let socket: string;
let server: ControlServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'recordings-'));
  socket = join(directory, 'control.sock');
  server = await serveControl({
    socket: socketFile(socket),
    log: silentLog,
    routes: [
      { method: 'GET', path: '/recordings', handle: () => ({ recordings: [SAVED] }) },
      { method: 'POST', path: '/recordings', handle: () => ({ saved: SAVED }) },
    ],
  });
});
afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const chargepoint = (...argv: string[]) => typed(argv);

it('lists the recordings with whole file names, to be copied', async () => {
  const text = `Size   File, the oldest first\n96 kB  ${FILE}\n`;
  expect(await chargepoint('recordings', '--socket', socket)).toEqual({ code: 0, out: text, err: '' });
  expect(await chargepoint('recordings', 'list', '--socket', socket)).toEqual({ code: 0, out: text, err: '' });
});

it('says that there is none', () => {
  expect(recordingsText({ recordings: [] })).toBe('No flight recording has been saved.\n');
});

it('saves one, and says where', async () => {
  const { code, out } = await chargepoint('recordings', 'save', '--socket', socket);
  expect([code, out]).toEqual([0, `Saved 96 kB: ${FILE}\n`]);
});

it('prints the answer as JSON on request', async () => {
  const listed = await chargepoint('recordings', '--json', '--socket', socket);
  expect(JSON.parse(listed.out)).toEqual({ recordings: [SAVED] });
  const saved = await chargepoint('recordings', 'save', '--json', '--socket', socket);
  expect(JSON.parse(saved.out)).toEqual({ saved: SAVED });
});

it('says with one sentence that no agent runs, and shows an example in its help', async () => {
  const { code, err } = await chargepoint('recordings', '--socket', join(directory, 'none.sock'));
  expect(code).toBe(70);
  expect(err).toContain('chargepoint run');
  expect((await chargepoint('recordings', 'save', '--help')).out).toContain('$ chargepoint recordings save');
});
