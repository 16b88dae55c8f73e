/** What a start loads: V8's own record of the functions that have run, in the built agent, by the source that each is from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CentralSystem } from './support/central-system.ts';

const DIST = resolve(import.meta.dirname, '../../dist');
/** Loaded when it is first asked for: nothing of it costs a start or the memory of an agent that nobody has asked. */
const LATER: readonly (readonly [what: string, source: RegExp])[] = [
  ['transfers', /src\/platform\/transfers\/|\/basic-ftp\//],
  ['archives', /src\/platform\/archive\//],
  ['saved recordings', /src\/platform\/recordings\//],
  ['installers', /src\/platform\/installers\//],
  ['certificates, chains, signatures and signing requests', /src\/platform\/x509\//],
  [
    'drivers of a real board',
    /hal\/(gpio|linux|rfid)\/|hal\/modbus\/(?!.*map)|\/(koffi|onoff|serialport|modbus-serial)\//,
  ],
  [
    'what only a technician calls',
    /src\/cli\/(doctor|setup|meter(?!-route)|rfid|replay)|src\/bench\/replay|\/commander\//,
  ],
];

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly count: number }[];
    }[];
  }[];
}

let directory: string;
let loaded: readonly string[];

/** Sources of which a function has run. */
function sourcesIn({ result }: Coverage): readonly string[] {
  const text = readFileSync(join(DIST, 'agent.cjs'), 'latin1');
  const map = new SourceMap(JSON.parse(readFileSync(join(DIST, 'agent.cjs.map'), 'utf8')) as SourceMapPayload);
  const lines = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.push(at + 1);
  const sourceAt = (offset: number): string => {
    const line = lines.findLastIndex((start) => start <= offset);
    const entry = map.findEntry(line, offset - (lines[line] ?? 0));
    return 'originalSource' in entry ? entry.originalSource : '';
  };
  const functions = result.find(({ url }) => url.endsWith('agent.cjs'))?.functions ?? [];
  const ran = functions.flatMap(({ ranges: [whole] }) =>
    whole !== undefined && whole.count > 0 ? [whole.startOffset] : [],
  );
  return [...new Set(ran.map((offset) => sourceAt(offset + 1)))];
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'start-'));
  const central = await CentralSystem.start();
  const configuration = {
    chargePoint: { identity: 'start', vendor: 'Acme', model: 'Pi' },
    centralSystem: { url: `ws://127.0.0.1:${central.port}` },
    board: 'mock',
    connectors: [{ id: 1, cable: 'attached' }],
    stateDir: 'state',
    bench: { port: 0 },
  };
  const file = join(directory, 'chargepoint.yaml');
  writeFileSync(file, JSON.stringify(configuration));
  const agent = spawn(process.execPath, [join(DIST, 'chargepoint.cjs'), 'run', '--config', file], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], HOME: directory, NODE_V8_COVERAGE: join(directory, 'coverage') },
  });
  await central.until('StatusNotification', ({ connectorId }) => connectorId === 1);
  agent.kill('SIGTERM');
  expect(await once(agent, 'exit')).toEqual([0, null]);
  await central.stop();
  const [name = ''] = readdirSync(join(directory, 'coverage'));
  loaded = sourcesIn(JSON.parse(readFileSync(join(directory, 'coverage', name), 'utf8')) as Coverage);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a start, up to the first status and a proper end', () => {
  it('is seen: agent, wire and store have run', () => {
    for (const source of [/src\/agent\.ts$/, /src\/ocpp\/peer\.ts$/, /src\/platform\/level-store\.ts$/])
      expect(loaded.filter((name) => source.test(name))).not.toEqual([]);
  });

  it.each(LATER)('loads nothing of %s', (_, source) => {
    expect(loaded.filter((name) => source.test(name))).toEqual([]);
  });
});
