/** The outbox: order, binding, attempts, store trouble, restarts. */
import fc from 'fast-check';
import { MemoryLevel } from 'memory-level';
import { beforeEach, describe, expect, it } from 'vitest';
import { failable } from '../../src/bench/failable-store.ts';
import { StoreError } from '../../src/errors.ts';
import { bindingKey, type DeadLetter, type Fact, factKey } from '../../src/ocpp/outbox/fact.ts';
import { salvagedFrom } from '../../src/ocpp/outbox/salvaged.ts';
import type { OutboxPorts } from '../../src/ocpp/outbox.ts';
import { type Database, LevelStore } from '../../src/platform/level-store.ts';
import type { Store } from '../../src/ports.ts';
import { MemoryDisk } from '../sim/memory-store.ts';
import { seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { Harness, sample, silentLog, start, stop } from './outbox-harness.ts';

async function opened(
  ports: Partial<OutboxPorts> = {},
): Promise<{ disk: MemoryDisk; clock: VirtualClock; h: Harness }> {
  const disk = new MemoryDisk();
  const clock = new VirtualClock();
  return { disk, clock, h: await Harness.open(disk.open(), clock, ports) };
}

/** A store whose batches until `release` settle in one turn, as those of one fsync do. */
function grouping(inner: Store): { readonly store: Store; readonly release: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  let held = true;
  const store: Store = {
    healthy: true,
    get: (key) => inner.get(key),
    list: (range) => inner.list(range),
    batch: async (operations, durability) => {
      const written = inner.batch(operations, durability);
      if (held) await new Promise<void>((resolve) => waiting.push(resolve));
      await written;
    },
    close: () => inner.close(),
  };
  const release = async (): Promise<void> => {
    await settle();
    held = false;
    for (const proceed of waiting) proceed();
  };
  return { store, release };
}

describe('the order of transaction messages (OCPP 1.6 §3.7)', () => {
  it('sends one at a time, in the order of the adds', async () => {
    const { h } = await opened();
    await Promise.all([h.outbox.add([start('a')]), h.outbox.add([sample('a')]), h.outbox.add([stop('a')])]);
    await settle();
    expect(h.contents).toEqual(['start a']);
    await h.last.confirm({ transactionId: 7 });
    expect(h.contents).toEqual(['start a', 'sample a']);
    await h.last.confirm();
    await h.last.confirm();
    expect(h.sent.map(({ payload }) => payload.transactionId)).toEqual([undefined, 7, 7]);
    expect(h.outbox.size).toBe(0);
  });

  it('sends a fact only once it is durable', async () => {
    const disk = new MemoryDisk();
    let durableAtSend = 0;
    const h = await Harness.open(disk.open(), new VirtualClock(), {
      send: () => {
        durableAtSend = disk.durableBatches;
        return new Promise(() => undefined);
      },
    });
    await h.outbox.add([start('a')]);
    await settle();
    expect(durableAtSend).toBe(1);
  });

  it('makes a confirmation durable before it sends the next fact and before it tells the owner', async () => {
    const disk = new MemoryDisk();
    const keys = async (): Promise<string[]> =>
      (await disk.read({ from: 'outbox/fact/', to: 'outbox/fact0' })).map(([key]) => key);
    let left: string[] = [];
    const h = await Harness.open(disk.open(), new VirtualClock(), {
      settle: (fact) => [{ type: 'put', key: 'room/cache', value: fact.content }],
      delivered: () => void keys().then((found) => (left = found)),
    });
    await h.outbox.add([start('a'), stop('a')]);
    await settle();
    disk.failWrites(true);
    await h.last.confirm({ transactionId: 1 });
    disk.failWrites(false);
    const confirmed = h.sent.length;
    expect(confirmed).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(left).toHaveLength(2);
    await h.outbox.add([], [{ type: 'put', key: 'x', value: 1 }]);
    await settle();
    expect(await keys()).toHaveLength(1);
    expect(h.sent).toHaveLength(2);
    expect(await disk.read({ from: 'room/cache', to: 'room/cache0' })).toEqual([['room/cache', 'start a']]);
  });

  it('keeps the order of 1,000 facts that do not fit in memory', async () => {
    const { h, clock } = await opened();
    h.outbox.pause();
    const numbers = Array.from({ length: 1000 }, (_, index) => index);
    await Promise.all(numbers.map((n) => h.outbox.add([sample('a', n)], [], { durability: 'relaxed' })));
    expect(h.outbox.size).toBe(1000);
    h.outbox.resume();
    for (const n of numbers) {
      if (n % 100 === 50) await h.outbox.add([sample('a', 1000 + n)]);
      for (let turns = 0; h.sent.length <= n && turns < 50; turns++) await settle();
      void h.last.confirm();
    }
    await clock.advance(0);
    expect(h.contents.slice(0, 1000)).toEqual(numbers);
  });

  it.each([
    ['mayStayInMemory', 'durable'],
    ['durable', 'mayStayInMemory'],
    ['mayStayInMemory', 'mayStayInMemory', 'durable'],
    ['mayStayInMemory', 'withoutFact', 'durable'],
  ] as const)('sends what was written in one turn while there was no link: %s, %s ...', async (...kinds) => {
    const { store, release } = grouping(new MemoryDisk().open());
    const h = await Harness.open(store, new VirtualClock());
    h.outbox.pause();
    const adds = kinds.map((kind) => {
      const facts = kind === 'withoutFact' ? [] : [sample('a', kind)];
      return h.outbox.add(facts, [], { volatileOnFailure: kind === 'mayStayInMemory' });
    });
    await release();
    await Promise.all(adds);
    const expected = kinds.filter((kind) => kind !== 'withoutFact');
    expect(h.outbox.size).toBe(expected.length);
    h.outbox.resume();
    for (const _ of expected) {
      await settle();
      await h.last.confirm();
    }
    expect(h.contents).toEqual(expected);
    expect(h.outbox.size).toBe(0);
  });

  it('sends what the owner makes of a fact, durable before it goes and the same ever after', async () => {
    let told = 0;
    const finish = (fact: Fact): Fact => (fact.content === 'rough' ? { ...fact, content: `smooth ${++told}` } : fact);
    const { h, disk, clock } = await opened({ finish });
    await h.outbox.add([start('a', 'rough')]);
    await settle();
    expect(h.contents).toEqual(['smooth 1']);
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock, { finish });
    await settle();
    expect(again.contents).toEqual(['smooth 1']);
  });

  it('holds a fact back while what it will say cannot be stored, and sends it when the store heals', async () => {
    const finish = (fact: Fact): Fact => (fact.content === 'rough' ? { ...fact, content: 'smooth' } : fact);
    const { h, disk, clock } = await opened({ finish });
    h.outbox.pause();
    await h.outbox.add([start('a', 'rough')]);
    disk.failWrites(true);
    h.outbox.resume();
    await settle();
    expect(h.contents).toEqual([]);
    disk.failWrites(false);
    await clock.advance(60_000);
    expect(h.contents).toEqual(['smooth']);
  });

  describe('revised', () => {
    let isKnown = false;
    const finish = (fact: Fact): Fact =>
      isKnown ? { ...fact, content: String(fact.content).replace('rough', 'smooth') } : fact;
    const revisable = (fact: Fact): Fact => {
      const finished = finish(fact);
      return finished.content === fact.content ? fact : finished;
    };
    const many = Array.from({ length: 250 }, (_, n) => sample('a', `rough ${n}`));
    const smooth = many.map((_, n) => `smooth ${n}`);
    const contentsOf = async (h: Harness): Promise<unknown[]> =>
      (await h.outbox.pending(1000)).map(({ content }) => content);

    beforeEach(() => {
      isKnown = false;
    });

    it('says of all that waits what its owner knows now, durably, in small batches and in the old order', async () => {
      const { h, disk, clock } = await opened({ finish: revisable });
      h.outbox.pause();
      for (const fact of many) await h.outbox.add([fact]);
      // Its write is still under way.
      const last = h.outbox.add([sample('a', 'rough last')]);
      isKnown = true;
      const before = disk.durableBatches;
      h.outbox.revise();
      await last;
      for (let turn = 0; turn < 50; turn++) await settle();
      expect(disk.durableBatches - before).toBeGreaterThanOrEqual(many.length / 10);
      await disk.powerCut();
      const again = await Harness.open(disk.open(), clock);
      expect(await contentsOf(again)).toEqual([...smooth, 'smooth last']);
      expect(again.outbox.size).toBe(many.length + 1);
    });

    it('never says another thing of what was sent, after a kill neither', async () => {
      const { h, disk, clock } = await opened({ finish: revisable });
      await h.outbox.add([sample('a', 'rough')]);
      await settle();
      await h.last.fail('timeout');
      await disk.kill();
      isKnown = true;
      const again = await Harness.open(disk.open(), clock, { finish: revisable });
      again.outbox.revise();
      await clock.advance(seconds(60));
      expect(again.contents).toEqual(['rough']);
    });

    it('holds up the first of a long queue for one batch at most', async () => {
      const { h, disk } = await opened({ finish: revisable });
      h.outbox.pause();
      for (const fact of many) await h.outbox.add([fact]);
      isKnown = true;
      const before = disk.durableBatches;
      h.outbox.revise();
      h.outbox.resume();
      while (h.contents.length === 0) await Promise.resolve();
      expect(h.contents).toEqual(['smooth 0']);
      expect(disk.durableBatches - before).toBe(1);
    });

    it('begins anew when it is asked for again meanwhile', async () => {
      for (let ticks = 0; ticks < 40; ticks++) {
        let known = 0;
        const numbered = (fact: Fact): Fact =>
          known === 0 || fact.content === known ? fact : { ...fact, content: known };
        const { h } = await opened({ finish: numbered });
        h.outbox.pause();
        for (let n = 0; n < 30; n++) await h.outbox.add([sample('a', 0)]);
        known = 1;
        h.outbox.revise();
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        known = 2;
        h.outbox.revise();
        for (let turn = 0; turn < 50; turn++) await settle();
        expect(await contentsOf(h)).toEqual(Array(30).fill(2));
      }
    });

    it('never says another thing of what was sent, nor sends out of order meanwhile', async () => {
      const { h, clock } = await opened({ finish: revisable });
      for (const fact of many.slice(0, 30)) await h.outbox.add([fact]);
      await settle();
      isKnown = true;
      h.outbox.revise();
      await h.last.fail('timeout');
      await clock.advance(seconds(60));
      for (let n = 0; n < 30; n++) {
        await settle();
        await h.last.confirm();
      }
      expect(h.contents).toEqual(['rough 0', 'rough 0', ...smooth.slice(1, 30)]);
      expect(h.outbox.size).toBe(0);
    });

    it('waits for a store that fails, which does not hold up the sending', async () => {
      const { h, disk, clock } = await opened({ finish: revisable });
      await h.outbox.add([sample('a', 'before')]);
      await h.outbox.add([sample('a', 'rough')]);
      await settle();
      isKnown = true;
      disk.failWrites(true);
      h.outbox.revise();
      await h.last.confirm();
      await clock.advance(seconds(30));
      disk.failWrites(false);
      await clock.advance(seconds(30));
      expect(h.contents).toEqual(['before', 'smooth']);
      expect(await contentsOf(h)).toEqual(['smooth']);
    });
  });

  it('reaches its kill points in the order of their names', async () => {
    const { h } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    await h.last.confirm({ transactionId: 1 });
    expect(h.points).toEqual([
      'beforeStoreWrite',
      'afterStoreWrite',
      'beforeSend',
      'afterSend',
      'confReceived',
      'confStored',
    ]);
  });
});

