/** Random stories about the outbox: whatever the central system, the link, the store and the mains do, the invariants hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeadLetter, Fact } from '../../src/ocpp/outbox/fact.ts';
import { MemoryDisk } from '../sim/memory-store.ts';
import { seconds, settle, VirtualClock } from '../sim/virtual-clock.ts';
import { Harness, sample, start, stop } from './outbox-harness.ts';

type Act =
  | { readonly type: 'start' | 'stop' | 'confirm' | 'callError' | 'timeout' | 'badReply' | 'disconnect' }
  | { readonly type: 'pause' | 'resume' | 'storeFails' | 'storeHeals' | 'kill' | 'powerCut' }
  | { readonly type: 'sample'; readonly relaxed: boolean }
  | { readonly type: 'wait'; readonly s: number };

/** How long a batch of facts is promised to live once `add` has resolved. */
type Lifetime = 'powerCut' | 'kill' | 'memory';

interface Known {
  readonly fact: Fact;
  promise: Lifetime;
}

interface Wire {
  readonly id: number;
  readonly action: string;
  readonly transactionId: number | undefined;
}

/** What the outside saw, over all lives of the process. */
class Witness {
  readonly disk = new MemoryDisk();
  readonly clock = new VirtualClock();
  h!: Harness;
  /** Facts whose add resolved, in that order; and those whose add was refused. */
  readonly known: Known[] = [];
  readonly refused = new Set<number>();
  /** Facts that a kill may take: promised to memory only, or relaxed before a power cut. */
  readonly excused = new Set<number>();
  readonly wire: Wire[] = [];
  readonly violations: string[] = [];
  readonly confirmed = new Set<number>();
  readonly given = new Map<string, number>();
  /** In flight, or confirmed in memory only, when the process died: these may be repeated. */
  readonly repeatable = new Set<number>();
  /** Confirmed in the present life of the process: never again on the wire. */
  readonly confirmedInLife = new Set<number>();
  /** Frames of facts that had been confirmed before, by life. */
  readonly doubles: number[][] = [];
  #taken = 0;
  #ids = 0;
  #transactions = 0;
  open: string | undefined;

  async boot(): Promise<void> {
    this.h = await Harness.open(this.disk.open(), this.clock);
    this.#taken = 0;
    this.confirmedInLife.clear();
    this.doubles.push([]);
    this.look();
  }

