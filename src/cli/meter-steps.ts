/** The meters of the configuration: do their ports open, does somebody answer there, and does what he says make sense? */
import { HalError } from '../../hal/hal-error.ts';
import { settingsText } from '../../hal/modbus/scan-order.ts';
import type { AgentConfig, ConnectorConfig, MeterConfig } from '../config.ts';
import { ControlError } from '../errors.ts';
import type { AgentStanding } from './agent-standing.ts';
import { listOf, recordOf, textOf } from './format.ts';
import { notAllowed } from './hardware-steps.ts';
import type { Io } from './io.ts';
import type { MeterAnswer } from './meter-answer.ts';
import { remedyFor } from './remedies.ts';
import { fail, pass, type Result, type Step, skip } from './sheet.ts';

export interface MeterContext {
  readonly config: AgentConfig;
  /** Absent if no agent runs. */
  readonly agent?: AgentStanding;
  readonly io: Io;
  readonly configFile: string;
  readonly socket?: string;
  readonly signal: AbortSignal;
  /** The board holds its ports no longer. */
  readonly giveBoardBack: () => Promise<void>;
}

type WithMeter = ConnectorConfig & { readonly meter: MeterConfig };

const metersOf = ({ connectors }: AgentConfig): readonly WithMeter[] =>
  connectors.filter((connector): connector is WithMeter => connector.meter !== undefined);

const settingsOf = ({ bus, map }: MeterConfig) => {
  const { baudRate, parity, stopBits } = { ...map.serial, ...bus };
  return { baudRate, parity, stopBits };
};

/** What a function of another tool would print, as one line. */
function quiet(io: Io): { readonly io: Io; said(): string } {
  const parts: string[] = [];
  const hear = (text: string): void => void parts.push(text);
  return { io: { ...io, out: hear, err: hear }, said: () => parts.join(' ').replace(/\s+/g, ' ').trim() };
}

const buses: Step<MeterContext> = {
  id: 'bus',
  title: 'Serial bus',
  needs: ['config'],
  run: async (context) => {
    const meters = metersOf(context.config);
    if (meters.length === 0) return skip('no meter on a bus is configured');
    const refusal = notAllowed(context.agent);
    if (refusal !== undefined) return refusal;
    if (context.agent !== undefined) return skip('the running agent owns the ports; see the meters');
    await context.giveBoardBack();
    const texts: string[] = [];
    for (const { id, meter } of meters) {
      const result = await askedAlone(context, meter);
      if (result.outcome !== 'PASS') return { ...result, detail: `connector ${id}: ${result.detail}` };
      texts.push(result.detail);
    }
    return pass(texts.join('; '));
  },
};

/** The configured unit, with the configured settings; who else is there only if that one does not answer. */
async function askedAlone(context: MeterContext, meter: MeterConfig): Promise<Result> {
  const { io, signal } = context;
  const [{ portFor, busyText }, { scanBus }, { toolSurroundings }] = await Promise.all([
    import('./meter-port.ts'),
    import('../../hal/modbus/scan.ts'),
    import('./meter-source.ts'),
  ]);
  const { port } = meter.bus;
  const heard = quiet(io);
  if (typeof portFor(heard.io, port) === 'number') return fail(heard.said(), 'ls -l /dev/serial/by-id');
  const settings = settingsOf(meter);
  const models = [{ name: meter.model, map: meter.map }];
  const where = `unit ${meter.unit} on ${port} at ${settingsText(settings)}`;
  try {
    const options = { path: port, guesses: [settings], units: [meter.unit], models, signal };
    const { devices, garbled, aborted } = await scanBus(options, await toolSurroundings());
    if (aborted) return skip('ended before its turn');
    if (devices.length > 0) return pass(`${where} answers`);
    return await searched(context, meter, `${garbled.length > 0 ? 'only garbled bytes' : 'no answer'} from ${where}`);
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    return fail(busyText(port, error.cause ?? error).split('\n')[0] ?? '', remedyFor('hal.busClosed').next);
  }
}

