/** USB keyboard readers: events of the kernel byte by byte, numbers out of keys, a device that goes and comes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { INPUT_EVENT, keysIn } from '../../../hal/rfid/input-event.ts';
import { type InputEvents, inputPath, startKeyboard } from '../../../hal/rfid/keyboard-wedge.ts';
import { seconds, VirtualClock } from '../../sim/virtual-clock.ts';

const [RELEASED, PRESSED, REPEATED] = [0, 1, 2];
const ENTER = 28;

function event(type: number, code: number, value: number): Buffer {
  const bytes = Buffer.alloc(INPUT_EVENT.size, 0xee);
  bytes.writeUInt16LE(type, 16);
  bytes.writeUInt16LE(code, 18);
  bytes.writeInt32LE(value, 20);
  return bytes;
}
const SYNC = event(0, 0, 0);
const DROPPED = event(0, 3, 0);
/** As a keyboard sends it: scan code, key, synchronisation, for each of down and up. */
const stroke = (code: number): Buffer =>
  Buffer.concat([event(4, 4, 458_782), event(1, code, PRESSED ?? 1), SYNC, event(1, code, RELEASED ?? 0), SYNC]);
/** Of linux/input-event-codes.h. */
const CODES: { readonly [character: string]: number } = { 0: 11, 1: 2, 2: 3, 3: 4, 9: 10, A: 30, B: 48, F: 33 };
const typed = (text: string, end = ENTER): Buffer =>
  Buffer.concat([...[...text].map((character) => stroke(CODES[character] ?? 0)), stroke(end)]);

describe('the events of a keyboard', () => {
  it.each([
    [[2, 3, 4, 5, 6, 7, 8, 9, 10, 11], '1234567890'],
    [[82, 79, 80, 81, 75, 76, 77, 71, 72, 73], '0123456789'],
    [[30, 48, 46, 32, 18, 33, 50, 21, 44], 'ABCDEFMYZ'],
    [[42, 39, 15, 1], ''],
  ])('with the key codes %j are %j', (codes, text) => {
    const keys = keysIn(Buffer.concat(codes.map(stroke)));
    expect(keys.map((key) => (key.type === 'character' ? key.character : `<${key.type}>`)).join('')).toBe(text);
  });

  it('count a key when it goes down, not while it is held and not when it comes up', () => {
    expect(keysIn(Buffer.concat([event(1, 2, REPEATED ?? 2), event(1, 2, RELEASED ?? 0)]))).toEqual([]);
  });

  it('have Enter in two places, and say when the kernel lost some', () => {
    expect(keysIn(Buffer.concat([stroke(28), stroke(96), DROPPED])).map(({ type }) => type)).toEqual([
      'enter',
      'enter',
      'lost',
    ]);
  });
});

class Desk {
  readonly clock = new VirtualClock();
  readonly numbers: string[] = [];
  readonly silences: boolean[] = [];
  readonly warnings: string[] = [];
  there = true;
  open = 0;
  #events: InputEvents | undefined;
  readonly driver = startKeyboard({
    clock: this.clock,
    log: { info: () => {}, warn: (message) => void this.warnings.push(message) },
    device: { path: '/dev/input/by-id/reader-event-kbd' },
    sysfsRoot: '/sys',
    onTyped: (text) => void this.numbers.push(text),
    onSilent: (silent) => void this.silences.push(silent),
    openInput: async (_path, events) => {
      if (!this.there) throw new Error('ENOENT');
      this.open += 1;
      this.#events = events;
      return {
        close: () => {
          this.open -= 1;
        },
      };
    },
  });

  type(text: string, end?: number): void {
    this.#events?.received(typed(text, end));
  }

  send(records: Buffer): void {
    this.#events?.received(records);
  }

  pullOut(): void {
    this.there = false;
    this.#events?.lost(new Error('ENODEV'));
  }
}

async function ready(): Promise<Desk> {
  const desk = new Desk();
  await desk.clock.advance(10);
  return desk;
}

