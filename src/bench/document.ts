/** The document that GET /bench answers: the inputs as they are, and what the board and the agent do with them. */

import type { MockBoard } from '../../hal/mock/mock-board.ts';
import type { AgentView, ConnectorView } from '../agent.ts';
import { formatTimestamp } from '../ocpp/timestamp.ts';
import type { BenchInputs } from './inputs.ts';

/** Outputs by their place in the document: `out`, `connectors.1.out`. */
export type Outputs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Of an agent that has not started yet. */
const NO_AGENT: AgentView = { connected: false, boot: null, queue: 0, connectors: [] };

export interface Witnesses {
  readonly board: MockBoard;
  /** Undefined until the agent has started. */
  readonly view: AgentView | undefined;
}

/** Every output, without the inputs. */
export function outputsOf({ board, view = NO_AGENT }: Witnesses): Outputs {
  const { connected, boot, queue } = view;
  const ofConnectors = board.connectors.map(({ id, maxA }) => {
    const seen = view.connectors.find((connector) => connector.id === id);
    return [`connectors.${id}.out`, { ...hardwareOutputs(board, id), ...agentOutputs(seen, maxA) }] as const;
  });
  return { out: { connected, boot, queue }, ...Object.fromEntries(ofConnectors) };
}

/** The whole document, its members in the order of the manual. */
export function documentOf(inputs: BenchInputs, witnesses: Witnesses, epochMs: number): Record<string, unknown> {
  const { connectors, ...others } = inputs;
  const outputs = outputsOf(witnesses);
  const withOutputs = Object.entries(connectors).map(([id, connector]) => [
    id,
    { ...connector, out: outputs[`connectors.${id}.out`] },
  ]);
  return {
    now: formatTimestamp(epochMs),
    ...others,
    out: outputs['out'],
    connectors: Object.fromEntries(withOutputs),
  };
}

function hardwareOutputs(board: MockBoard, id: number): Record<string, unknown> {
  const { pilot, pwm, contactor, locked, amps, watts, phases } = board.connector(id).observe();
  return {
    pilot,
    pwm: rounded(pwm),
    contactor: contactor === 'closed',
    locked,
    amps: rounded(amps),
    watts: rounded(watts),
    phases,
  };
}

function agentOutputs(seen: ConnectorView | undefined, maxA: number): Record<string, unknown> {
  return {
    status: seen?.status ?? 'Available',
    transaction: seen?.transaction ?? 'none',
    transactionId: seen?.transactionId ?? null,
    limitA: rounded(seen?.limitA ?? maxA),
    why: seen?.why ?? 'the agent is starting',
  };
}

/** For people: nobody wants to read 53.333333333333336. */
const rounded = (value: number): number => Math.round(value * 100) / 100;