  /** Takes note of new frames. */
  look(): void {
    for (const { action, payload } of this.h.sent.slice(this.#taken)) {
      const id = payload.content as number;
      this.wire.push({ id, action, transactionId: payload.transactionId });
      if (this.confirmedInLife.has(id)) this.violations.push(`${id} was sent again in the same life`);
      if (this.confirmed.has(id)) this.doubles.at(-1)?.push(id);
    }
    this.#taken = this.h.sent.length;
  }

  get unanswered(): (typeof this.h.sent)[number] | undefined {
    const last = this.h.sent.at(-1);
    return last !== undefined && !this.answered.has(last) ? last : undefined;
  }
  readonly answered = new WeakSet<object>();

  async add(kind: 'start' | 'sample' | 'stop', relaxed = false): Promise<void> {
    if (kind === 'start') {
      if (this.open !== undefined) return;
      const transaction = `t${++this.#transactions}`;
      if (await this.#add(start(transaction, ++this.#ids), relaxed, false)) this.open = transaction;
      return;
    }
    if (this.open === undefined) return;
    const transaction = this.open;
    if (kind === 'stop') this.open = undefined;
    await this.#add((kind === 'stop' ? stop : sample)(transaction, ++this.#ids), relaxed, true);
  }

  async #add(fact: Fact, relaxed: boolean, running: boolean): Promise<boolean> {
    const failing = this.disk.writesFail;
    const options = { durability: relaxed ? 'relaxed' : 'durable', volatileOnFailure: running } as const;
    try {
      await this.h.outbox.add([fact], [], options);
    } catch {
      this.refused.add(fact.content as number);
      return false;
    }
    this.known.push({ fact, promise: failing ? 'memory' : relaxed ? 'kill' : 'powerCut' });
    // Relaxed facts become durable with the next durable write.
    if (!failing && !relaxed) for (const known of this.known) known.promise = 'powerCut';
    return true;
  }

  async answer(act: Act['type']): Promise<void> {
    const call = this.unanswered;
    if (call === undefined) return;
    this.answered.add(call);
    const id = call.payload.content as number;
    if (act !== 'confirm' && !(act === 'badReply' && call.action === 'MeterValues')) {
      return call.fail(act === 'disconnect' ? 'disconnected' : (act as 'timeout'));
    }
    this.look();
    this.confirmed.add(id);
    this.confirmedInLife.add(id);
    if (this.disk.writesFail) this.repeatable.add(id);
    if (call.action !== 'StartTransaction') return act === 'confirm' ? call.confirm() : call.fail('badReply');
    const transaction = this.known.find(({ fact }) => fact.content === id)?.fact.transaction ?? '';
    this.given.set(transaction, id * 10);
    return call.confirm({ transactionId: id * 10 });
  }

  async die(how: 'kill' | 'powerCut'): Promise<void> {
    await settle();
    this.look();
    const inFlight = this.unanswered;
    if (inFlight !== undefined) this.repeatable.add(inFlight.payload.content as number);
    for (const { fact, promise } of this.known) {
      if (promise === 'memory' || (promise === 'kill' && how === 'powerCut')) this.excused.add(fact.content as number);
    }
    if (how === 'kill') await this.disk.kill();
    else await this.disk.powerCut();
    this.disk.failWrites(false);
    await this.boot();
  }

  async play(act: Act): Promise<void> {
    switch (act.type) {
      case 'start':
      case 'stop':
        await this.add(act.type);
        break;
      case 'sample':
        await this.add('sample', act.relaxed);
        break;
      case 'pause':
        this.h.outbox.pause();
        break;
      case 'resume':
        this.h.outbox.resume();
        break;
      case 'storeFails':
        this.disk.failWrites(true);
        break;
      case 'storeHeals':
        this.disk.failWrites(false);
        break;
      case 'wait':
        await this.clock.advance(seconds(act.s));
        break;
      case 'kill':
      case 'powerCut':
        await this.die(act.type);
        break;
      default:
        await this.answer(act.type);
    }
    await settle();
    this.look();
  }

  /** The world becomes good: everything that is left must go. */
  async finish(): Promise<void> {
    this.disk.failWrites(false);
    for (let turns = 0; turns < 400 && (this.h.outbox.size > 0 || turns < 2); turns++) {
      if (this.unanswered === undefined) {
        this.h.outbox.resume();
        await this.clock.advance(seconds(130));
      } else await this.answer('confirm');
      this.look();
    }
  }
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Act>({ type: 'start' }, { type: 'stop' }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('sample' as const), relaxed: fc.boolean() }) },
  { weight: 8, arbitrary: fc.constant<Act>({ type: 'confirm' }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom<Act>(
      { type: 'callError' },
      { type: 'timeout' },
      { type: 'badReply' },
      { type: 'disconnect' },
      { type: 'pause' },
      { type: 'resume' },
      { type: 'resume' },
    ),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), s: fc.constantFrom(5, 60, 120) }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Act>(
      { type: 'storeFails' },
      { type: 'storeHeals' },
      { type: 'storeHeals' },
      { type: 'kill' },
      { type: 'powerCut' },
    ),
  },
);

const startOf = ({ fact }: DeadLetter): string | undefined =>
  fact.action === 'StartTransaction' ? fact.transaction : undefined;

describe('whatever happens to the outbox', () => {
  it('loses nothing, repeats only what was in flight at a kill, keeps the order and binds every message', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 60 }), async (story) => {
        const world = new Witness();
        await world.boot();
        for (const next of story) await world.play(next);
        await world.finish();
        const dead = new Set((await world.h.outbox.deadLetters(1000)).map(({ fact }) => fact.content as number));

        // Nothing lost: confirmed, or a dead letter, or excused by a kill before it could be durable.
        expect(world.h.outbox.size).toBe(0);
        const lost = world.known
          .map(({ fact }) => fact.content as number)
          .filter((id) => {
            return !world.confirmed.has(id) && !dead.has(id) && !world.excused.has(id);
          });
        expect(lost).toEqual([]);

        // What was refused never reached the wire.
        expect(world.wire.filter(({ id }) => world.refused.has(id))).toEqual([]);

        // Nothing twice: after a kill one fact at most, the one in flight or the one whose confirmation could not be written.
        expect(world.violations).toEqual([]);
        for (const doubles of world.doubles) {
          expect(new Set(doubles).size).toBeLessThanOrEqual(1);
          for (const id of doubles) expect(world.repeatable).toContain(id);
        }

        // Order: ids were given in the order of the adds; only a kill may take the wire back to one already sent.
        let reached = 0;
        for (const { id } of world.wire) {
          if (id < reached) expect(world.repeatable).toContain(id);
          else reached = id;
        }

        // Pairing: every message of a transaction carries what its Start got, or -1 after the Start was given up.
        const deadStarts = new Set((await world.h.outbox.deadLetters(1000)).map(startOf));
        for (const { id, action, transactionId } of world.wire) {
          const fact = world.known.find((known) => known.fact.content === id)?.fact;
          if (fact === undefined || action === 'StartTransaction') expect(transactionId).toBeUndefined();
          else expect(transactionId).toBe(deadStarts.has(fact.transaction) ? -1 : world.given.get(fact.transaction));
        }
      }),
      { numRuns: 300 },
    );
  });
});
