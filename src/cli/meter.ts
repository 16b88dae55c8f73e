/** `chargepoint meter scan`, `read` and `watch`: what hangs on the bus, and what it says. */
import { HalError } from '../../hal/hal-error.ts';
import type { SerialSettings } from '../../hal/modbus/register-map.ts';
import type { FoundDevice, ScanResult } from '../../hal/modbus/scan.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode, onEndSignals } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { json } from './format.ts';
import type { Io } from './io.ts';
import { headText, lineText, type MeterAnswer, valuesText } from './meter-answer.ts';
import type { MeterSourceOptions } from './meter-source.ts';

export interface ScanCommandOptions extends AgentOptions {
  readonly port?: string;
  readonly baud?: number;
  readonly units: readonly number[];
  readonly json?: boolean;
}

export interface ReadOptions extends Omit<MeterSourceOptions, 'settings'> {
  readonly baud?: number;
  readonly parity?: SerialSettings['parity'];
  readonly stopBits?: 1 | 2;
  readonly json?: boolean;
}

export interface WatchOptions extends ReadOptions {
  /** In seconds. */
  readonly every: number;
  /** Absent: until Ctrl-C. */
  readonly count?: number;
}

/** Exit code 0 if a meter was recognised, 70 if not or if the port failed, 78 for the command line and where an agent owns the port. */
export async function scan(io: Io, options: ScanCommandOptions): Promise<ExitCode> {
  const { portFor, refusalFor, busyText, lastingName } = await import('./meter-port.ts');
  const usable = portFor(io, options.port);
  if (typeof usable === 'number') return usable;
  const { port } = usable;
  const refusal = await refusalFor(io, options, port);
  if (refusal !== undefined) return refusal;
  const { Asked, scanText, unitsText } = await import('./meter-scan-text.ts');
  try {
    const asked = new Asked();
    const result = await scanned(io, port, options, (settings, unit) => asked.trying(settings, unit));
    io.out(
      options.json === true ? json({ port: lastingName(port), ...plain(result) }) : scanText(lastingName(port), result),
    );
    if (result.devices.length === 0 && options.json !== true)
      io.err(result.aborted ? asked.text() : `Asked were the units ${unitsText(options.units)}.\n`);
    return result.devices.some(({ fits }) => fits.length > 0) ? EXIT.ok : EXIT.internal;
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    io.err(busyText(port, error.cause ?? error));
    return EXIT.internal;
  }
}

/** Rejects with HalError if the port fails. Ctrl-C ends it. `asking` is told before each unit is asked. */
export async function scanned(
  io: Io,
  path: string,
  { baud, units }: Pick<ScanCommandOptions, 'baud' | 'units'>,
  asking: (settings: SerialSettings, unit: number) => void = () => {},
): Promise<ScanResult> {
  const [{ longestScanMs, scanBus }, { GUESSES, settingsText }, { shippedModels }, { toolSurroundings }] =
    await Promise.all([
      import('../../hal/modbus/scan.ts'),
      import('../../hal/modbus/scan-order.ts'),
      import('./meter-maps.ts'),
      import('./meter-source.ts'),
    ]);
  const guesses = baud === undefined ? GUESSES : withBaud(GUESSES, baud);
  const longestS = Math.ceil(longestScanMs({ guesses, units }) / 1000);
  const abort = new AbortController();
  const forget = onEndSignals(
    () => abort.abort(),
    () => abort.abort(),
  );
  // From here on Ctrl-C is heard.
  io.err(`Scanning ${path}: at most ${longestS} s until something answers. Ctrl-C ends it.\n`);
  const progress = progressOn(io);
  try {
    const trying = (settings: SerialSettings, unit: number): void => {
      asking(settings, unit);
      progress.show(settingsText(settings), unit);
    };
    const { signal } = abort;
    const surroundings = await toolSurroundings();
    return await scanBus({ path, guesses, units, models: shippedModels(io), signal, trying }, surroundings);
  } finally {
    progress.end();
    forget();
  }
}

/** The usual ways to set a port at this rate, in the order of the guesses. */
function withBaud(guesses: readonly SerialSettings[], baudRate: number): readonly SerialSettings[] {
  const usual = guesses.filter((guess) => guess.baudRate === baudRate);
  if (usual.length > 0) return usual;
  return (['none', 'even', 'odd'] as const).map((parity) => ({ baudRate, parity, stopBits: 1 }));
}

