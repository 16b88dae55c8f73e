/** Readers as they are: a PN532 that its manual describes on a pty, and a keyboard reader whose ioctls are looked at by strace. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReaderDescription } from '../../hal/board-description.ts';
import { EVIOCGRAB, INPUT_EVENT, keysIn } from '../../hal/rfid/input-event.ts';
import { type OpenedReader, openReader } from '../../hal/rfid/open-reader.ts';
import { toolSurroundings } from '../../src/cli/meter-source.ts';
import { bundled } from './support/bundled.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RIG = join(import.meta.dirname, 'rigs/pn532.py');
const SEED = 532;

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function until(what: string, condition: () => boolean, withinMs = 8000): Promise<void> {
  for (const end = performance.now() + withinMs; !condition(); await pause(10)) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rfid-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Told {
  readonly complaints: readonly string[];
  readonly configured: number;
  readonly wakeups: number;
  readonly looks: number;
  readonly spoilt: number;
}

/** The chip, by its rig. */
class Chip {
  readonly port = join(folder, 'pn532');
  readonly #process: ChildProcessWithoutNullStreams = spawn('/usr/bin/python3', [RIG, this.port, String(SEED)]);
  readonly #answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();

  constructor() {
    this.#process.stderr.pipe(process.stderr);
  }

