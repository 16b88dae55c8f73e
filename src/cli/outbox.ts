/** `chargepoint outbox`: what waits for the central system, what was given up, and what a broken store still holds. */
import { resolve } from 'node:path';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Clock, Log, Store } from '../ports.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';

export interface OutboxOptions extends AgentOptions {
  readonly json?: boolean;
}

const LISTED = 20;

export const outbox = (io: Io, options: OutboxOptions): Promise<ExitCode> =>
  askAgent(io, options, { path: `/outbox?limit=${LISTED}` }, (answer) =>
    io.out(options.json === true ? json(answer) : outboxText(recordOf(answer))),
  );

export const deadLetters = (io: Io, options: OutboxOptions): Promise<ExitCode> =>
  askAgent(io, options, { path: `/outbox/dead?limit=${LISTED}` }, (answer) =>
    io.out(options.json === true ? json(answer) : deadText(recordOf(answer))),
  );

export function outboxText({ size, pending }: { readonly size?: unknown; readonly pending?: unknown }): string {
  const rows = listOf(pending).map(factRow);
  if (rows.length === 0) return 'The outbox is empty: the central system has confirmed everything.\n';
  return `${textOf(size)} waiting, oldest first:\n${columns([['Message', 'Transaction'], ...rows])}`;
}

export function deadText({ deadLetters: letters }: { readonly deadLetters?: unknown }): string {
  const rows = listOf(letters).map((letter) => {
    const { fact, attempts, failure } = recordOf(letter) as { fact?: unknown; attempts?: unknown; failure?: unknown };
    const { code, remoteCode, message } = recordOf(failure) as {
      code?: unknown;
      remoteCode?: unknown;
      message?: unknown;
    };
    return [...factRow(fact), textOf(attempts), textOf(remoteCode ?? code), textOf(message)];
  });
  if (rows.length === 0) return 'No message was given up.\n';
  return `Given up, oldest first:\n${columns([['Message', 'Transaction', 'Attempts', 'Failure', ''], ...rows])}`;
}

const factRow = (fact: unknown): string[] => {
  const { action, transaction } = recordOf(fact) as { action?: unknown; transaction?: unknown };
  return [textOf(action), textOf(transaction)];
};

export interface RecoverOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Reads a store that was moved aside; with a configuration, puts what it held into the present store. No agent may run on that one. */
export async function recoverOutbox(io: Io, path: string, options: RecoverOptions): Promise<ExitCode> {
  const [{ salvage }, { salvagedFrom }, { StoreError }] = await Promise.all([
    import('../platform/store.ts'),
    import('../ocpp/outbox/salvaged.ts'),
    import('../errors.ts'),
  ]);
  try {
    const { rows, unreadable } = await salvage(resolve(path));
    const salvaged = salvagedFrom(rows);
    const { facts, deadLetters: dead, bindings } = salvaged;
    if (options.json === true) io.out(json({ ...salvaged, unreadable }));
    else {
      io.out(
        columns([
          ['Found', String(facts.length), 'messages that were not confirmed'],
          ['', String(dead.length), 'messages that were given up'],
          ['', String(bindings.length), 'transaction ids'],
          ['', String(unreadable), 'rows that cannot be read any more'],
        ]),
      );
    }
    if (options.config === undefined) return EXIT.ok;
    const [{ loadFor }, { changeStored }] = await Promise.all([import('./configuration.ts'), import('./stored.ts')]);
    const loaded = loadFor(io, options.config);
    if (loaded === undefined) return EXIT.config;
    await changeStored(io, loaded.config, (store, ports) => adopt(store, ports, salvaged));
    io.err('They are in the outbox now; the next `chargepoint run` sends them.\n');
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const isLocked = error.code === 'storeLocked';
    io.err(
      isLocked ? 'An agent is running on this store: stop it first.\n' : `Nothing was recovered: ${error.message}.\n`,
    );
    return EXIT.internal;
  }
}

type Salvaged = import('../ocpp/outbox/salvaged.ts').Salvaged;

/** An outbox without a link: it never sends, so what would be asked of it while sending is never asked. */
async function adopt(store: Store, ports: { readonly clock: Clock; readonly log: Log }, salvaged: Salvaged) {
  const { Outbox } = await import('../ocpp/outbox.ts');
  const neverSends = () => {
    throw new Error('an outbox without a link does not send');
  };
  const target = new Outbox({
    ...ports,
    store,
    send: neverSends,
    render: neverSends,
    delivered: neverSends,
    attempts: () => 1,
    retryIntervalS: () => 0,
    gaveUp: neverSends,
  });
  await target.open();
  await target.adopt(salvaged);
  await target.close();
}
