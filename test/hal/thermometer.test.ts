/** A thermometer behind a file: good and bad texts, silence, reads that hang. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  FIRST_READ_WITHIN_MS,
  oneReadAtATime,
  openThermometer,
  READ_EVERY_MS,
  readTextFile,
} from '../../hal/thermometer.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const setUp = (first = '25000\n') => {
  const clock = new VirtualClock();
  const story: (number | string)[] = [];
  const file = { text: first, reads: 0, answer: undefined as ((text: string) => void) | undefined, hangs: false };
  const read = (): Promise<string> => {
    file.reads += 1;
    if (file.hangs) return new Promise((resolve) => (file.answer = resolve));
    return file.text === 'EIO' ? Promise.reject(new Error('EIO')) : Promise.resolve(file.text);
  };
  const watch = { measured: (celsius: number) => story.push(celsius), silent: () => story.push('silent') };
  const log = { info: (message: string) => story.push(message), warn: (message: string) => story.push(message) };
  const open = () => openThermometer({ file: '/sys/t', read, watch, clock, log });
  return { clock, story, file, open };
};

const SILENT = ['the thermometer does not answer', 'silent'];

describe('a thermometer behind a file', () => {
  it('is read at once, and then every five seconds', async () => {
    const { clock, story, file, open } = setUp();
    await open().ready;
    expect(story).toEqual([25]);
    file.text = '-1062';
    await clock.advance(READ_EVERY_MS);
    expect(story).toEqual([25, -1.062]);
  });

  it.each(['', 'EIO', '85.5', '23a', '0x10', '999999', '-127000'])(
    'is silent after three readings of %j',
    async (text) => {
      const { clock, story, file, open } = setUp();
      await open().ready;
      file.text = text;
      await clock.advance(2 * READ_EVERY_MS);
      expect(story).toEqual([25]);
      await clock.advance(READ_EVERY_MS);
      expect(story).toEqual([25, ...SILENT]);
      await clock.advance(10 * READ_EVERY_MS);
      expect(story).toHaveLength(3);
      file.text = '30000';
      await clock.advance(READ_EVERY_MS);
      expect(story.slice(3)).toEqual(['the thermometer answers again', 30]);
    },
  );

  it('counts anew after a good reading', async () => {
    const { clock, story, file, open } = setUp();
    await open().ready;
    for (const text of ['', '', '26000', '', '']) {
      file.text = text;
      await clock.advance(READ_EVERY_MS);
    }
    expect(story).toEqual([25, 26]);
  });

  it('never reads twice at a time: a read that hangs counts as failed until it answers', async () => {
    const { clock, story, file, open } = setUp();
    await open().ready;
    file.hangs = true;
    await clock.advance(10 * READ_EVERY_MS);
    expect([file.reads, story]).toEqual([2, [25, ...SILENT]]);
    file.hangs = false;
    file.answer?.('40000');
    await clock.advance(0);
    expect(story.slice(3)).toEqual(['the thermometer answers again', 40]);
    await clock.advance(READ_EVERY_MS);
    expect(file.reads).toBe(3);
  });

  it('does not keep the board from opening if the first read hangs', async () => {
    const { clock, file, open } = setUp();
    file.hangs = true;
    let isReady = false;
    void open().ready.then(() => (isReady = true));
    await clock.advance(FIRST_READ_WITHIN_MS - 1);
    expect(isReady).toBe(false);
    await clock.advance(1);
    expect(isReady).toBe(true);
  });

  it('says nothing and waits for nothing once it is closed', async () => {
    const { clock, story, file, open } = setUp();
    file.hangs = true;
    const thermometer = open();
    thermometer.close();
    await thermometer.ready;
    file.answer?.('90000');
    await clock.advance(10 * READ_EVERY_MS);
    expect([story, clock.armed]).toEqual([[], 0]);
  });

  it('waits for the others of its board', async () => {
    const hanging: ((text: string) => void)[] = [];
    const read = oneReadAtATime(() => new Promise((resolve) => hanging.push(resolve)));
    const [first, second] = [read('a'), read('b')];
    await new VirtualClock().advance(0);
    expect(hanging).toHaveLength(1);
    hanging[0]?.('1');
    expect(await first).toBe('1');
    await new VirtualClock().advance(0);
    hanging[1]?.('2');
    expect(await second).toBe('2');
  });

  it('lets the next one read after one has failed', async () => {
    const read = oneReadAtATime(async (file) => {
      if (file === 'bad') throw new Error('EIO');
      return file;
    });
    await expect(read('bad')).rejects.toThrow('EIO');
    expect(await read('good')).toBe('good');
  });

  it('is read from a real file', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'thermometer-')), 'temperature');
    writeFileSync(file, '21500\n');
    expect(await readTextFile(file)).toBe('21500\n');
  });
});
