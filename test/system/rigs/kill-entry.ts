/**
 * `chargepoint run` with a death in it: the same code over the same drivers and store, which kills itself at one named moment.
 * usage: kill-entry CONFIG MOMENT HIT   (MOMENT: see `Moment`, or `never`; HIT: which time that it is reached, from 0)
 * Tells on file descriptor 3 what the store was asked to hold and what it holds, one JSON object a line (`Tell`).
 */
import { writeSync } from 'node:fs';
import { ClassicLevel } from 'classic-level';
import type { Board, Evse } from '../../../hal/contract.ts';
import { processIo } from '../../../src/cli/io.ts';
import { run } from '../../../src/cli/run.ts';
import type { KillPoint } from '../../../src/ocpp/outbox.ts';
import type { Ports, Sockets, Store, StoreOperation } from '../../../src/ports.ts';

export type Moment =
  | KillPoint
  | 'contactorCommand'
  | 'compaction'
  | 'bootConfigured'
  | 'bootStoreOpen'
  | 'bootLedgerReads'
  | 'bootBoardOpen'
  | 'bootDialled';

export interface StoredFact {
  readonly key: string;
  readonly action: string;
  readonly transaction: string;
  readonly content: Readonly<Record<string, unknown>>;
}

/** `ns` is CLOCK_MONOTONIC. A batch is durable once a `durable` with its number follows. */
export type Tell = { readonly ns: string } & (
  | {
      readonly type: 'asked';
      readonly batch: number;
      readonly puts: readonly StoredFact[];
      readonly removed: readonly string[];
    }
  | { readonly type: 'durable'; readonly batch: number }
  | { readonly type: 'killed'; readonly moment: Moment }
);
type Telling<T> = T extends { readonly ns: string } ? Omit<T, 'ns'> : never;

const [config = '', wanted = 'never', wantedHit = '0'] = process.argv.slice(2);
const FACT = 'outbox/fact/';
/** A compaction is killed so many milliseconds after it began: HIT counts in these. */
const COMPACTION_STEP_MS = 2;

/** Synchronous: what was told is out before the process dies. */
function tell(event: Telling<Tell>): void {
  writeSync(3, `${JSON.stringify({ ns: String(process.hrtime.bigint()), ...event })}\n`);
}

const hits = new Map<string, number>();

function reached(moment: Moment): void {
  const hit = hits.get(moment) ?? 0;
  hits.set(moment, hit + 1);
  if (moment === wanted && hit === Number(wantedHit)) die(moment);
}

function die(moment: Moment): void {
  tell({ type: 'killed', moment });
  process.kill(process.pid, 'SIGKILL');
  // The signal may reach another thread first: this one does nothing more.
  for (;;);
}

let batches = 0;

function toldFacts(store: Store): Store {
  return {
    get healthy() {
      return store.healthy;
    },
    get: (key) => {
      reached('bootLedgerReads');
      return store.get(key);
    },
    list: (range) => {
      reached('bootLedgerReads');
      return store.list(range);
    },
    async batch(operations, durability) {
      const puts = operations.flatMap(storedFact);
      const removed = operations.flatMap(({ type, key }) => (type === 'delete' && key.startsWith(FACT) ? [key] : []));
      const batch = batches++;
      tell({ type: 'asked', batch, puts, removed });
      await store.batch(operations, durability);
      tell({ type: 'durable', batch });
    },
    close: () => store.close(),
  };
}

function storedFact(operation: StoreOperation): StoredFact[] {
  if (operation.type !== 'put' || !operation.key.startsWith(FACT)) return [];
  return [{ key: operation.key, ...(operation.value as Omit<StoredFact, 'key'>) }];
}

const toldSockets = (sockets: Sockets): Sockets => ({
  get reachable() {
    return sockets.reachable;
  },
  onReachable: (listener) => sockets.onReachable(listener),
  dial(request, events) {
    const socket = sockets.dial(request, events);
    reached('bootDialled');
    return socket;
  },
});

/** Dies between the command to the coil and whatever would have come next. */
const toldEvse = (evse: Evse): Evse => ({
  get state() {
    return evse.state;
  },
  offer: (offer) => evse.offer(offer),
  permit(given) {
    evse.permit(given);
    if (given) reached('contactorCommand');
  },
  onState: (listener) => evse.onState(listener),
  onCommand: (look) => evse.onCommand?.(look) ?? (() => {}),
});

/** Overwrites all of the members that are wrapped; getters of the board stay its own. */
const toldBoard = (board: Board): Board =>
  Object.create(board, {
    connectors: { value: board.connectors.map((connector) => ({ ...connector, evse: toldEvse(connector.evse) })) },
  }) as Board;

/** The store does not show its database, and a compaction is nothing that the agent asks for. */
let database: ClassicLevel<string, string> | undefined;
const { get } = ClassicLevel.prototype;
ClassicLevel.prototype.get = function (this: ClassicLevel<string, string>, ...parameters: Parameters<typeof get>) {
  database = this;
  return get.apply(this, parameters);
} as typeof get;

/** Compacts for ever, with enough in the store for it to take a while, and dies in the middle of it. */
async function compact(): Promise<void> {
  if (database === undefined) throw new Error('no database is open');
  const padding = Array.from({ length: 400 }, (_, index) => `test/padding/${String(index).padStart(4, '0')}`);
  for (;;) {
    const value = JSON.stringify('x'.repeat(4_000));
    await database.batch(padding.map((key) => ({ type: 'put', key, value }) as const));
    const death = setTimeout(() => die('compaction'), Number(wantedHit) * COMPACTION_STEP_MS);
    await database.compactRange('', '\uffff');
    // It was faster than that: the next one is on.
    clearTimeout(death);
  }
}

const io = processIo();
const code = await run(
  {
    ...io,
    // Asked for right after the configuration has been read.
    get environment() {
      reached('bootConfigured');
      return io.environment;
    },
  },
  config,
  {
    reached: (point) => {
      reached(point);
      if (wanted === 'compaction' && point === 'afterSend' && hits.get('afterSend') === 1) void compact();
    },
    ports: (ports: Ports) => {
      reached('bootStoreOpen');
      return { ...ports, store: toldFacts(ports.store), sockets: toldSockets(ports.sockets) };
    },
    board: (board) => {
      reached('bootBoardOpen');
      return toldBoard(board);
    },
  },
);
process.exit(code);