describe('binding the transactionId (OCPP 1.6 §4.8, errata 3.18)', () => {
  it.each([0, -1, -2147483648, 2147483647, Number.MAX_SAFE_INTEGER])('echoes %d exactly', async (transactionId) => {
    const { h } = await opened();
    await h.outbox.add([start('a'), stop('a')]);
    await settle();
    await h.last.confirm({ transactionId, idTagInfo: { status: 'Blocked' } });
    expect(h.last.payload.transactionId).toBe(transactionId);
    expect(h.outbox.transactionId('a')).toBe(transactionId);
  });

  it('remembers the binding across a restart and forgets it once the Stop is confirmed', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    await h.last.confirm({ transactionId: 42 });
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect(again.outbox.transactionId('a')).toBe(42);
    await again.outbox.add([stop('a')]);
    await settle();
    expect(again.last.payload.transactionId).toBe(42);
    await again.last.confirm();
    expect(again.outbox.transactionId('a')).toBeUndefined();
    expect(await disk.read({ from: 'binding/', to: 'binding0' })).toEqual([]);
  });

  it('remembers the bindings of however many transactions across a restart', async () => {
    const { h, disk, clock } = await opened();
    const bindings = Array.from({ length: 250 }, (_, n) => [`t${n}`, n] as const);
    await h.outbox.adopt({ facts: [], deadLetters: [], bindings });
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    for (const [transaction, id] of bindings) expect(again.outbox.transactionId(transaction)).toBe(id);
  });

  it('gives later messages -1 when the Start was given up, also after a restart', async () => {
    const { h, disk, clock } = await opened();
    h.attempts = 1;
    await h.outbox.add([start('a'), sample('a')]);
    await settle();
    await h.last.fail('callError', 'InternalError');
    expect(h.last.payload).toEqual({ content: 'sample a', transactionId: -1 });
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    await again.outbox.add([stop('a')]);
    await settle();
    await again.last.confirm();
    expect(again.sent.map(({ payload }) => payload.transactionId)).toEqual([-1, -1]);
  });

  it('counts a StartTransaction.conf without a transactionId as a failed attempt', async () => {
    const { h, clock } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    await h.last.confirm({ idTagInfo: { status: 'Accepted' } });
    expect(h.outbox.size).toBe(1);
    await clock.advance(seconds(60));
    expect(h.sent).toHaveLength(2);
  });
});

