/** Where `chargepoint meter` gets a reading from: the running agent, which owns the bus, or the bus itself. */
import type { Surroundings } from '../../hal/contract.ts';
import type { SerialSettings } from '../../hal/modbus/register-map.ts';
import type { MeterConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import type { MeterAnswer } from './meter-answer.ts';

export interface MeterSourceOptions extends AgentOptions {
  readonly connector?: number;
  readonly port?: string;
  readonly model?: string;
  readonly unit?: number;
  /** What differs from the factory settings of the model. */
  readonly settings: Partial<SerialSettings>;
}

export interface MeterSource {
  /** Rejects with ControlError if the agent has gone. */
  read(): Promise<MeterAnswer>;
  close(): Promise<void>;
}

/** The exit code after it has been said why there is none. */
export async function meterSource(io: Io, options: MeterSourceOptions): Promise<MeterSource | ExitCode> {
  const { connector, port, model, unit } = options;
  if (port === undefined && model === undefined) return connectorSource(io, options, connector ?? 1);
  if (connector !== undefined || port === undefined || model === undefined) {
    io.err('Name either a --connector of the configuration, or --port and --model (and --unit) of a meter.\n');
    return EXIT.config;
  }
  const [{ mapNamed }, { portFor, refusalFor }] = await Promise.all([
    import('./meter-maps.ts'),
    import('./meter-port.ts'),
  ]);
  const map = mapNamed(io, model);
  if (map === undefined) return EXIT.config;
  const usable = portFor(io, port);
  if (typeof usable === 'number') return usable;
  const refusal = await refusalFor(io, options, port);
  if (refusal !== undefined) return refusal;
  return busSource({ model, map, bus: { port, ...options.settings }, unit: unit ?? map.serial.unit ?? 1 });
}

/** The agent is asked first; where none runs, the meter of that connector by the configuration. */
async function connectorSource(io: Io, options: AgentOptions, connector: number): Promise<MeterSource | ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  const path = `/meters/reading?connector=${connector}`;
  const ask = async (): Promise<MeterAnswer> => (await callAgent(socket, { path })) as MeterAnswer;
  try {
    const first = await ask();
    let next: MeterAnswer | undefined = first;
    return {
      read: async () => {
        const answer = next ?? (await ask());
        next = undefined;
        return answer;
      },
      close: async () => {},
    };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    if (error.code !== 'noAgent') {
      io.err(`${error.message}.\n`);
      return error.code === 'badRequest' || error.code === 'notFound' ? EXIT.config : EXIT.internal;
    }
  }
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  const { config } = loaded;
  const meter = config.connectors.find(({ id }) => id === connector)?.meter;
  if (meter !== undefined) return busSource(meter, connector);
  io.err(
    config.connectors.some(({ id }) => id === connector)
      ? 'The meter of the mock board exists in a running agent only: chargepoint bench\n'
      : `There is no connector ${connector}.\n`,
  );
  return EXIT.config;
}

/** Opens the port at the first reading. */
async function busSource(meter: MeterConfig, connector?: number): Promise<MeterSource> {
  const [{ modbusBus }, { modbusMeter }, { identityOf, outcomeOf }, surroundings] = await Promise.all([
    import('../../hal/modbus/bus.ts'),
    import('../../hal/modbus/modbus-meter.ts'),
    import('./meter-route.ts'),
    toolSurroundings(),
  ]);
  const { map, unit } = meter;
  const { baudRate, parity, stopBits } = map.serial;
  const { port: path, ...given } = meter.bus;
  const bus = modbusBus({ baudRate, parity, stopBits, ...given, path }, surroundings);
  const place = { unit, maxA: map.maxA, phases: 3, onSilent: () => {} } as const;
  const driver = modbusMeter(bus, map, place, surroundings);
  const identity = { ...(connector === undefined ? {} : { connector }), ...identityOf(meter) };
  return {
    read: async () => ({ ...identity, ...(await outcomeOf(driver)) }),
    close: async () => {
      driver.close();
      await bus.close();
    },
  };
}

/** What a driver needs in a tool, which says itself what it has found. */
export async function toolSurroundings(): Promise<Surroundings> {
  const { nodeTime } = await import('../platform/clock.ts');
  return {
    clock: { now: nodeTime.monotonic, after: (delayMs, action) => nodeTime.timer(Math.ceil(delayMs), action) },
    log: { info: () => {}, warn: () => {} },
  };
}
