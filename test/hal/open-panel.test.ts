/** Readers and indicators of a board: who hears of a tag, what a silent reader is, and that lamps are lines like any other. */
import { describe, expect, it } from 'vitest';
import type { ReaderDescription } from '../../hal/board-description.ts';
import type { TagRead } from '../../hal/contract.ts';
import type { Drivers } from '../../hal/drivers.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import type { LineBackend } from '../../hal/gpio/line.ts';
import { openOutput } from '../../hal/gpio/line.ts';
import { openBoard } from '../../hal/open-board.ts';
import { openIndicators, openReaders } from '../../hal/open-panel.ts';
import type { InputEvents } from '../../hal/rfid/keyboard-wedge.ts';
import { openReader } from '../../hal/rfid/open-reader.ts';
import { seconds, VirtualClock } from '../sim/virtual-clock.ts';
import { FakeChip } from './gpio/fake-lines.ts';

const KEYBOARD: ReaderDescription = { driver: 'keyboard', device: { path: '/dev/no-such-input' } };

function stroke(code: number): Buffer {
  const bytes = Buffer.alloc(24);
  bytes.writeUInt16LE(1, 16);
  bytes.writeUInt16LE(code, 18);
  bytes.writeInt32LE(1, 20);
  return bytes;
}

describe('a reader', () => {
  async function open(description: ReaderDescription) {
    const warnings: unknown[] = [];
    let events: InputEvents | undefined;
    const clock = new VirtualClock();
    const reader = await openReader(description, {
      clock,
      log: { info: () => {}, warn: (message, fields) => void warnings.push([message, fields]) },
      connectors: [1, 2],
      sysfsRoot: '/sys',
      onSilent: () => {},
      openInput: async (_path, given) => {
        events = given;
        return { close: () => {} };
      },
    });
    await clock.advance(10);
    const [reads, tags]: [TagRead[], string[]] = [[], []];
    reader.onRead?.((read) => void reads.push(read));
    reader.onTag((idTag) => void tags.push(idTag));
    const type = (codes: readonly number[]) => events?.received(Buffer.concat([...codes, 28].map(stroke)));
    return { reader, type, reads, tags, warnings };
  }

  it('tells what a tag became, and to who looks on what it was', async () => {
    const { type, reads, tags } = await open({ ...KEYBOARD, normalise: { typed: 'decimal', prefix: 'DE' } });
    type([2, 3]);
    expect([reads, tags]).toEqual([[{ raw: '12', idTag: 'DE0000000C' }], ['DE0000000C']]);
  });

  it('keeps to itself what becomes no identifier, with a word in the log that has no number in it', async () => {
    const { type, reads, tags, warnings } = await open({ ...KEYBOARD, normalise: { typed: 'decimal' } });
    type([30, 48]);
    expect([reads, tags]).toEqual([[{ raw: 'AB', refused: 'not a decimal number' }], []]);
    expect(warnings).toEqual([
      ['a tag was ignored', { reader: 'keyboard /dev/no-such-input', why: 'not a decimal number' }],
    ]);
  });

  it('serves all connectors, or those that are named', async () => {
    expect((await open(KEYBOARD)).reader.connectors).toEqual([1, 2]);
    expect((await open({ ...KEYBOARD, connectors: [2] })).reader.connectors).toEqual([2]);
  });
});

describe('the readers of a board', () => {
  it('that are not there are one fault of the charge point, which blocks nothing and ends with the board', async () => {
    const clock = new VirtualClock();
    const book = new FaultBook();
    const closers: (() => void | Promise<void>)[] = [];
    const readers = await openReaders([KEYBOARD, { driver: 'pn532', port: '/dev/no-such-port' }], {
      surroundings: { clock, log: { info: () => {}, warn: () => {} } },
      connectors: [1],
      sysfsRoot: '/sys',
      book,
      keep: (close) => void closers.push(close),
    });
    expect([readers.length, book.current]).toEqual([2, []]);
    // The ports are asked of the real system, which takes real time.
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(seconds(1));
    expect(book.current).toMatchObject([{ code: 'readerSilent', connectorId: 0 }]);
    await Promise.all([...closers.map((close) => close()), clock.advance(seconds(5))]);
  });
});

describe('a board with a panel', () => {
  it('has its readers and indicators, and opens although no reader is there', async () => {
    const chip = new FakeChip();
    const clock = new VirtualClock();
    const drivers = { lines: async () => chip } as Partial<Drivers> as Drivers;
    const board = await openBoard(
      {
        name: 'panel',
        gpio: {},
        connectors: [],
        readers: [KEYBOARD],
        indicators: [{ connector: 0, lines: { red: { line: 5 } } }],
      },
      [],
      { clock, log: { info: () => {}, warn: () => {} } },
      { drivers },
    );
    board.indicators?.[0]?.show({ red: 'on' });
    expect([board.readers.map(({ name }) => name), chip.levels.get(5)]).toEqual([['keyboard /dev/no-such-input'], 1]);
    await Promise.all([board.close(), clock.advance(seconds(5))]);
    expect(chip.levels.get(5)).toBe(0);
  });
});

describe('the indicators of a board', () => {
  it('open the lines that are named, off, and close them dark', async () => {
    const written: string[] = [];
    const backend: Pick<LineBackend, 'openOutput'> = {
      openOutput: async (line, initial) => {
        written.push(`${line} opened ${initial}`);
        return {
          write: (level) => void written.push(`${line} ${level}`),
          close: () => void written.push(`${line} closed`),
        };
      },
    };
    const closers: (() => void | Promise<void>)[] = [];
    const keep = (close: () => void | Promise<void>): void => void closers.push(close);
    const [indicator] = await openIndicators(
      [{ connector: 2, lines: { green: { line: 5 }, buzzer: { line: 6, activeLow: true } } }],
      {
        surroundings: { clock: new VirtualClock(), log: { info: () => {}, warn: () => {} } },
        keep,
        openOutput: async (line) => {
          const output = await openOutput(backend as LineBackend, line);
          keep(() => output.close());
          return output;
        },
      },
    );
    expect(indicator?.connectorId).toBe(2);
    expect(written.splice(0)).toEqual(['5 opened 0', '6 opened 1']);
    indicator?.show({ green: 'on', red: 'on' });
    expect(written.splice(0)).toEqual(['5 1', '6 1']);
    for (const close of closers.reverse()) await close();
    expect(written).toEqual(['5 0', '6 1', '6 1', '6 closed', '5 0', '5 closed']);
  });
});