describe('attempts (OCPP 1.6 §3.7.1)', () => {
  it('takes a confirmation that comes while the retry is waited for, and does not send again', async () => {
    const { clock, h } = await opened();
    await h.outbox.add([start('a'), sample('a')]);
    await settle();
    await h.last.fail('timeout');
    await clock.advance(seconds(30));
    await h.last.confirmLate({ transactionId: 7 });
    expect(h.contents).toEqual(['start a', 'sample a']);
    expect(h.last.payload.transactionId).toBe(7);
    await h.last.confirm();
    await clock.advance(seconds(600));
    expect(h.contents).toEqual(['start a', 'sample a']);
    expect(h.outbox.size).toBe(0);
  });

  it('ignores a confirmation that comes after its fact was sent again', async () => {
    const { clock, h } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    const [first] = h.sent;
    await first?.fail('timeout');
    await clock.advance(seconds(60));
    expect(h.sent).toHaveLength(2);
    await first?.confirmLate({ transactionId: 7 });
    await h.last.confirm({ transactionId: 8 });
    expect(h.outbox.transactionId('a')).toBe(8);
  });

  it('waits for its interval whatever comes late for another fact', async () => {
    const { clock, h } = await opened();
    h.attempts = 1;
    await h.outbox.add([sample('a', 1)]);
    await settle();
    const [given] = h.sent;
    await given?.fail('timeout');
    h.attempts = 3;
    await h.outbox.add([sample('a', 2)]);
    await settle();
    await h.last.fail('timeout');
    await given?.confirmLate({});
    await clock.advance(seconds(59));
    expect(h.contents).toEqual([1, 2]);
    await clock.advance(seconds(1));
    expect(h.contents).toEqual([1, 2, 2]);
  });

  it('waits the interval times the number of transmissions, then gives up', async () => {
    const { h, clock } = await opened();
    await h.outbox.add([stop('a'), stop('b')]);
    await settle();
    await h.last.fail('callError', 'GenericError');
    await clock.advance(seconds(59));
    expect(h.sent).toHaveLength(1);
    await clock.advance(seconds(1));
    expect(h.sent).toHaveLength(2);
    await h.last.fail('timeout');
    await clock.advance(seconds(119));
    expect(h.sent).toHaveLength(2);
    await clock.advance(seconds(1));
    await h.last.fail('badReply');
    expect(h.contents).toEqual(['stop a', 'stop a', 'stop a', 'stop b']);
    expect(h.letters).toEqual(await h.outbox.deadLetters(10));
    expect(h.letters[0]).toMatchObject({ fact: stop('a'), attempts: 3, failure: { code: 'badReply' } });
    expect(h.outbox.size).toBe(1);
  });

  it.each([0, 1, -5])('tries once when TransactionMessageAttempts is %d', async (attempts) => {
    const { h } = await opened();
    h.attempts = attempts;
    await h.outbox.add([stop('a')]);
    await settle();
    await h.last.fail('callError');
    expect(h.letters).toHaveLength(1);
  });

  it('does not count a lost link and waits for the next one', async () => {
    const { h, clock } = await opened();
    h.attempts = 1;
    await h.outbox.add([stop('a')]);
    for (let n = 0; n < 5; n++) {
      await settle();
      await h.last.fail('disconnected');
      await clock.advance(seconds(600));
      expect(h.sent).toHaveLength(n + 1);
      h.outbox.resume();
    }
    await settle();
    expect(h.sent).toHaveLength(6);
    expect(h.letters).toEqual([]);
  });

  it('goes on at once when the loss is reported only after the link came back', async () => {
    const { h } = await opened();
    await h.outbox.add([stop('a')]);
    await settle();
    h.outbox.pause();
    h.outbox.resume();
    await h.last.fail('disconnected');
    expect(h.sent).toHaveLength(2);
  });

  it('keeps counting after the process was killed', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([stop('a')]);
    await settle();
    await h.last.fail('callError');
    await clock.advance(seconds(60));
    await h.last.fail('callError');
    await disk.kill();
    const again = await Harness.open(disk.open(), clock);
    await settle();
    await again.last.fail('callError');
    expect(again.letters).toHaveLength(1);
  });

  it('takes any result of MeterValues as processed', async () => {
    const { h } = await opened();
    await h.outbox.add([sample('a')]);
    await settle();
    await h.last.fail('badReply');
    expect(h.delivered).toEqual([[sample('a'), {}]]);
  });

  it('gives up a fact that cannot be rendered, and goes on', async () => {
    const clock = new VirtualClock();
    const h = await Harness.open(new MemoryDisk().open(), clock, {
      render: ({ content }) => {
        if (content === 'poison') throw new Error('cannot be rendered');
        return { content };
      },
    });
    await h.outbox.add([sample('a', 'poison'), sample('a', 'good')]);
    await clock.advance(seconds(180));
    expect(h.contents).toEqual(['good']);
    expect(h.letters[0]?.failure).toEqual({ code: 'unexpected', message: 'cannot be rendered' });
  });

  it('goes on when its owner throws', async () => {
    const boom = (): never => {
      throw new Error('owner');
    };
    const h = await Harness.open(new MemoryDisk().open(), new VirtualClock(), { settle: boom, delivered: boom });
    h.outbox.onChange(boom);
    await h.outbox.add([sample('a', 1), sample('a', 2)]);
    await settle();
    await h.last.confirm();
    await h.last.confirm();
    expect(h.outbox.size).toBe(0);
  });
});

