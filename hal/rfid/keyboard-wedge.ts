/** A USB reader that plays a keyboard: held for us alone, its keys put together to numbers; waited for when it was pulled out. */
import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyboardReaderDescription } from '../board-description.ts';
import type { Cancel, DriverLog } from '../contract.ts';
import { HalError } from '../hal-error.ts';
import { EVIOCGRAB, type Key, keysIn } from './input-event.ts';
import { type Life, type LifeOptions, live, reasonOf } from './life.ts';
import { AWAY_MS } from './presence.ts';

export interface InputEvents {
  received(records: Buffer): void;
  lost(cause: unknown): void;
}

/** Opens the device for us alone. Rejects with the operating system's error. */
export type OpenInput = (path: string, events: InputEvents) => Promise<{ close(): void }>;

export interface KeyboardOptions extends LifeOptions {
  readonly device: KeyboardReaderDescription['device'];
  readonly log: DriverLog;
  /** Called once for a number that is typed again and again while the tag stays. */
  onTyped(text: string): void;
  readonly openInput?: OpenInput;
  /** Where the kernel shows its devices; others in tests only. */
  readonly sysfsRoot: string;
  readonly devRoot?: string;
}

/** Between two keys of a number lie a few milliseconds. */
const NEXT_KEY_WITHIN_MS = 1000;
const MOST_CHARACTERS = 64;

/** Never throws; what is wrong is told by `onSilent`. */
export function startKeyboard(options: KeyboardOptions): { close(): Promise<void> } {
  const typist = new Typist(options);
  return live((life) => session(life, options, typist), options);
}

async function session(life: Life, options: KeyboardOptions, typist: Typist): Promise<void> {
  const { device, sysfsRoot, devRoot = '/dev', openInput = openForUs } = options;
  let cause: unknown;
  let end = (): void => {};
  const untilEnd = new Promise<void>((resolve) => {
    end = resolve;
  });
  const input = await openInput(inputPath(device, sysfsRoot, devRoot), {
    received: (records) => {
      for (const key of keysIn(records)) typist.press(key);
    },
    lost: (why) => {
      cause = why ?? 'unplugged';
      end();
    },
  });
  const forget = life.onOver(end);
  life.heard();
  await untilEnd;
  forget();
  typist.forget();
  input.close();
  if (!life.over) throw new Error(reasonOf(cause));
}

/** The path as it is, or that of the only device with this name or place. Throws a HalError that says what there is. */
export function inputPath(device: KeyboardReaderDescription['device'], sysfsRoot: string, devRoot: string): string {
  if ('path' in device) return device.path;
  const [member, sought] = 'name' in device ? (['name', device.name] as const) : (['phys', device.phys] as const);
  const folder = join(sysfsRoot, 'class/input');
  const inputs = namesIn(folder)
    .filter((name) => /^event\d+$/.test(name))
    .map((name) => ({ name, text: textOf(join(folder, name, 'device', member)) }));
  const [found, second] = inputs.filter(({ text }) => text === sought);
  if (found !== undefined && second === undefined) return join(devRoot, 'input', found.name);
  const there = inputs.map(({ text }) => text).join(', ');
  throw new HalError(
    'driverMissing',
    found === undefined
      ? `no input device has the ${member} ${sought}${there === '' ? '' : `; there are: ${there}`}`
      : `several input devices have the ${member} ${sought}: give device.path, one of /dev/input/by-path`,
  );
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

const openForUs: OpenInput = async (path, events) => {
  const [{ loadLibc }, { watch }] = await Promise.all([import('../linux/libc.ts'), import('../linux/watch.ts')]);
  const libc = await loadLibc();
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    // The kernel looks whether the argument is null, not at what it points to.
    libc.ioctl(fd, EVIOCGRAB, Buffer.alloc(4, 1));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return watch(libc, fd, { onRecords: (records) => events.received(records), onLost: (error) => events.lost(error) });
};

/** Puts keys together to numbers. */
class Typist {
  readonly #options: KeyboardOptions;
  #text = '';
  #timer: Cancel = () => {};
  #last: { readonly text: string; readonly at: number } | undefined;

  constructor(options: KeyboardOptions) {
    this.#options = options;
  }

  press(key: Key): void {
    const { clock } = this.#options;
    this.#timer();
    switch (key.type) {
      case 'lost':
        this.#drop('the kernel lost keys of a reader');
        break;
      case 'enter':
        this.#enter();
        break;
      case 'character':
        this.#text += this.#text.length < MOST_CHARACTERS ? key.character : '';
        this.#timer = clock.after(NEXT_KEY_WITHIN_MS, () => this.#drop('a reader typed a number without Enter'));
    }
  }

  forget(): void {
    this.#timer();
    this.#text = '';
  }

  #drop(why: string): void {
    if (this.#text !== '') this.#options.log.warn(`${why}, ignored`, { characters: this.#text.length });
    this.forget();
  }

  #enter(): void {
    const { clock, onTyped } = this.#options;
    const text = this.#text;
    const at = clock.now();
    this.forget();
    if (text === '') return;
    const isAgain = this.#last?.text === text && at - this.#last.at < AWAY_MS;
    this.#last = { text, at };
    if (!isAgain) onTyped(text);
  }
}
