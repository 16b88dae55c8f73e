/** Reader description -> TagReader: the driver, what its tags become, and who is told. */
import type { ReaderDescription } from '../board-description.ts';
import type { Surroundings, TagRead, TagReader } from '../contract.ts';
import type { OpenBytePort, SerialBus } from '../modbus/byte-port.ts';
import { onlookers } from '../onlookers.ts';
import type { OpenInput } from './keyboard-wedge.ts';
import { normalise, type Raw, rawText } from './normalise.ts';

export interface OpenedReader extends TagReader {
  readonly name: string;
  close(): Promise<void>;
}

export interface ReaderPlace extends Surroundings {
  /** Served where the description names none. */
  readonly connectors: readonly number[];
  readonly sysfsRoot: string;
  /** The reader does not answer, or is gone; and when it is back. */
  onSilent(silent: boolean, why?: string): void;
  /** Tests bring their own. */
  readonly openPort?: (serial: SerialBus) => OpenBytePort;
  readonly openInput?: OpenInput;
}

const USUAL_BAUD_RATE = 115_200;

export const readerName = (description: ReaderDescription): string =>
  description.driver === 'pn532' ? `pn532 ${description.port}` : `keyboard ${Object.values(description.device).join()}`;

/** Resolves at once: the reader is looked for in the background, for as long as it takes. */
export async function openReader(description: ReaderDescription, place: ReaderPlace): Promise<OpenedReader> {
  const name = readerName(description);
  const listeners = new Set<(idTag: string) => void>();
  const looks = onlookers<TagRead>();
  const present = (raw: Raw): void => {
    const result = normalise(raw, description.normalise);
    if ('refused' in result) place.log.warn('a tag was ignored', { reader: name, why: result.refused });
    looks.tell({ raw: rawText(raw), ...result });
    if ('idTag' in result) for (const listener of [...listeners]) listener(result.idTag);
  };
  const driver = await startDriver(description, present, place, name);
  return {
    name,
    connectors: description.connectors ?? place.connectors,
    onTag(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onRead: looks.add,
    close: () => driver.close(),
  };
}

async function startDriver(
  description: ReaderDescription,
  present: (raw: Raw) => void,
  place: ReaderPlace,
  name: string,
): Promise<{ close(): Promise<void> }> {
  const { clock, log, sysfsRoot, openInput } = place;
  const onSilent = (silent: boolean, why?: string): void => {
    if (silent) log.warn('a reader does not answer', { reader: name, why });
    else log.info('a reader answers again', { reader: name });
    place.onSilent(silent, why);
  };
  if (description.driver === 'keyboard') {
    const { startKeyboard } = await import('./keyboard-wedge.ts');
    const { device } = description;
    const onTyped = (typed: string): void => present({ typed });
    return startKeyboard({
      clock,
      log,
      onSilent,
      device,
      onTyped,
      sysfsRoot,
      ...(openInput === undefined ? {} : { openInput }),
    });
  }
  const { startPn532 } = await import('./pn532.ts');
  const openPort = place.openPort ?? (await import('../modbus/serial-port.ts')).serialPort;
  const { port: path, baudRate = USUAL_BAUD_RATE } = description;
  const serial: SerialBus = { path, baudRate, parity: 'none', stopBits: 1 };
  return startPn532({ clock, onSilent, openPort: openPort(serial), onCard: (uid) => present({ uid }) });
}