describe('pausing', () => {
  it('sends nothing before the first resume and nothing new after a pause', async () => {
    const h = new Harness(new MemoryDisk().open(), new VirtualClock());
    await h.outbox.open();
    await h.outbox.add([sample('a', 1), sample('a', 2)]);
    await settle();
    expect(h.sent).toEqual([]);
    h.outbox.resume();
    await settle();
    h.outbox.pause();
    await h.last.confirm();
    expect(h.contents).toEqual([1]);
    expect(h.delivered).toHaveLength(1);
  });
});

describe('store trouble', () => {
  it('refuses an add that is not durable and never sends it', async () => {
    const { h, disk, clock } = await opened();
    disk.failWrites(true);
    await expect(h.outbox.add([start('a')])).rejects.toBeInstanceOf(StoreError);
    disk.failWrites(false);
    await h.outbox.add([start('b')]);
    await clock.advance(seconds(60));
    expect(h.contents).toEqual(['start b']);
    expect(h.outbox.size).toBe(1);
  });

  it('writes again by itself after a refused add, until the store is healthy, and then no more', async () => {
    const disk = new MemoryDisk();
    const clock = new VirtualClock();
    const store = disk.open();
    const h = await Harness.open(store, clock);
    disk.failWrites(true);
    await expect(h.outbox.add([start('a')])).rejects.toBeInstanceOf(StoreError);
    await clock.advance(seconds(25));
    disk.failWrites(false);
    expect(store.healthy).toBe(false);
    await clock.advance(seconds(5));
    expect(store.healthy).toBe(true);
    expect(clock.armed).toBe(0);
    expect(h.outbox.size).toBe(0);
  });

  it('keeps facts of a running transaction in memory, sends them in order, and writes what is left when the store heals', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    await h.last.confirm({ transactionId: 5 });
    disk.failWrites(true);
    const keep = { volatileOnFailure: true };
    await h.outbox.add([sample('a', 1)], [{ type: 'put', key: 'room/open', value: 1 }], keep);
    await h.outbox.add([sample('a', 2)], [{ type: 'put', key: 'room/open', value: 2 }], keep);
    await h.outbox.add([stop('a')], [{ type: 'delete', key: 'room/open' }], keep);
    expect(h.outbox.size).toBe(3);
    await settle();
    await h.last.confirm();
    expect(h.contents).toEqual(['start a', 1, 2]);
    disk.failWrites(false);
    await clock.advance(seconds(10));
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    await settle();
    expect(again.outbox.size).toBe(2);
    expect(again.last.payload).toEqual({ content: 2, transactionId: 5 });
    expect(await disk.read({ from: 'room/', to: 'room0' })).toEqual([]);
  });

  it('delivers a running transaction to its end while the store fails', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    disk.failWrites(true);
    await h.last.confirm({ transactionId: 5 });
    await h.outbox.add([sample('a', 1)], [], { volatileOnFailure: true });
    await h.outbox.add([stop('a')], [], { volatileOnFailure: true });
    await settle();
    await h.last.confirm();
    await h.last.confirm();
    expect(h.delivered.map(([fact]) => fact.action)).toEqual(['StartTransaction', 'MeterValues', 'StopTransaction']);
    disk.failWrites(false);
    await clock.advance(seconds(10));
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect(again.outbox.size).toBe(0);
    await clock.advance(seconds(10));
    expect(again.sent).toEqual([]);
  });

  it('holds back the next stored fact while the last confirmation is not durable, and repeats none when it heals', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([sample('a', 1), sample('a', 2)]);
    await settle();
    disk.failWrites(true);
    await h.last.confirm();
    await clock.advance(seconds(60));
    expect(h.contents).toEqual([1]);
    disk.failWrites(false);
    await clock.advance(seconds(10));
    expect(h.contents).toEqual([1, 2]);
  });

  it('delivers more facts from memory than one page while the store fails, and numbers its facts without gaps', async () => {
    const { h, disk, clock } = await opened();
    const numbers = Array.from({ length: 250 }, (_, index) => index);
    disk.failWrites(true);
    for (const n of numbers) await h.outbox.add([sample('a', n)], [], { volatileOnFailure: true });
    await expect(h.outbox.add([start('refused')])).rejects.toBeInstanceOf(StoreError);
    for (let turns = 0; h.outbox.size > 50 && turns < 400; turns++) await h.last.confirm();
    expect(h.contents).toEqual(numbers.slice(0, 201));
    disk.failWrites(false);
    await h.outbox.add([stop('a')]);
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect(again.outbox.size).toBe(51);
  });

  it('reads again when reading failed', async () => {
    const { disk, clock, h } = await opened();
    h.outbox.pause();
    for (let n = 0; n < 150; n++) await h.outbox.add([sample('a', n)], [], { durability: 'relaxed' });
    await disk.kill();
    const again = await Harness.open(disk.open(), clock);
    disk.failReads(true);
    await clock.advance(seconds(30));
    disk.failReads(false);
    await clock.advance(seconds(10));
    expect(again.contents).toEqual([0]);
  });

  it('loses relaxed samples in a power cut only back to the last durable write', async () => {
    const { h, disk, clock } = await opened();
    h.outbox.pause();
    await h.outbox.add([sample('a', 1)], [], { durability: 'relaxed' });
    await h.outbox.add([stop('a')]);
    await h.outbox.add([sample('b', 2)], [], { durability: 'relaxed' });
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect((await again.outbox.pending(10)).map(({ content }) => content)).toEqual([1, 'stop a']);
  });

  it('obeys the bench switch at once, in the order of the batches', async () => {
    const disk = new MemoryDisk();
    const { store, fail } = failable(disk.open());
    const order: string[] = [];
    const put = { type: 'put', key: 'k', value: 1 } as const;
    const before = store.batch([put], 'durable').then(() => order.push('before'));
    fail(true);
    expect(store.healthy).toBe(false);
    const during = store.batch([put], 'durable').catch((error: StoreError) => order.push(error.code));
    fail(false);
    await Promise.all([before, during]);
    expect(order).toEqual(['before', 'storeBroken']);
    expect(store.healthy).toBe(true);
  });
});