  /** What the chip has seen since the last order. */
  async order(text: string): Promise<Told> {
    this.#process.stdin.write(`${text}\n`);
    return JSON.parse(String((await this.#answers.next()).value)) as Told;
  }

  stop(): void {
    this.#process.kill('SIGTERM');
  }
}

describe('a PN532 on a serial line', { timeout: 120_000 }, () => {
  let chip: Chip;
  let reader: OpenedReader | undefined;
  let tags: string[];
  let silences: boolean[];

  async function open(more: Partial<Extract<ReaderDescription, { driver: 'pn532' }>> = {}): Promise<void> {
    const description: ReaderDescription = { driver: 'pn532', port: chip.port, ...more };
    reader = await openReader(description, {
      ...(await toolSurroundings()),
      connectors: [1],
      sysfsRoot: '/sys',
      onSilent: (silent) => void silences.push(silent),
    });
    reader.onTag((idTag) => void tags.push(idTag));
  }

  /** Until the chip is asked for cards. */
  async function asked(): Promise<void> {
    for (let turn = 0; turn < 400; turn += 1) {
      if ((await chip.order('tell')).looks > 0) return;
      await pause(25);
    }
    throw new Error('the chip is not asked');
  }

  beforeEach(async () => {
    chip = new Chip();
    tags = [];
    silences = [];
    await chip.order('card none');
  });
  afterEach(async () => {
    await reader?.close();
    reader = undefined;
    chip.stop();
  });

  it('is woken, configured and asked without a word of complaint, and its cards are told once each', async () => {
    await open({ normalise: { prefix: 'X' } });
    const uids = ['01020304', '04a1b2c3d4e5f6', '00010203040506070809'];
    await asked();
    for (const uid of uids) {
      await chip.order(`card ${uid}`);
      await pause(700);
      await chip.order('card none');
      await pause(1500);
    }
    const { complaints } = await chip.order('tell');
    // The longest has no room for a prefix.
    expect(complaints).toEqual([]);
    expect(tags).toEqual(['X01020304', 'X04A1B2C3D4E5F6']);
  });

  it('on a line that spoils a quarter of what it says is never misread, and never given up', async () => {
    await open();
    await asked();
    await chip.order('line 25');
    const uids = Array.from({ length: 8 }, (_, index) => `04a1b2c3d4e5${(0xa0 + index).toString(16)}`);
    let spoilt = 0;
    for (const uid of uids) {
      spoilt += (await chip.order(`card ${uid}`)).spoilt;
      await until(`${uid} is told`, () => tags.includes(uid.toUpperCase()));
      await pause(600);
      spoilt += (await chip.order('card none')).spoilt;
      await pause(300);
    }
    expect(spoilt).toBeGreaterThan(15);
    expect(tags).toEqual(uids.map((uid) => uid.toUpperCase()));
    expect(silences).toEqual([]);
  });

  it('that loses its supply is missed after 10 s, woken and configured anew; its card is not told twice', async () => {
    await open();
    await asked();
    await chip.order('card 01020304');
    await until('the card', () => tags.length === 1);
    await chip.order('power off');
    await until('the silence', () => silences.length === 1, 25_000);
    await chip.order('power on');
    await until('the return', () => silences.length === 2, 15_000);
    await asked();
    await pause(1500);
    const { complaints } = await chip.order('card 05060708');
    await until('another card', () => tags.length === 2);
    expect([complaints, tags, silences]).toEqual([[], ['01020304', '05060708'], [true, false]]);
  });

  it('on an adapter that is pulled out and put back works again', async () => {
    await open();
    await asked();
    await chip.order('plug out');
    await pause(500);
    await chip.order('plug in');
    await chip.order('card 01020304');
    await until('the card', () => tags.length === 1, 15_000);
  });
});

describe('chargepoint rfid without an agent', { timeout: 120_000 }, () => {
  let bundles: string;
  let entry: string;
  let child: ChildProcess | undefined;
  let chip: Chip | undefined;

  beforeAll(async () => {
    bundles = mkdtempSync(join(ROOT, 'node_modules/.rfid-'));
    entry = join(bundles, 'entry.mjs');
    await bundled('meter-entry.ts', entry);
  });
  afterAll(() => rmSync(bundles, { recursive: true, force: true }));
  afterEach(() => {
    child?.kill('SIGKILL');
    child = undefined;
    chip?.stop();
    chip = undefined;
  });

  /** The shipped board with this reader; the control socket is one that nobody listens on. */
  function configured(reader: object): string {
    const board = readFileSync(join(ROOT, 'config/boards/raspberry-pi-lab.yaml'), 'utf8');
    writeFileSync(join(folder, 'board.yaml'), `${board}\nreaders: [${JSON.stringify(reader)}]\n`);
    const file = join(folder, 'chargepoint.yaml');
    writeFileSync(
      file,
      `chargePoint: { identity: cp, vendor: v, model: m }
centralSystem: { url: "ws://127.0.0.1:9" }
board: ./board.yaml
stateDir: ${folder}/state
acknowledgeLabUse: true
control: { socket: ${folder}/control.sock }
connectors: [{ id: 1, cable: attached, meter: { model: eastron-sdm630, unit: 1, bus: { port: /dev/x } } }]
`,
    );
    return file;
  }

  function start(file: string, options: readonly string[], tracer: readonly string[] = []) {
    const [command = '', ...rest] = [...tracer, process.execPath, entry, join(ROOT, 'src/main.ts'), 'rfid'];
    const started = spawn(command, [...rest, '--config', file, ...options]);
    child = started;
    const texts = { out: '', err: '' };
    started.stdout.on('data', (text) => {
      texts.out += text;
    });
    started.stderr.on('data', (text) => {
      texts.err += text;
    });
    return { texts, child: started, ended: once(started, 'close') };
  }

  it('shows what a PN532 reads, until Ctrl-C', async () => {
    chip = new Chip();
    await chip.order('card 04a1b2c3');
    const {
      texts,
      child: running,
      ended,
    } = start(configured({ driver: 'pn532', port: chip.port, normalise: { reverse: true } }), []);
    await until('the tag', () => texts.out.includes('becomes'), 20_000);
    running.kill('SIGINT');
    expect([await ended, texts.err]).toEqual([[0, null], '']);
    expect(texts.out).toContain('No agent runs');
    expect(texts.out).toMatch(/read {5}04A1B2C3\n {2}becomes {2}C3B2A104\n$/);
  });

  it('holds a keyboard reader for itself alone, and shows what it types', async () => {
    const input = join(folder, 'event0');
    const log = join(folder, 'strace');
    execFileSync('mkfifo', [input]);
    const writer = openSync(input, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      // There is no keyboard here: a FIFO takes its place, and strace answers the ioctl for the kernel.
      const tracer = ['strace', '-f', '-o', log, '-P', input, '-e', 'trace=ioctl', '-e', 'inject=ioctl:retval=0'];
      const file = configured({ driver: 'keyboard', device: { path: input }, normalise: { typed: 'decimal' } });
      const { texts, ended } = start(file, ['--json', '--count', '1'], tracer);
      await until('the grab', () => readIfThere(log).includes('EVIOCGRAB'), 30_000);
      const typed = [11, 11, 11, 7, 9, 7, 3, 4, 6, 10, 28].flatMap((code) => [record(1, code, 1), record(1, code, 0)]);
      writeSync(writer, Buffer.concat(typed));
      expect([await ended, texts.err]).toEqual([[0, null], '']);
      expect(JSON.parse(texts.out)).toMatchObject({ raw: '0006862359', idTag: '0068B617', connectors: [1] });
      // Anything but a null pointer holds the device.
      expect(readIfThere(log)).toMatch(/ioctl\(\d+, EVIOCGRAB, (0x)?[0-9a-f]*[1-9a-f][0-9a-f]*\) += 0 \(INJECTED\)/);
      expect(readIfThere(log).match(/ioctl\(/g)).toHaveLength(1);
    } finally {
      closeSync(writer);
    }
  });
});

const readIfThere = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

function record(type: number, code: number, value: number): Buffer {
  const bytes = Buffer.alloc(INPUT_EVENT.size);
  bytes.writeUInt16LE(type, INPUT_EVENT.type);
  bytes.writeUInt16LE(code, INPUT_EVENT.code);
  bytes.writeInt32LE(value, INPUT_EVENT.value);
  return bytes;
}

describe('the interface of input devices', () => {
  /** What the C compiler makes of these expressions. */
  function inC(expressions: readonly string[]): readonly number[] {
    const lines = expressions.map((each) => `printf("%llu\\n", (unsigned long long)(${each}));`).join('\n');
    const program = join(folder, 'facts');
    execFileSync('cc', ['-x', 'c', '-o', program, '-'], {
      input: `#include <linux/input.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n${lines}\n}\n`,
    });
    return execFileSync(program, { encoding: 'utf8' }).trim().split('\n').map(Number);
  }

  it('is as the header of the kernel has it', () => {
    const { size, type, code, value } = INPUT_EVENT;
    const member = (name: string): string => `offsetof(struct input_event, ${name})`;
    const asked = ['EVIOCGRAB', 'sizeof(struct input_event)', member('type'), member('code'), member('value')];
    expect(inC(asked)).toEqual([EVIOCGRAB, size, type, code, value]);
  });

  it('has its keys where we look for them', () => {
    const characters = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
    const codes = inC([
      ...characters.map((character) => `KEY_${character}`),
      ...[...'0123456789'].map((digit) => `KEY_KP${digit}`),
      'KEY_MINUS',
    ]);
    const keys = keysIn(Buffer.concat(codes.map((code) => record(1, code, 1))));
    const text = keys.map((key) => (key.type === 'character' ? key.character : `<${key.type}>`)).join('');
    expect(text).toBe(`${characters.join('')}0123456789-`);
    const [enter = 0, keypadEnter = 0, dropped = 0] = inC(['KEY_ENTER', 'KEY_KPENTER', 'SYN_DROPPED']);
    const records = [record(1, enter, 1), record(1, keypadEnter, 1), record(0, dropped, 0)];
    expect(keysIn(Buffer.concat(records)).map((key) => key.type)).toEqual(['enter', 'enter', 'lost']);
  });
});
