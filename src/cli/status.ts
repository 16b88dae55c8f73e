/** `chargepoint status`: what the running agent is doing, in 80 columns or as JSON. */
import type { ExitCode } from '../platform/system.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf, wrapped } from './format.ts';
import type { Io } from './io.ts';

export interface StatusOptions extends AgentOptions {
  readonly json?: boolean;
}

export const status = (io: Io, options: StatusOptions): Promise<ExitCode> =>
  askAgent(io, options, { path: '/status' }, (answer) =>
    io.out(options.json === true ? json(answer) : statusText(recordOf(answer))),
  );

export function statusText(view: Readonly<Record<string, unknown>>): string {
  const { version, identity, url, notice, connected, boot, queue, connectors } = view as Readonly<
    Record<string, unknown>
  > & {
    readonly [name in
      | 'version'
      | 'identity'
      | 'url'
      | 'notice'
      | 'connected'
      | 'boot'
      | 'queue'
      | 'connectors']?: unknown;
  };
  const link = `${connected === true ? 'connected' : 'offline'}, registration ${textOf(boot)}`;
  const head = columns([
    ['Agent', `${textOf(identity)}, chargepoint ${textOf(version)}`],
    ['Central system', `${textOf(url)}, ${link}`],
    ['Outbox', queue === 0 ? 'empty' : `${textOf(queue)} waiting`],
  ]);
  const rows = listOf(connectors).map((connector) => {
    const {
      id,
      status: state,
      transaction,
      transactionId,
      limitA,
      why,
    } = recordOf(connector) as {
      readonly [name in 'id' | 'status' | 'transaction' | 'transactionId' | 'limitA' | 'why']?: unknown;
    };
    const charging = transaction === 'online' ? `no. ${textOf(transactionId)}` : textOf(transaction);
    return [textOf(id), textOf(state), charging, `${textOf(limitA)} A`, textOf(why)];
  });
  const attention = notice === undefined ? '' : `\n${wrapped(`Attention: ${textOf(notice)}`, 0)}`;
  return `${head}${attention}\n${columns([['Connector', 'Status', 'Transaction', 'Limit', 'Why'], ...rows])}`;
}