describe('opening and closing', () => {
  it('goes on where it stood, without what was confirmed', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([sample('a', 1), sample('a', 2), sample('a', 3)]);
    await settle();
    await h.last.confirm();
    await h.outbox.close();
    await disk.kill();
    const again = await Harness.open(disk.open(), clock);
    expect(again.outbox.size).toBe(2);
    await settle();
    await again.last.confirm();
    expect(again.contents).toEqual([2, 3]);
  });

  it('never gives a sequence number twice, even after everything was delivered', async () => {
    const { h, disk, clock } = await opened();
    h.attempts = 1;
    await h.outbox.add([sample('a', 1)]);
    await settle();
    await h.last.fail('callError');
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    again.attempts = 1;
    await again.outbox.add([sample('a', 2)]);
    await settle();
    await again.last.fail('callError');
    expect((await again.outbox.deadLetters(10)).map(({ fact }) => fact.content)).toEqual([1, 2]);
  });

  it('passes over a record that is no fact', async () => {
    const { h, disk, clock } = await opened();
    h.outbox.pause();
    await h.outbox.add([sample('a', 1), null as unknown as Fact, sample('a', 2)]);
    await disk.kill();
    const again = await Harness.open(disk.open(), clock);
    await settle();
    await again.last.confirm();
    expect(again.contents).toEqual([1, 2]);
    await again.last.confirm();
    expect(again.outbox.size).toBe(0);
  });

  it('refuses adds before open and after close, and ignores a confirmation after close', async () => {
    const { h } = await opened();
    await h.outbox.add([sample('a')]);
    await settle();
    await h.outbox.close();
    await h.last.confirm();
    expect(h.delivered).toEqual([]);
    await expect(h.outbox.add([sample('a')])).rejects.toMatchObject({ code: 'storeClosed' });
    const fresh = new Harness(new MemoryDisk().open(), new VirtualClock());
    await expect(fresh.outbox.add([sample('a')])).rejects.toMatchObject({ code: 'storeClosed' });
  });

  it('writes what it still owes before it closes, if the store heals in time', async () => {
    const { h, disk, clock } = await opened();
    h.outbox.pause();
    disk.failWrites(true);
    await h.outbox.add([stop('a')], [], { volatileOnFailure: true });
    disk.failWrites(false);
    await h.outbox.close();
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect(await again.outbox.pending(10)).toEqual([stop('a')]);
  });

  it('leaves no timer behind', async () => {
    const { h, clock, disk } = await opened();
    await h.outbox.add([sample('a')]);
    await settle();
    await h.last.fail('callError');
    disk.failWrites(true);
    await h.outbox.add([sample('a')], [], { volatileOnFailure: true });
    expect(clock.armed).toBe(2);
    await h.outbox.close();
    expect(clock.armed).toBe(0);
  });

  it('adopts the rows of another store behind its own facts, bindings and dead letters included', async () => {
    const { h, disk } = await opened();
    h.outbox.pause();
    h.attempts = 1;
    await h.outbox.add([start('done'), start('dead'), stop('done')]);
    h.outbox.resume();
    await settle();
    await h.last.confirm({ transactionId: 9 });
    await h.last.fail('callError');
    await h.outbox.close();
    const salvaged = salvagedFrom((await disk.read({ from: '', to: '~' })).reverse());
    expect(salvaged).toMatchObject({
      facts: [stop('done')],
      bindings: [
        ['dead', -1],
        ['done', 9],
      ],
    });
    const other = await opened();
    await other.h.outbox.add([sample('x', 'own')]);
    await other.h.outbox.adopt(salvaged);
    await settle();
    await other.h.last.confirm();
    expect(other.h.last.payload).toEqual({ content: 'stop done', transactionId: 9 });
    expect(await other.h.outbox.deadLetters(10)).toEqual(salvaged.deadLetters);
    expect(other.h.outbox.transactionId('dead')).toBe(-1);
  });

  it('does not adopt a transaction id where it has one of its own', async () => {
    const { h, disk, clock } = await opened();
    await h.outbox.add([start('a')]);
    await settle();
    await h.last.confirm({ transactionId: 7 });
    await h.outbox.adopt({ facts: [], deadLetters: [], bindings: [['a', -1]] });
    expect(h.outbox.transactionId('a')).toBe(7);
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    expect(again.outbox.transactionId('a')).toBe(7);
  });

  it('gives an adopted dead letter a number that no later one takes, and counts none of them as waiting', async () => {
    const { h, disk, clock } = await opened();
    const gaveUpAt = { bootId: 'b', at: 0, wall: 0, trusted: true };
    const letter = (transaction: string): DeadLetter => ({
      fact: start(transaction),
      attempts: 3,
      failure: { code: 'timeout', message: '' },
      gaveUpAt,
    });
    await h.outbox.adopt({ facts: [], bindings: [], deadLetters: [letter('old'), letter('older')] });
    await disk.powerCut();
    const again = await Harness.open(disk.open(), clock);
    again.attempts = 1;
    expect(again.outbox.size).toBe(0);
    await again.outbox.add([start('new'), stop('new')]);
    expect(again.outbox.size).toBe(2);
    await settle();
    await again.last.fail('callError');
    const letters = await again.outbox.deadLetters(10);
    expect(letters.map(({ fact }) => fact.transaction)).toEqual(['old', 'older', 'new']);
    await again.last.confirm();
    expect(again.outbox.size).toBe(0);
  });
});