/** The bus scan of a meter that is not where it should be. Rejects with HalError. */
async function searched({ io, signal }: MeterContext, meter: MeterConfig, missed: string): Promise<Result> {
  const [{ SEARCH_WITHIN_MS, foundText, searchedBus }, { shippedModels }, { toolSurroundings }] = await Promise.all([
    import('./bus-search.ts'),
    import('./meter-maps.ts'),
    import('./meter-source.ts'),
  ]);
  const { port } = meter.bus;
  io.err(`${missed}: looking around on the bus for ${SEARCH_WITHIN_MS / 1000} s at most.\n`);
  const place = { port, unit: meter.unit, settings: settingsOf(meter) };
  const result = await searchedBus(place, { models: shippedModels(io), signal }, await toolSurroundings());
  const there = foundText(result);
  if (there !== undefined) return fail(`${missed}; ${there.found}`, there.next);
  const sought = signal.aborted ? '' : '; nobody else either, at other rates and units';
  return fail(
    `${missed}${sought}`,
    `Power, A/B, termination, Modbus switched on in its menu. All units: chargepoint meter scan --port ${port}`,
  );
}

const meters: Step<MeterContext> = {
  id: 'meter',
  title: 'Meter',
  needs: ['config', 'bus'],
  run: async (context) => {
    const { config, agent } = context;
    const asked = agent === undefined ? metersOf(config) : config.connectors;
    const refusal = notAllowed(agent);
    if (refusal !== undefined) return refusal;
    if (asked.length === 0) return skip('the meter of the mock board exists in a running agent only');
    await context.giveBoardBack();
    const results: Result[] = [];
    for (const { id } of asked) results.push(await readingOf(context, id));
    const outcome = (['FAIL', 'SKIP'] as const).find((one) => results.some((each) => each.outcome === one)) ?? 'PASS';
    const next = results.find((each) => each.outcome === outcome)?.next;
    const detail = results.map((each) => each.detail).join('; ');
    return next === undefined ? { outcome, detail } : { outcome, detail, next };
  },
};

async function readingOf(context: MeterContext, connector: number): Promise<Result> {
  const { io, configFile, socket, config } = context;
  const { meterSource } = await import('./meter-source.ts');
  const heard = quiet(io);
  const place = { connector, config: configFile, ...(socket === undefined ? {} : { socket }), settings: {} };
  const source = await meterSource(heard.io, place);
  if (typeof source === 'number') return fail(heard.said(), 'chargepoint check');
  try {
    return meterVerdict(await source.read(), connector, config.installation.nominalV);
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return fail(error.message, 'Look at the agent: chargepoint status');
  } finally {
    await source.close();
  }
}

/** EN 50160 allows a public supply this much. */
const TOLERANCE = 0.1;

/** `nominalV`: between a phase and the neutral. */
function meterVerdict(answer: MeterAnswer, connector: number, nominalV: number): Result {
  const { model, port, unit, serialNumber, values, failure, doubts } = answer;
  const where = port === undefined ? '' : ` unit ${unit} on ${port}`;
  const who = `connector ${connector}: ${model}${where}${serialNumber === undefined ? '' : `, serial ${serialNumber}`}`;
  if (failure !== undefined)
    return fail(
      `${who}: ${failure.message}`,
      `Is it this model and unit? chargepoint meter scan${port === undefined ? '' : ` --port ${port}`}`,
    );
  const voltage = Object.entries(recordOf(recordOf(values)['voltage'])).filter(([line]) => /^L[123]$/.test(line));
  const text = voltage.map(([line, volts]) => `${line} ${textOf(volts)} V`).join(', ');
  const odd = voltage.filter(([, volts]) => Math.abs(Number(volts) - nominalV) > nominalV * TOLERANCE);
  if (odd.length > 0)
    return fail(
      `${who}: ${text}, expected about ${nominalV} V`,
      `Is the supply on, and every phase and N connected to the meter? Look at ${odd.map(([line]) => line).join(', ')}; installation.nominalV is ${nominalV}.`,
    );
  const doubt = listOf(doubts)[0];
  return pass(
    `${who}: ${text === '' ? 'answers, and measures no voltage' : text}`,
    doubt === undefined ? undefined : `Its register map is not verified (${textOf(doubt)}): compare with its display.`,
  );
}

export const METER_STEPS: readonly Step<MeterContext>[] = [buses, meters];
