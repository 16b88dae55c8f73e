/** `chargepoint outbox`: what waits for the central system, what was given up, and what a broken store still holds. */
import { join, resolve } from 'node:path';
import type { Rows } from '../features/transactions/salvaged.ts';
import type { Fact } from '../ocpp/outbox/fact.ts';
import { nodeFiles, replaceFile } from '../platform/files.ts';
import { storeError } from '../platform/level-error.ts';
import { nodeRandom } from '../platform/random.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Clock, Log, Store } from '../ports.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';
import { storeDirectory } from './store-directory.ts';

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

/**
 * Reads a store that was moved aside; with a configuration, puts what it held into the present store, once. No agent may run on that
 * one.
 */
export async function recoverOutbox(io: Io, path: string, options: RecoverOptions): Promise<ExitCode> {
  const [{ salvage }, { salvagedFrom }, { runningIn }, { StoreError }] = await Promise.all([
    import('../platform/store.ts'),
    import('../ocpp/outbox/salvaged.ts'),
    import('../features/transactions/salvaged.ts'),
    import('../errors.ts'),
  ]);
  try {
    const { rows, unreadable } = await salvage(resolve(path));
    const salvaged = salvagedFrom(rows);
    const running = runningIn(rows);
    const { facts, deadLetters: dead, bindings } = salvaged;
    if (options.json === true) io.out(json({ ...salvaged, running, unreadable }));
    else {
      io.out(
        columns([
          ['Found', String(facts.length), 'messages that were not confirmed'],
          ['', String(dead.length), 'messages that were given up'],
          ['', String(bindings.length), 'transaction ids'],
          ['', String(running.length), 'transactions that were running'],
          ['', String(unreadable), 'rows that cannot be read any more'],
        ]),
      );
    }
    if (options.config === undefined) return EXIT.ok;
    const [{ loadFor }, { changeStored }] = await Promise.all([import('./configuration.ts'), import('./stored.ts')]);
    const loaded = loadFor(io, options.config);
    if (loaded === undefined) return EXIT.config;
    if (nodeFiles.resolved(path) === nodeFiles.resolved(storeDirectory(loaded.config.stateDir))) {
      io.err('Nothing was recovered: this is the present store, and what it holds is in the outbox.\n');
      return EXIT.internal;
    }
    const isNew = await changeStored(io, loaded.config, (store, ports) =>
      adopt(store, ports, rows, nameOf(resolve(path))),
    );
    io.err(
      isNew
        ? 'They are in the outbox now; the next `chargepoint run` sends them, and ends what was running.\n'
        : 'This store was recovered before: nothing of it is queued a second time.\n',
    );
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

/**
 * Under this and its name the present store notes each store that was recovered, with the transactions that came from it. It stays, whoever
 * the central system is.
 */
const RECOVERED_PREFIX = 'recovered/';

const NAME = /^[\da-f-]{36}$/;

/** The name is in the store itself, so that a copy of it, or one that can be read less well by now, is known again. */
function nameOf(directory: string): string {
  const path = join(directory, 'RECOVERED');
  try {
    const name = nodeFiles.exists(path) ? nodeFiles.read(path) : '';
    if (NAME.test(name)) return name;
    const fresh = nodeRandom.uuid();
    replaceFile(path, fresh);
    return fresh;
  } catch (cause) {
    throw storeError(cause);
  }
}

/**
 * Puts into `store` what the rows of another one say, in one batch; false if that was done before. Rejects with StoreError. An outbox
 * without a link never sends, so what would be asked of it while sending is never asked.
 */
export async function adopt(
  store: Store,
  ports: { readonly clock: Clock; readonly log: Log },
  rows: Rows,
  name: string,
): Promise<boolean> {
  const [{ Outbox }, { salvagedFrom }, { endingsOf, runningIn }] = await Promise.all([
    import('../ocpp/outbox.ts'),
    import('../ocpp/outbox/salvaged.ts'),
    import('../features/transactions/salvaged.ts'),
  ]);
  const note = RECOVERED_PREFIX + name;
  if ((await store.get(note)) !== undefined) return false;
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
  // A copy that was made before the first recovery has no name yet, and a store may have come in behind another one that held it.
  const recovered = await store.list<unknown>({ from: RECOVERED_PREFIX, to: 'recovered0' });
  const known = new Set(recovered.flatMap(([, transactions]) => (Array.isArray(transactions) ? transactions : [])));
  const isNew = ({ transaction }: Fact): boolean => !known.has(transaction);
  const found = salvagedFrom(rows);
  const salvaged = {
    ...found,
    facts: found.facts.filter(isNew),
    deadLetters: found.deadLetters.filter(({ fact }) => isNew(fact)),
  };
  const running = runningIn(rows).filter(({ id }) => !known.has(id));
  const endings = await endingsOf(running, rows, store);
  const taken = new Set([
    ...salvaged.facts.map(({ transaction }) => transaction),
    ...salvaged.deadLetters.map(({ fact: { transaction } }) => transaction),
    ...running.map(({ id }) => id),
  ]);
  // What it had recovered itself would come twice, too.
  const notes = [...rows.filter(([key]) => key.startsWith(RECOVERED_PREFIX)), [note, [...taken]] as const];
  await target.adopt({ ...salvaged, facts: [...salvaged.facts, ...endings.facts] }, [
    ...endings.operations,
    ...notes.map(([key, value]) => ({ type: 'put', key, value }) as const),
  ]);
  await target.close();
  return true;
}
