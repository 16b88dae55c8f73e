/** The history of transactions, read from a store whose medium has rotted. */
import { MemoryLevel } from 'memory-level';
import { expect, it } from 'vitest';
import { sessionsIn, TransactionHistory } from '../../../src/features/transactions/history.ts';
import { type Fact, factKey } from '../../../src/ocpp/outbox/fact.ts';
import { type Database, LevelStore } from '../../../src/platform/level-store.ts';
import type { Stamp } from '../../../src/ports.ts';
import { silentLog } from '../../sim/world.ts';

const at: Stamp = { bootId: 'b', at: 0, wall: 0, trusted: true };
const fact = (action: Fact['action']): Fact => ({ action, transaction: 't', content: {} });

it('says that a transaction waits whose stop is behind many facts, some of them unreadable', async () => {
  const level = new MemoryLevel<string, string>();
  const store = new LevelStore(level as unknown as Database, silentLog);
  const ended = { id: 't', connectorId: 1, idTag: 'A', began: at, ended: at, stopWh: 0, reason: 'Local' } as const;
  await store.batch(new TransactionHistory(store).ended(ended), 'durable');
  for (let n = 0; n < 250; n++) await level.put(factKey(n), '{"act');
  await level.put(factKey(300), JSON.stringify(fact('StopTransaction')));
  expect(await sessionsIn(store, 1)).toMatchObject([{ id: 't', delivery: 'waiting' }]);
});
