/** `chargepoint limits` and `chargepoint delay`: what somebody in the house allows besides the central system, and who need not wait. */
import type { ExitCode } from '../platform/system.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';

export interface LimitsOptions extends AgentOptions {
  readonly json?: boolean;
}

export interface SetOptions extends LimitsOptions {
  /** Who sets it; each source has one limit for each connector. */
  readonly source: string;
  readonly amps: number;
  /** 0: all together. */
  readonly connector: number;
  /** In seconds; after that the source counts as silent. */
  readonly ttl: number;
  readonly phases?: 1 | 3;
}

export interface WithdrawOptions extends LimitsOptions {
  readonly source: string;
  readonly connector: number;
}

export interface CancelOptions extends LimitsOptions {
  readonly connector?: number;
}

const printed =
  (io: Io, options: LimitsOptions, text: (answer: Readonly<Record<string, unknown>>) => string) => (answer: unknown) =>
    io.out(options.json === true ? json(answer) : text(recordOf(answer)));

export const listLimits = (io: Io, options: LimitsOptions): Promise<ExitCode> =>
  askAgent(io, options, { path: '/limits' }, printed(io, options, limitsText));

/** Prints what is in force afterwards. Exit code 78 if the agent refuses it. */
export function setLimit(io: Io, options: SetOptions): Promise<ExitCode> {
  const { source, connector, amps, ttl, phases } = options;
  const limit = { source, connectorId: connector, limitA: amps, ttlS: ttl };
  const body = phases === undefined ? limit : { ...limit, phases };
  return askAgent(io, options, { method: 'POST', path: '/limits', body }, printed(io, options, limitsText));
}

/** Prints what is in force afterwards. */
export function withdrawLimit(io: Io, options: WithdrawOptions): Promise<ExitCode> {
  const body = { source: options.source, connectorId: options.connector };
  return askAgent(io, options, { method: 'POST', path: '/limits/withdraw', body }, printed(io, options, limitsText));
}

/** Whoever waits for the random delay goes on at once. */
export function cancelDelay(io: Io, options: CancelOptions): Promise<ExitCode> {
  const { connector = 0 } = options;
  const body = connector === 0 ? {} : { connectorId: connector };
  return askAgent(
    io,
    options,
    { method: 'POST', path: '/random-delay/cancel', body },
    printed(io, options, cancelText),
  );
}

export function limitsText({ limits }: { readonly limits?: unknown }): string {
  const rows = listOf(limits).map((limit) => {
    const { source, connectorId, limitA, remainingS, expired, phases } = recordOf(limit) as {
      readonly [name in 'source' | 'connectorId' | 'limitA' | 'remainingS' | 'expired' | 'phases']?: unknown;
    };
    const connector = connectorId === 0 ? 'all' : textOf(connectorId);
    const remaining = expired === true ? 'expired, the safe current counts' : `${textOf(remainingS)} s`;
    return [connector, `${textOf(limitA)} A`, textOf(phases), remaining, textOf(source)];
  });
  if (rows.length === 0) return 'No local limit is set.\n';
  // The name of the source comes last: it may be long, and what is cut is not the limit.
  return columns([['Connector', 'Limit', 'Phases', 'Remaining', 'Source'], ...rows]);
}

export function cancelText({ cancelled }: { readonly cancelled?: unknown }): string {
  const lines = listOf(cancelled).map((id) => [`Connector ${textOf(id)} waits no longer.`]);
  return lines.length === 0 ? 'No connector waits for its random delay.\n' : columns(lines);
}