describe('a value that a bad medium made unreadable', () => {
  const COUNT = 250;

  async function rotted(rows: readonly (readonly [string, unknown])[], isRotten: (n: number) => boolean) {
    const level = new MemoryLevel<string, string>();
    await level.batch(
      rows.map(([key, value], n) => ({
        type: 'put',
        key,
        value: JSON.stringify(value).slice(0, isRotten(n) ? 5 : undefined),
      })),
    );
    return new LevelStore(level as unknown as Database, silentLog);
  }

  /** Runs of neighbours, as a bad block takes them: whole pages, too. */
  const holes = fc
    .array(fc.record({ from: fc.nat(COUNT - 1), length: fc.integer({ min: 1, max: COUNT }) }), { maxLength: 4 })
    .map((runs) => (n: number) => runs.some(({ from, length }) => n >= from && n < from + length));

  it('takes no other fact with it: all others are sent in order, those that are added later as well', async () => {
    await fc.assert(
      fc.asyncProperty(holes, async (isRotten) => {
        const numbers = Array.from({ length: COUNT }, (_, n) => n);
        const store = await rotted(
          numbers.map((n) => [factKey(n), sample('a', n)]),
          isRotten,
        );
        const told: unknown[] = [];
        const send: OutboxPorts['send'] = async (_, payload) => {
          told.push((payload as { readonly content: unknown }).content);
          return {};
        };
        const h = new Harness(store, new VirtualClock(), { send });
        await h.outbox.open();
        await h.outbox.add([stop('a', COUNT)]);
        h.outbox.resume();
        while (h.outbox.size > 0) await settle();
        expect(told).toEqual([...numbers.filter((n) => !isRotten(n)), COUNT]);
        await h.outbox.close();
      }),
      { numRuns: 30 },
    );
  });

  it('takes no other transaction id with it', async () => {
    await fc.assert(
      fc.asyncProperty(holes, async (isRotten) => {
        const names = Array.from({ length: COUNT }, (_, n) => `t${String(n).padStart(3, '0')}`);
        const store = await rotted(
          names.map((name, n) => [bindingKey(name), { transactionId: n }]),
          isRotten,
        );
        const { outbox } = await Harness.open(store, new VirtualClock());
        const known = names.map((name) => outbox.transactionId(name));
        expect(known).toEqual(names.map((_, n) => (isRotten(n) ? undefined : n)));
      }),
      { numRuns: 30 },
    );
  });
});
