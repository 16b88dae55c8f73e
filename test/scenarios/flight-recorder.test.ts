/** What the flight recorder has of whole sessions: the order of things around a fault, and what a power cut, a storm or an upload make of it. */
import { describe, expect, it } from 'vitest';
import type { DiagnosticsRequest } from '../../src/ports.ts';
import { read, wordsOf } from '../recorder/support.ts';
import * as play from '../sim/transcript.ts';
import { hours, minutes, seconds } from '../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../sim/world.ts';

const URL = 'https://files.example/logs/';

/** A session in which the EV charges. */
async function charging(options: WorldOptions = {}): Promise<World> {
  const world = await World.start({ keys: { MeterValueSampleInterval: '60' }, ...options });
  world.plugIn();
  world.present('ABC');
  await world.clock.advance(seconds(30));
  expect(world.board.connector(1).observe().contactor).toBe('closed');
  return world;
}

const names = ({ recordings }: World): readonly string[] => [...recordings.files.keys()];
const recording = ({ recordings }: World, index = 0) => read([...recordings.files.values()][index] ?? '');
const isRun = (whole: readonly string[], part: readonly string[]): boolean => {
  let next = 0;
  for (const word of whole) if (word === part[next]) next++;
  return next === part.length;
};

describe('the recording of an RCD trip', () => {
  it('tells in order how the session began, what opened the contactor, and what was reported then', async () => {
    const world = await charging();
    world.board.inputs.setFault(1, 'groundFault', { info: 'RCD tripped' });
    await world.clock.advance(seconds(10));
    expect(names(world)).toEqual(['000001-20260105T080030Z-groundFault-1.jsonl']);
    const { header, entries } = recording(world);
    expect(header).toMatchObject({ recording: 1, cause: 'groundFault, connector 1', at: 30_100 });
    const words = entries.map(wordsOf);
    expect(words[0]).toBe('state');
    const story = [
      'link open',
      'tx BootNotification',
      'pilot B',
      'tag ABC',
      'tx Authorize',
      'tx StartTransaction',
      'offer 32 53.33%',
      'pilot C',
      'permit true',
      'contactor close',
      'feedback closed',
      'tx StatusNotification Charging',
      'fault groundFault raised',
      'contactor open',
      'feedback open',
      'permit false',
      'offer x1 100%',
      'tx StatusNotification Faulted',
    ];
    expect([words, isRun(words, story)]).toEqual([words, true]);
    const times = entries.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(entries.find(({ what }) => what === 'fault')).toMatchObject({ info: 'RCD tripped' });
  });

  it('holds what is on the wire, frame by frame', async () => {
    const world = await charging();
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(10));
    const frames = recording(world).entries.flatMap((entry) =>
      entry.what === 'frame' ? [{ dir: entry.direction, frame: JSON.parse(entry.text) as readonly unknown[] }] : [],
    );
    // The wire of the simulation leaves this event out, which comes once with each boot.
    const startup = frames.find(({ frame }) => JSON.stringify(frame).includes('StartupOfTheDevice'))?.frame[1];
    expect(frames.filter(({ frame }) => frame[1] !== startup)).toEqual(
      world.wire.map(({ dir, frame }) => ({ dir, frame })),
    );
  });

  it('holds a state from which a replay can begin, with the id of the transaction', async () => {
    const world = await charging();
    await world.clock.advance(minutes(2));
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(10));
    const states = recording(world).entries.filter((entry) => entry.what === 'state');
    expect(states[0]).toMatchObject({
      linked: false,
      connectors: [{ pilot: 'A', connector: { phase: { name: 'idle' } } }],
    });
    expect(states.at(-1)).toMatchObject({
      linked: true,
      mains: 'on',
      connectors: [
        { pilot: 'C', contactor: 'closed', transactionId: 1, connector: { id: 1, phase: { name: 'transaction' } } },
      ],
    });
  });

  it('is made long after the contactor has opened and the central system knows', async () => {
    const world = await charging();
    const saved: unknown[] = [];
    world.recordings.onSave = () =>
      void saved.push([
        world.board.connector(1).observe().contactor,
        world.central.received('StatusNotification').at(-1)?.['status'],
      ]);
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(9));
    expect(saved).toEqual([]);
    await world.clock.advance(seconds(1));
    expect(saved).toEqual([['open', 'Faulted']]);
  });
});

