/** When a recording is saved, what it is called, and what a storm of faults costs. */
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import { causeOf } from '../../src/recorder/causes.ts';
import { FlightRecorder } from '../../src/recorder/flight-recorder.ts';
import type { Note } from '../../src/recorder/recording.ts';
import { MemoryRecordings } from '../sim/memory-recordings.ts';
import { hours, minutes, seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { silentLog } from '../sim/world.ts';
import { read, textOf, wordsOf } from './support.ts';

const fault = (code: FaultCode, connector = 1, raised = true): Note => ({ what: 'fault', connector, code, raised });
const MAINS: Note = { what: 'mains', mains: 'failing' };

function setUp({ trusted = true, there = [] as readonly Note[], keys = {} } = {}) {
  const clock = new VirtualClock({ trusted });
  const recordings = new MemoryRecordings();
  const logged: string[] = [];
  const recorder = new FlightRecorder({
    clock,
    log: { ...silentLog, warn: (message) => void logged.push(message) },
    recordings,
    version: '1.2.3',
    connectors: [{ id: 1, maxA: 32, phases: 3, cable: 'attached', ventilated: false }],
    keys: () => ({ HeartbeatInterval: '300', ...keys }),
  });
  recorder.begin(
    () => ({ connectors: [], mains: 'on', linked: false }),
    () => {
      for (const note of there) recorder.note(note);
    },
  );
  const names = (): readonly string[] => [...recordings.files.keys()];
  const last = () => read([...recordings.files.values()].at(-1) ?? '');
  return { clock, recordings, recorder, logged, names, last };
}

describe('what is worth a recording', () => {
  it('is every fault that opens a contactor, but no warning and no test', () => {
    for (const code of Object.keys(FAULTS) as FaultCode[]) {
      const isBlocking = ['charging', 'offer'].includes(FAULTS[code].blocks);
      expect([code, causeOf(fault(code)) !== undefined]).toEqual([code, isBlocking]);
      expect(causeOf(fault(code, 1, false))).toBeUndefined();
    }
    expect(FAULTS.derated.blocks).toBe('nothing');
  });

  it('is the emergency stop, and mains that fail', () => {
    expect(causeOf(fault('emergencyStop', 0))?.text).toBe('emergencyStop, charge point');
    expect(causeOf(MAINS)?.text).toBe('mains failing');
    expect(causeOf({ what: 'mains', mains: 'on' })).toBeUndefined();
  });
});

describe('the flight recorder', () => {
  it('saves ten seconds after a fault, with what came after it', async () => {
    const { clock, recorder, names, last } = setUp();
    await clock.advance(minutes(1));
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(9));
    recorder.note({ what: 'pilot', connector: 1, pilot: 'B' });
    expect(names()).toEqual([]);
    await clock.advance(seconds(1));
    expect(names()).toEqual(['000001-20260105T080100Z-groundFault-1.jsonl']);
    expect(last().header).toEqual({
      recording: 1,
      version: '1.2.3',
      cause: 'groundFault, connector 1',
      at: minutes(1),
      wall: '2026-01-05T08:01:00.000Z',
      bootId: clock.bootId,
      connectors: [{ id: 1, maxA: 32, phases: 3, cable: 'attached', ventilated: false }],
      keys: { HeartbeatInterval: '300' },
    });
    expect(last().entries.map(wordsOf)).toEqual(['state', 'state', 'fault groundFault raised', 'pilot B']);
  });

  it('tells no wall time that nobody vouches for', async () => {
    const { clock, recorder, names, last } = setUp({ trusted: false });
    await clock.advance(seconds(75));
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(10));
    expect(names()).toEqual(['000001-uptime75s-groundFault-1.jsonl']);
    expect(last().header).not.toHaveProperty('wall');
  });

  it('waits a second only when the mains fail, also if it was waiting for something else', async () => {
    const { clock, recorder, names, last } = setUp();
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(2));
    recorder.note(MAINS);
    await clock.advance(seconds(1));
    expect(names()).toEqual(['000001-20260105T080000Z-groundFault-1.jsonl']);
    expect(last().header.also).toEqual(['mains failing']);
    await clock.advance(hours(1));
    expect(names()).toHaveLength(1);
  });

  it('waits no minute when the mains fail soon after a fault, but storms of them are bounded as well', async () => {
    const { clock, recorder, names } = setUp();
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(20));
    recorder.note(MAINS);
    await clock.advance(seconds(1));
    expect(names()).toEqual(['000001-20260105T080000Z-groundFault-1.jsonl', '000002-20260105T080020Z-mains.jsonl']);
    for (let second = 0; second < 600; second++) {
      recorder.note(MAINS);
      await clock.advance(seconds(1));
    }
    expect(names()).toHaveLength(6);
  });

  it('does not save for a fault that was there when it began', async () => {
    const { clock, names, recorder } = setUp({ there: [fault('emergencyStop', 0)] });
    await clock.advance(minutes(5));
    expect(names()).toEqual([]);
    expect(read(textOf(recorder.content)).entries.map(wordsOf)).toEqual(['state', 'fault emergencyStop raised']);
  });

  it('saves once a minute at most, and six times an hour, whatever storms; the next file tells what it missed', async () => {
    const { clock, recorder, recordings, names } = setUp();
    for (let second = 0; second < 7200; second++) {
      recorder.note(fault(second % 2 === 0 ? 'overCurrent' : 'groundFault', 1));
      await clock.advance(seconds(1));
    }
    const causes = [...recordings.files.values()].map((text) => read(text).header);
    // The first after its aftermath of 10 s, the others a minute later each; from the seventh on an hour after the sixth before it.
    const savedAtS = [10, 70, 130, 190, 250, 310, 3610, 3670, 3730, 3790, 3850, 3910];
    expect(names()).toHaveLength(savedAtS.length);
    for (const [index, header] of causes.entries()) {
      expect(header.at / 1000).toBe(index === 0 ? 0 : savedAtS[index - 1]);
      expect(header.also?.length).toBeLessThanOrEqual(20);
    }
    expect(causes[0]?.also?.slice(0, 2)).toEqual(['groundFault, connector 1', 'overCurrent, connector 1']);
  }, 20_000);

  it('saves at once what is asked for, however often', async () => {
    const { recorder, names, last } = setUp();
    await recorder.save();
    await recorder.save();
    expect(names()).toEqual(['000001-20260105T080000Z-asked.jsonl', '000002-20260105T080000Z-asked.jsonl']);
    expect(last().header.cause).toBe('asked for');
    expect((await recorder.saved()).map(({ name }) => name)).toEqual(names());
  });

  it('says in the log why there is none, and goes on', async () => {
    const { clock, recorder, recordings, logged, names } = setUp();
    recordings.failure = 'storeFull';
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(10));
    expect(logged).toEqual(['a flight recording could not be saved']);
    await expect(recorder.save()).rejects.toMatchObject({ code: 'storeFull' });
    recordings.failure = undefined;
    recorder.note(fault('groundFault'));
    await clock.advance(minutes(1));
    expect(names()).toHaveLength(1);
  });

  it('shows no password of an address among its keys', () => {
    const { recorder } = setUp({ keys: { CentralSystemUrl: 'wss://user:CANARY@s@cs.example/ocpp' } });
    expect(read(textOf(recorder.content)).header.keys).toEqual({
      HeartbeatInterval: '300',
      CentralSystemUrl: 'wss://user:***@cs.example/ocpp',
    });
  });

  it('keeps messages whole, and the beginning of what is far longer', () => {
    const { recorder } = setUp();
    const long = `[2,"1","DataTransfer",{"data":"${'x'.repeat(9_000)}"}]`;
    recorder.frame('rx', '[3,"1",{}]');
    recorder.frame('rx', long);
    expect(read(textOf(recorder.content)).entries.slice(1)).toEqual([
      { at: 0, what: 'frame', direction: 'rx', text: '[3,"1",{}]' },
      { at: 0, what: 'frame', direction: 'rx', text: long.slice(0, 4096), cut: long.length },
    ]);
  });
});

