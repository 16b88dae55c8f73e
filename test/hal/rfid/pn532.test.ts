/** The PN532 driver against a chip in memory, in virtual time: presentations, a bad line, a supply that goes and comes. */
import { describe, expect, it } from 'vitest';
import type { BytePortEvents } from '../../../hal/modbus/byte-port.ts';
import { startPn532 } from '../../../hal/rfid/pn532.ts';
import { seconds, VirtualClock } from '../../sim/virtual-clock.ts';

const SAM = 0x14;
const LIST = 0x4a;
const SENT = { ack: '0000ff00ff00', wake: '5555' } as const;

/** As the manual draws it; deaf until it was woken and its SAM configured. */
class Chip {
  readonly clock = new VirtualClock();
  readonly asked: number[] = [];
  readonly askedAt: number[] = [];
  readonly raw: string[] = [];
  readonly cards: string[] = [];
  readonly silences: (string | boolean)[] = [];
  opened = 0;
  missing = false;
  powered = true;
  card: string | undefined;
  /** What goes over the line instead of the chip's bytes. */
  spoil: (bytes: Buffer) => Buffer = (bytes) => bytes;
  acks = true;
  /** A command that is never answered. */
  mute: number | undefined;
  #configured = false;
  #events: BytePortEvents | undefined;

  readonly driver = startPn532({
    clock: this.clock,
    openPort: async (events) => {
      this.opened += 1;
      if (this.missing) throw Object.assign(new Error('ENOENT, no such port'), { code: 'ENOENT' });
      this.#events = events;
      return {
        write: (bytes) => this.#heard(Buffer.from(bytes)),
        flush: async () => {},
        close: async () => {
          this.#events = undefined;
        },
      };
    },
    onCard: (uid) => void this.cards.push(Buffer.from(uid).toString('hex')),
    onSilent: (silent, why) => void this.silences.push(silent ? (why ?? true) : false),
  });

  powerOff(): void {
    this.powered = false;
    this.#configured = false;
  }

  unplug(): void {
    this.missing = true;
    this.#events?.closed(new Error('EIO'));
  }

  say(bytes: Buffer): void {
    this.#events?.received(this.spoil(bytes));
  }

