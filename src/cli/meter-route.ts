/** `GET /meters` and `GET /meters/reading`: the meters of the running agent, which owns their bus. */
import type { Board, EnergyMeter } from '../../hal/contract.ts';
import { HalError } from '../../hal/hal-error.ts';
import { doubtsOf } from '../../hal/modbus/register-map.ts';
import type { AgentConfig, MeterConfig } from '../config.ts';
import { countOf, type Route } from '../control/route.ts';
import { ControlError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import type { MeterAnswer, MeterIdentity } from './meter-answer.ts';

export interface MeterSurroundings {
  readonly config: AgentConfig;
  readonly board: Pick<Board, 'connectors'>;
  readonly clock: Pick<Clock, 'afterReal'>;
}

/** Before whoever asks gives up. */
const WITHIN_MS = 4_000;
const MOST_CONNECTORS = 1_000;

export const meterRoutes = ({ config, board, clock }: MeterSurroundings): readonly Route[] => [
  {
    method: 'GET',
    path: '/meters',
    handle: () => ({
      meters: config.connectors.map(({ id, meter }) => ({ connector: id, ...identityOf(meter) })),
      ports: portsOf(config),
    }),
  },
  {
    method: 'GET',
    path: '/meters/reading',
    handle: async (request): Promise<MeterAnswer> => {
      const id = countOf(request, 'connector', 1, MOST_CONNECTORS);
      const meter = board.connectors.find((connector) => connector.id === id)?.meter;
      if (meter === undefined) throw new ControlError('notFound', `there is no connector ${id}`);
      const identity = identityOf(config.connectors.find((connector) => connector.id === id)?.meter);
      return { connector: id, ...identity, ...(await readingOf(meter, clock)) };
    },
  },
];

/** Who the meter is by its configuration. */
export const identityOf = (meter: MeterConfig | undefined): MeterIdentity =>
  meter === undefined
    ? { model: 'meter of the mock board', doubts: [] }
    : {
        model: meter.map.model,
        name: meter.model,
        port: meter.bus.port,
        unit: meter.unit,
        doubts: doubtsOf(meter.map),
      };

type Outcome = Pick<MeterAnswer, 'serialNumber' | 'values' | 'failure'>;

/** A meter that does not answer is an answer of the agent. */
async function readingOf(meter: EnergyMeter, clock: MeterSurroundings['clock']): Promise<Outcome> {
  let cancel = (): void => {};
  const tooLate = new Promise<Outcome>((resolve) => {
    const message = `no reading within ${WITHIN_MS / 1000} s`;
    cancel = clock.afterReal(WITHIN_MS, () => resolve({ failure: { code: 'meterSilent', message } }));
  });
  try {
    return await Promise.race([outcomeOf(meter), tooLate]);
  } finally {
    cancel();
  }
}

/** Rejects with what is no matter of the meter. */
export async function outcomeOf(meter: EnergyMeter): Promise<Outcome> {
  try {
    const { serialNumber, values } = await meter.read();
    return serialNumber === undefined ? { values } : { serialNumber, values };
  } catch (error) {
    if (!(error instanceof HalError)) throw error;
    const { code, message, cause } = error;
    return { failure: { code, message: cause instanceof Error ? `${message}: ${cause.message}` : message } };
  }
}

/** Every serial port that this agent has opened. */
function portsOf({ connectors, board, installation }: AgentConfig): readonly string[] {
  const grid = installation.gridConnection?.meter;
  const meters = [...connectors.map(({ meter }) => meter), grid].flatMap((meter) => (meter ? [meter.bus.port] : []));
  const controllers =
    board === 'mock'
      ? []
      : board.connectors.flatMap(({ evse }) => (evse.driver === 'controller' ? [evse.bus.port] : []));
  const readers =
    board === 'mock' ? [] : (board.readers ?? []).flatMap((reader) => (reader.driver === 'pn532' ? [reader.port] : []));
  return [...new Set([...meters, ...controllers, ...readers])];
}
