/** `chargepoint sessions`: the last transactions, from the running agent or from its store. */

import { callAgent } from '../control/client.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { withAgentOrStore } from './agent-or-store.ts';
import type { AgentOptions } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';

export interface SessionsOptions extends AgentOptions {
  readonly last: number;
  readonly json?: boolean;
}

/** Exit code 0; 70 if neither agent nor store can be read, 78 for the configuration. */
export const sessions = (io: Io, options: SessionsOptions): Promise<ExitCode> =>
  withAgentOrStore(io, options, {
    agent: async (socket) => {
      print(io, options, recordOf(await callAgent(socket, { path: `/sessions?last=${options.last}` }))['sessions']);
      return EXIT.ok;
    },
    store: async (config) => {
      const { storedSessions } = await import('./stored.ts');
      const found = await storedSessions(io, config, options.last);
      if (options.json !== true) io.out('No agent is running: this is what its store says.\n\n');
      print(io, options, found);
      return EXIT.ok;
    },
  });

function print(io: Io, options: SessionsOptions, found: unknown): void {
  io.out(options.json === true ? json({ sessions: listOf(found) }) : sessionsText(listOf(found)));
}

/** The reason is for the last column: it is what may be cut. */
export function sessionsText(sessions: readonly unknown[]): string {
  if (sessions.length === 0) return 'No transaction is known.\n';
  const rows = sessions.map(recordOf).map((session) => {
    const { connectorId, transactionId, idTag, began, ended, doubtful, energyWh, reason, delivery } = session as {
      readonly [name in
        | 'connectorId'
        | 'transactionId'
        | 'idTag'
        | 'began'
        | 'ended'
        | 'doubtful'
        | 'energyWh'
        | 'reason'
        | 'delivery']?: unknown;
    };
    const mark = doubtful === true ? '?' : '';
    return [
      textOf(connectorId),
      textOf(transactionId),
      `${dateTimeText(began)}${mark}`,
      ended === null ? 'runs' : lastsText(began, ended),
      energyText(energyWh),
      textOf(idTag),
      [deliveryText(delivery), reason === null ? '' : textOf(reason)].filter((text) => text !== '').join(', '),
    ];
  });
  const doubt = sessions.some((session) => recordOf(session)['doubtful'] === true) ? '?: the clock was not set\n' : '';
  return columns([['C', 'No.', 'Begin (UTC)', 'Lasts', 'kWh', 'idTag', 'State'], ...rows]) + doubt;
}

const DELIVERIES: Readonly<Record<string, string>> = {
  running: 'running',
  waiting: 'WAITING',
  delivered: 'delivered',
  deadLettered: 'GIVEN UP',
};
const deliveryText = (delivery: unknown): string => DELIVERIES[textOf(delivery)] ?? textOf(delivery);

const MOST_MS = 8.64e15;
const dateTimeText = (wall: unknown): string =>
  typeof wall === 'number' && Math.abs(wall) <= MOST_MS
    ? new Date(wall).toISOString().slice(0, 16).replace('T', ' ')
    : '-';

/** `1:05`: hours and minutes. */
function lastsText(began: unknown, ended: unknown): string {
  if (typeof began !== 'number' || typeof ended !== 'number') return '-';
  const minutes = Math.max(0, Math.round((ended - began) / 60_000));
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;
}

const energyText = (wh: unknown): string => (typeof wh === 'number' ? (wh / 1000).toFixed(3) : '-');