  #heard(bytes: Buffer): void {
    this.raw.push(bytes.toString('hex'));
    if (!this.powered || bytes[0] === 0x55 || bytes[3] === 0) return;
    const [command = 0] = bytes.subarray(6);
    this.asked.push(command);
    this.askedAt.push(this.clock.now());
    if (command === this.mute || (!this.#configured && command !== SAM)) return;
    this.#configured = true;
    if (this.acks) this.say(Buffer.from(SENT.ack, 'hex'));
    const uid = Buffer.from(this.card ?? '', 'hex');
    const listed = this.card === undefined ? [0] : [1, 1, 0, 4, 8, uid.length, ...uid];
    const data = [0xd5, command + 1, ...(command === LIST ? listed : [])];
    const sum = (values: readonly number[]): number => -values.reduce((a, b) => a + b, 0) & 0xff;
    const frame = Buffer.from([0, 0, 0xff, data.length, sum([data.length]), ...data, sum(data), 0]);
    this.clock.after(20, () => this.say(frame));
  }
}

async function ready(): Promise<Chip> {
  const chip = new Chip();
  await chip.clock.advance(seconds(1));
  return chip;
}

describe('a PN532', () => {
  it('is woken and configured before it is asked for cards', async () => {
    const chip = await ready();
    expect(chip.raw[0]?.startsWith(SENT.wake)).toBe(true);
    expect(chip.asked.slice(0, 4)).toEqual([SAM, 0x32, LIST, LIST]);
  });

  it.each(['01020304', '04a1b2c3d4e5f6', '00010203040506070809'])('tells a card with the UID %s once', async (card) => {
    const chip = await ready();
    chip.card = card;
    await chip.clock.advance(seconds(30));
    expect(chip.cards).toEqual([card]);
  });

  it('tells it again when it was away for a second, but not when it was only missed for a moment', async () => {
    const chip = await ready();
    chip.card = '01020304';
    await chip.clock.advance(seconds(1));
    chip.card = undefined;
    await chip.clock.advance(600);
    chip.card = '01020304';
    await chip.clock.advance(seconds(1));
    expect(chip.cards).toHaveLength(1);
    chip.card = undefined;
    await chip.clock.advance(1400);
    chip.card = '01020304';
    await chip.clock.advance(seconds(1));
    expect(chip.cards).toHaveLength(2);
  });

  it('tells another card at once, and the first one not again while both lie there', async () => {
    const chip = await ready();
    for (const card of ['01020304', '05060708', '01020304', '05060708']) {
      chip.card = card;
      await chip.clock.advance(300);
    }
    expect(chip.cards).toEqual(['01020304', '05060708']);
  });

  it('is believed without its ACK', async () => {
    const chip = await ready();
    chip.acks = false;
    chip.card = '01020304';
    await chip.clock.advance(seconds(1));
    expect(chip.cards).toEqual(['01020304']);
  });

  it('is asked again at once when nothing at all came back, and looked at again when only the answer was lost', async () => {
    const chip = await ready();
    let lost = 0;
    chip.spoil = (bytes) => (lost-- > 0 ? Buffer.alloc(0) : bytes);
    const gaps = async (losing: number): Promise<readonly number[]> => {
      chip.askedAt.splice(0);
      lost = losing;
      await chip.clock.advance(seconds(3));
      return chip.askedAt.slice(1).map((at, index) => at - (chip.askedAt[index] ?? 0));
    };
    // 20 ms for the answer and 150 of pause.
    expect(new Set(await gaps(0))).toEqual(new Set([170]));
    expect((await gaps(2)).filter((ms) => ms !== 170)).toEqual([100]);
  });

  it('is asked once more when its answer was damaged, and no false card comes of noise', async () => {
    const chip = await ready();
    let count = 0;
    chip.spoil = (bytes) => {
      count += 1;
      const noise = Buffer.from([0x00, 0xff, count & 0xff, 0x31]);
      return count % 3 === 0 ? noise : Buffer.concat([noise, bytes]);
    };
    chip.card = '04a1b2c3d4e5f6';
    await chip.clock.advance(seconds(20));
    expect([chip.cards, chip.silences]).toEqual([['04a1b2c3d4e5f6'], []]);
  });

  it('that has lost its supply is a fault after 10 s, and is configured anew when it is back; a card that lay there all the time is not told again', async () => {
    const chip = await ready();
    chip.card = '01020304';
    await chip.clock.advance(seconds(1));
    chip.powerOff();
    await chip.clock.advance(seconds(9));
    expect(chip.silences).toEqual([]);
    await chip.clock.advance(seconds(12));
    expect(chip.silences).toEqual(['no answer to the first commands']);
    chip.powered = true;
    await chip.clock.advance(seconds(10));
    expect(chip.silences).toEqual(['no answer to the first commands', false]);
    expect(chip.cards).toHaveLength(1);
    chip.card = '05060708';
    await chip.clock.advance(seconds(1));
    expect(chip.cards).toHaveLength(2);
  });

  it('on an adapter that is pulled out is waited for, with pauses that grow to 5 s', async () => {
    const chip = await ready();
    chip.unplug();
    await chip.clock.advance(seconds(60));
    expect(chip.silences).toEqual(['ENOENT, no such port']);
    expect(chip.opened).toBeGreaterThan(12);
    expect(chip.opened).toBeLessThan(20);
    chip.missing = false;
    chip.card = '01020304';
    await chip.clock.advance(seconds(6));
    expect([chip.silences.at(-1), chip.cards]).toEqual([false, ['01020304']]);
  });

  it('that takes commands but never looks for cards is a fault, too', async () => {
    const chip = new Chip();
    chip.mute = LIST;
    await chip.clock.advance(seconds(30));
    expect(chip.silences).toEqual(['no answer']);
  });

  it('is left alone after close, whatever was under way', async () => {
    const chip = await ready();
    chip.powerOff();
    for (const { length } = chip.raw; chip.raw.length === length; ) await chip.clock.advance(10);
    // Nothing that takes time is waited for: the clock stands.
    await chip.driver.close();
    const { length } = chip.raw;
    await chip.clock.advance(seconds(30));
    expect([chip.raw.length, chip.silences]).toEqual([length, []]);
  });
});