/** One line that changes on a terminal; elsewhere one for each guess. */
function progressOn(io: Io): { show(settings: string, unit: number): void; end(): void } {
  let last = '';
  return {
    show: (settings, unit) => {
      if (io.isTerminal) io.err(`\r${`${settings} unit ${unit} ...`.padEnd(30)}`);
      else if (settings !== last) io.err(`${settings} unit ${unit} ...\n`);
      last = settings;
    },
    end: () => {
      if (io.isTerminal && last !== '') io.err(`\r${' '.repeat(30)}\r`);
    },
  };
}

/** Without the maps themselves: their names say which they are. */
const plain = ({ devices, ...rest }: ScanResult) => ({ devices: devices.map(plainDevice), ...rest });

const plainDevice = ({ fits, ...device }: FoundDevice) => ({
  ...device,
  fits: fits.map(({ map, ...fit }) => ({ ...fit, model: map.model, verified: map.verified })),
});

/** Exit code 0; 70 if the meter gave no reading or nobody could be asked, 78 for the command line and the configuration. */
export async function readMeter(io: Io, options: ReadOptions): Promise<ExitCode> {
  const { meterSource } = await import('./meter-source.ts');
  const source = await meterSource(io, { ...options, settings: settingsOf(options) });
  if (typeof source === 'number') return source;
  try {
    const answer = await source.read();
    if (options.json === true) io.out(json(answer));
    else if (answer.failure === undefined) io.out(`${headText(answer)}\n${valuesText(answer.values)}`);
    return answer.failure === undefined ? EXIT.ok : failed(io, answer);
  } finally {
    await source.close();
  }
}

/** Until Ctrl-C, or `count` readings. Exit code 0; 70 if the last one failed. A meter that is silent for a while is waited for. */
export async function watchMeter(io: Io, options: WatchOptions): Promise<ExitCode> {
  const { meterSource } = await import('./meter-source.ts');
  const source = await meterSource(io, { ...options, settings: settingsOf(options) });
  if (typeof source === 'number') return source;
  const pause = pauses();
  let code: ExitCode = EXIT.ok;
  try {
    for (let count = 0; !pause.ended && count < (options.count ?? Number.POSITIVE_INFINITY); count += 1) {
      if (count > 0) await pause.for(options.every * 1000);
      // Whoever has pressed Ctrl-C does not wait for a silent meter.
      const answer = pause.ended ? undefined : await Promise.race([source.read(), pause.untilEnded]);
      if (answer === undefined) break;
      if (count === 0 && options.json !== true) io.out(headText(answer));
      code = shown(io, answer, options.json === true);
    }
    return code;
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    io.err(`${error.message}.\n`);
    return EXIT.internal;
  } finally {
    pause.close();
    await source.close();
  }
}

function shown(io: Io, answer: MeterAnswer, asJson: boolean): ExitCode {
  const time = new Date(Date.now()).toISOString();
  if (asJson) io.out(`${JSON.stringify({ time, ...answer })}\n`);
  else if (answer.failure === undefined) io.out(`${time.slice(11, 19)}Z  ${lineText(answer.values)}\n`);
  if (answer.failure === undefined) return EXIT.ok;
  return failed(io, answer);
}

function failed(io: Io, { failure }: MeterAnswer): ExitCode {
  io.err(`No reading: ${failure?.message}.\n`);
  if (failure?.code === 'meterSilent') {
    io.err('Look at power, A/B, termination, baud rate, parity and unit: chargepoint meter scan\n');
  }
  return EXIT.internal;
}

function settingsOf({ baud, parity, stopBits }: ReadOptions): Partial<SerialSettings> {
  return {
    ...(baud === undefined ? {} : { baudRate: baud }),
    ...(parity === undefined ? {} : { parity }),
    ...(stopBits === undefined ? {} : { stopBits }),
  };
}

/** Waits that Ctrl-C ends. */
function pauses() {
  let wake = (): void => {};
  let end = (): void => {};
  const untilEnded = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  const state = { ended: false };
  const stop = (): void => {
    state.ended = true;
    end();
    wake();
  };
  const forget = onEndSignals(stop, stop);
  return {
    get ended() {
      return state.ended;
    },
    untilEnded,
    for: (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    close: forget,
  };
}