describe('the end of the process', () => {
  it('does not wait for the aftermath of a fault', async () => {
    const { clock, recorder, names } = setUp();
    recorder.note(fault('groundFault'));
    await clock.advance(seconds(3));
    await recorder.end('orderly');
    expect(names()).toEqual(['000001-20260105T080000Z-groundFault-1.jsonl']);
    await clock.advance(minutes(5));
    expect(names()).toHaveLength(1);
  });

  it('saves nothing when nothing has happened, and a crash in any case', async () => {
    const orderly = setUp();
    await orderly.recorder.end('orderly');
    expect(orderly.names()).toEqual([]);
    const crashed = setUp();
    await crashed.recorder.end('crash');
    expect(crashed.names()).toEqual(['000001-20260105T080000Z-crash.jsonl']);
    await crashed.recorder.end('orderly');
    expect(crashed.names()).toHaveLength(1);
  });

  it('waits for a disk that does not answer no longer than 300 ms', async () => {
    const { clock, recorder, recordings } = setUp();
    recordings.onSave = () => new Promise(() => {});
    recorder.note(fault('groundFault'));
    let hasEnded = false;
    void recorder.end('orderly').then(() => {
      hasEnded = true;
    });
    await clock.advance(299);
    expect(hasEnded).toBe(false);
    await clock.advance(1);
    await settle();
    expect(hasEnded).toBe(true);
  });
});