describe('a keyboard reader', () => {
  it('tells a number at Enter, of either kind', async () => {
    const desk = await ready();
    desk.type('0123');
    desk.type('9AF', 96);
    expect(desk.numbers).toEqual(['0123', '9AF']);
  });

  it('tells a number that it types again and again once, and again after a second without', async () => {
    const desk = await ready();
    for (let time = 0; time < 5; time += 1) {
      desk.type('123');
      await desk.clock.advance(700);
    }
    expect(desk.numbers).toEqual(['123']);
    await desk.clock.advance(400);
    desk.type('123');
    expect(desk.numbers).toEqual(['123', '123']);
  });

  it('forgets a number that is not ended within a second, with a word about it', async () => {
    const desk = await ready();
    desk.send(Buffer.concat([stroke(2), stroke(3)]));
    await desk.clock.advance(seconds(1));
    desk.type('3');
    expect(desk.numbers).toEqual(['3']);
    expect(desk.warnings).toEqual(['a reader typed a number without Enter, ignored']);
  });

  it('waits while keys still come', async () => {
    const desk = await ready();
    for (const code of [2, 3, 4]) {
      desk.send(stroke(code));
      await desk.clock.advance(900);
    }
    desk.send(stroke(ENTER));
    expect(desk.numbers).toEqual(['123']);
  });

  it('does not tell a number of which the kernel lost keys, nor an Enter alone', async () => {
    const desk = await ready();
    desk.send(Buffer.concat([stroke(2), DROPPED]));
    desk.send(stroke(ENTER));
    expect([desk.numbers, desk.warnings]).toEqual([[], ['the kernel lost keys of a reader, ignored']]);
  });

  it('that is pulled out is a fault after 10 s and works again when it is back; what was half typed is gone', async () => {
    const desk = await ready();
    desk.send(stroke(2));
    desk.pullOut();
    await desk.clock.advance(seconds(9));
    expect([desk.open, desk.silences]).toEqual([0, []]);
    await desk.clock.advance(seconds(6));
    expect(desk.silences).toEqual([true]);
    desk.there = true;
    await desk.clock.advance(seconds(5));
    desk.type('3');
    expect([desk.open, desk.silences, desk.numbers]).toEqual([1, [true, false], ['3']]);
  });

  it('is given back by close', async () => {
    const desk = await ready();
    await desk.driver.close();
    expect(desk.open).toBe(0);
  });
});

describe('where a keyboard reader is', () => {
  let sysfs: string;
  beforeEach(() => {
    sysfs = mkdtempSync(join(tmpdir(), 'input-'));
    for (const [event, name, phys] of [
      ['event0', 'Power Button', 'gpio/input0'],
      ['event3', 'Reader', 'usb-1.1/input0'],
      ['event4', 'Reader', 'usb-1.2/input0'],
    ] as const) {
      mkdirSync(join(sysfs, 'class/input', event, 'device'), { recursive: true });
      writeFileSync(join(sysfs, 'class/input', event, 'device/name'), `${name}\n`);
      writeFileSync(join(sysfs, 'class/input', event, 'device/phys'), `${phys}\n`);
    }
  });
  afterEach(() => rmSync(sysfs, { recursive: true, force: true }));

  it('says its path, its name or its place', () => {
    expect(inputPath({ path: '/dev/input/by-id/x' }, sysfs, '/dev')).toBe('/dev/input/by-id/x');
    expect(inputPath({ name: 'Power Button' }, sysfs, '/dev')).toBe('/dev/input/event0');
    expect(inputPath({ phys: 'usb-1.2/input0' }, sysfs, '/dev')).toBe('/dev/input/event4');
  });

  it('is never guessed: two of a name are told apart by their path, and a wrong name gets the right ones', () => {
    expect(() => inputPath({ name: 'Reader' }, sysfs, '/dev')).toThrow(/several input devices.*by-path/);
    expect(() => inputPath({ name: 'Raeder' }, sysfs, '/dev')).toThrow(
      'no input device has the name Raeder; there are: Power Button, Reader, Reader',
    );
  });
});
