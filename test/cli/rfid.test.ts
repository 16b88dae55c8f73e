/** `chargepoint rfid` beside a running agent, whose readers it does not touch. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { silentLog } from '../sim/world.ts';
import { typed } from './support/typed.ts';

let directory: string;
let socket: string;
let server: ControlServer | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rfid-'));
  socket = join(directory, 'control.sock');
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const rfid = (...argv: string[]) => typed(['rfid', ...argv]);

const PLACE = { reader: 'pn532 /dev/ttyAMA0', connectors: [1, 2] };
const tag = (number: number, more: object) => ({ number, time: '2026-01-05T08:00:01.000Z', ...PLACE, ...more });
const TAGS = [
  tag(1, { raw: 'OLD', idTag: 'OLD', localList: null, cache: null }),
  tag(2, { raw: '04A1B2C3', idTag: 'C3B2A104', localList: 'Accepted', cache: null }),
  tag(3, { raw: '08A1B2C3', refused: 'this card makes up a new number each time' }),
];

/** The first tag was presented before anybody asked. */
async function withAgent(readers: readonly object[] = [PLACE], failFrom = Number.POSITIVE_INFINITY): Promise<void> {
  let asked = 0;
  const handle = ({ query }: { query: Readonly<Record<string, string>> }) => {
    asked += 1;
    if (asked >= failFrom) throw new Error('broken');
    const known = TAGS.slice(0, asked);
    return { last: known.length, readers, tags: known.filter(({ number }) => number > Number(query['after'])) };
  };
  server = await serveControl({
    socket: socketFile(socket),
    log: silentLog,
    routes: [{ method: 'GET', path: '/tags', handle }],
  });
}

describe('rfid', () => {
  it('shows each tag from now on: raw, what it becomes, and who knows it; 80 columns', async () => {
    await withAgent();
    const { code, out, err } = await rfid('--socket', socket, '--count', '2');
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`pn532 /dev/ttyAMA0, connectors 1, 2
The agent runs: a tag starts and stops as always. Present one. Ctrl-C ends.

08:00:01Z pn532 /dev/ttyAMA0, connectors 1, 2
  read     04A1B2C3
  becomes  C3B2A104
  list     Accepted
  cache    does not know it

08:00:01Z pn532 /dev/ttyAMA0, connectors 1, 2
  read     08A1B2C3
  refused  this card makes up a new number each time
`);
  });

  it('gives one line of JSON for each tag', async () => {
    await withAgent();
    const { out } = await rfid('--socket', socket, '--count', '2', '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(TAGS.slice(1));
  });

  it('says that there is no reader, and where one is named; exit code 78', async () => {
    await withAgent([]);
    const { code, err } = await rfid('--socket', socket);
    expect([code, err]).toEqual([78, expect.stringContaining('docs/rfid.md')]);
  });

  it('ends with exit code 70 when the agent fails', async () => {
    await withAgent([PLACE], 2);
    const { code, err } = await rfid('--socket', socket);
    expect([code, err]).toEqual([70, expect.stringContaining('its log says why')]);
  });

  it('without an agent needs a configuration with a real reader', async () => {
    const none = await rfid('--socket', socket, '--config', join(directory, 'none.yaml'));
    expect([none.code, none.err]).toEqual([78, expect.stringContaining('none.yaml')]);
    const file = join(directory, 'mock.yaml');
    writeFileSync(
      file,
      `chargePoint: { identity: cp, vendor: v, model: m }
centralSystem: { url: "ws://127.0.0.1:9" }
board: mock
stateDir: ${directory}
connectors: [{ id: 1, cable: attached }]
`,
    );
    const mock = await rfid('--socket', socket, '--config', file);
    expect([mock.code, mock.err]).toEqual([78, expect.stringContaining('exist in a running agent only')]);
  });
});
