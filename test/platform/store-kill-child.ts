/** The process that the kill test kills: one outbox over the real store, told by its parent what the central system answers. */
import { Outbox } from '../../src/ocpp/outbox.ts';
import { openStore } from '../../src/platform/store.ts';
import type { Clock, Log } from '../../src/ports.ts';

const [directory = '', killPoint = '', killAfter = '0', firstId = '0'] = process.argv.slice(2);

const log: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields) => console.error(message, fields),
  error: (message, fields) => console.error(message, fields),
  child: () => log,
};
const clock: Clock = {
  bootId: 'child',
  now: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
  afterReal: (delayMs, action) => clock.after(delayMs, action),
  wall: (at) => at,
  trusted: true,
  set: () => undefined,
  onTrusted: () => () => undefined,
  onJump: () => () => undefined,
};

/** Synchronous, so that the line is out before the process dies. */
const tell = (kind: string, content: unknown, id: unknown = ''): void => {
  process.stdout.write(`${kind} ${content} ${id}\n`);
};

let reachedTimes = 0;
const { store } = await openStore(directory, log);
const outbox = new Outbox({
  store,
  clock,
  log,
  send: async (action, payload) => {
    const { content, transactionId } = payload as { content: number; transactionId?: number };
    tell('sent', content, transactionId);
    await new Promise((resolve) => setImmediate(resolve));
    return action === 'StartTransaction' ? { transactionId: content } : {};
  },
  render: ({ content }, transactionId) => ({ content, transactionId }),
  delivered: ({ content }) => tell('delivered', content),
  attempts: () => 3,
  retryIntervalS: () => 1,
  gaveUp: ({ fact }) => tell('gaveUp', fact.content),
  reached: (point) => {
    if (point === killPoint && reachedTimes++ === Number(killAfter)) process.kill(process.pid, 'SIGKILL');
  },
});
await outbox.open();
outbox.resume();

if (killPoint === 'drained') {
  while (outbox.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await outbox.close();
  await store.close();
  process.exit(0);
}

// Three facts per transaction; one in two transactions is added without waiting for the acknowledgement of the fact before.
for (let id = Number(firstId); ; id += 3) {
  const transaction = String(id);
  const facts = [
    { action: 'StartTransaction', transaction, content: id },
    { action: 'MeterValues', transaction, content: id + 1 },
    { action: 'StopTransaction', transaction, content: id + 2 },
  ] as const;
  const adds = [];
  for (const fact of facts) {
    const add = outbox.add([fact]).then(() => tell('added', fact.content));
    adds.push(add);
    if (id % 2 === 0) await add;
  }
  await Promise.all(adds);
  if (outbox.size > 20) await new Promise((resolve) => setTimeout(resolve, 5));
}