describe('what else is recorded', () => {
  it('is a loss of power that announces itself, a second later', async () => {
    const world = await charging();
    world.board.inputs.setMains('failing');
    await world.clock.advance(seconds(1));
    expect(names(world)).toEqual(['000001-20260105T080030Z-mains.jsonl']);
    const words = recording(world).entries.map(wordsOf);
    expect([words, isRun(words, ['mains failing', 'contactor open', 'feedback open'])]).toEqual([words, true]);
    await world.powerCut();
    await world.boot();
    expect(names(world)).toHaveLength(1);
  });

  it('is not what a power cut takes along, and the next process begins anew', async () => {
    const world = await charging();
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(5));
    await world.powerCut();
    await world.boot();
    await world.clock.advance(minutes(1));
    expect(names(world)).toEqual([]);
  });

  it('is a fault whose aftermath the end of the process cuts short', async () => {
    const world = await charging();
    world.board.inputs.setFault(1, 'groundFault', {});
    await world.clock.advance(seconds(2));
    const stopped = world.agent.stop('Reboot');
    await world.clock.advance(seconds(3));
    await stopped;
    expect(names(world)).toEqual(['000001-20260105T080030Z-groundFault-1.jsonl']);
    const words = recording(world).entries.map(wordsOf);
    expect([words, isRun(words, ['fault groundFault raised', 'tx StopTransaction'])]).toEqual([words, true]);
  });

  it('is a crash, after the contactors are open', async () => {
    const world = await charging();
    world.agent.trip();
    expect(world.board.connector(1).observe().contactor).toBe('open');
    await world.agent.lastWords();
    expect(names(world)).toEqual(['000001-20260105T080030Z-crash.jsonl']);
    expect(recording(world).entries.map(wordsOf)).toContain('contactor open');
  });

  it('is no warning, and no fault that was there before', async () => {
    const world = await charging();
    world.board.inputs.setFault(1, 'weakSignal', {});
    world.board.inputs.setFault(1, 'readerSilent', {});
    await world.clock.advance(minutes(5));
    expect(names(world)).toEqual([]);
  });

  it('is a storm of faults in few files, and charging goes on afterwards', async () => {
    const world = await charging();
    for (let n = 0; n < 600; n++) {
      world.board.inputs.setFault(1, 'overVoltage', n % 2 === 0 ? {} : null);
      await world.clock.advance(seconds(1));
    }
    expect(names(world)).toHaveLength(6);
    await world.clock.advance(minutes(1));
    expect(world.board.connector(1).observe().contactor).toBe('closed');
    await world.clock.advance(hours(1));
    expect(names(world)).toHaveLength(7);
  }, 20_000);

  it('does not disturb a session when the disk takes nothing', async () => {
    const world = await charging();
    world.recordings.failure = 'storeFull';
    world.board.inputs.setFault(1, 'overVoltage', {});
    await world.clock.advance(seconds(20));
    world.board.inputs.setFault(1, 'overVoltage', null);
    await world.clock.advance(minutes(1));
    expect(world.board.connector(1).observe().contactor).toBe('closed');
    expect(world.logged.map(({ message }) => message)).toContain('a flight recording could not be saved');
  });
});

describe('who wants to see recordings', () => {
  it('lists them, and saves one of what has just happened, over the control interface', async () => {
    const world = await charging();
    expect(await world.control('GET', '/recordings')).toEqual({ recordings: [] });
    const { saved } = (await world.control('POST', '/recordings')) as { readonly saved: { readonly name: string } };
    expect(saved).toMatchObject({ name: '000001-20260105T080030Z-asked.jsonl', bytes: expect.any(Number) });
    expect(await world.control('GET', '/recordings')).toEqual({ recordings: [saved] });
    expect(recording(world).header.cause).toBe('asked for');
  });

  it.each([
    ['GetDiagnostics', { location: URL }],
    ['GetLog', { logType: 'DiagnosticsLog', requestId: 1, log: { remoteLocation: URL } }],
  ])('finds the saved ones and what is in memory in the archive of %s', async (action, payload) => {
    const world = await charging();
    await world.control('POST', '/recordings');
    await play.call(action, payload)(world);
    await world.clock.advance(seconds(5));
    const { files = [] } = world.archives.requests[0] as DiagnosticsRequest;
    const contents = await Promise.all(files.map(async (file) => new TextDecoder().decode(await file.read())));
    expect(files.map(({ name }) => name)).toEqual([
      'recorder/000001-20260105T080030Z-asked.jsonl',
      'recorder/now.jsonl',
    ]);
    for (const [index, { bytes }] of files.entries()) {
      const text = contents[index] ?? '';
      expect(new TextEncoder().encode(text)).toHaveLength(bytes);
      expect(read(text).entries.map(wordsOf)).toContain('contactor close');
    }
    expect(read(contents[1] ?? '').entries.length).toBeGreaterThan(read(contents[0] ?? '').entries.length);
  });
});

describe('a recording', () => {
  it('holds no secret: neither the AuthorizationKey, wherever it is set, nor a password in an address', async () => {
    const world = await charging({
      keys: { MeterValueSampleInterval: '60', AuthorizationKey: 'CANARY-FILE-0123456789' },
    });
    await play.call('ChangeConfiguration', { key: 'AuthorizationKey', value: 'CANARY-NEW-0123456789' })(world);
    await play.call('ChangeConfiguration', { key: 'authorizationkey', value: 'CANARY' })(world);
    await play.call('GetDiagnostics', { location: 'ftp://user:CANARY-PASSWORD@files.example/' })(world);
    await play.call('GetConfiguration', {})(world);
    await world.clock.advance(seconds(5));
    await world.control('POST', '/recordings');
    const [text = ''] = world.recordings.files.values();
    expect(text).toContain('ChangeConfiguration');
    expect(text).toContain('files.example');
    expect(text).not.toContain('CANARY');
    expect(recording(world).header.keys).not.toHaveProperty('AuthorizationKey');
    expect(recording(world).header.keys).toHaveProperty('MeterValueSampleInterval', '60');
  });
});
