/** A switch of the central system: whenever the power goes, the next start finds the old world or the new one, never half of each. */
import { describe, expect, it } from 'vitest';
import { type Address, type SwitchPorts, settleSwitch, switchCentralSystem } from '../src/central-system-switch.ts';
import { FEATURES } from '../src/features/all.ts';
import { openKey } from '../src/features/transactions/facts.ts';
import { bindingKey, deadKey, factKey, headKey } from '../src/ocpp/outbox/fact.ts';
import type { Salvaged } from '../src/ocpp/outbox/salvaged.ts';
import type { Store, StoreOperation } from '../src/ports.ts';
import { MemoryDisk } from './sim/memory-store.ts';
import { settle } from './sim/virtual-clock.ts';
import { silentLog } from './sim/world.ts';

const OLD: Address = { url: 'ws://old', identity: 'cp001' };
const NEW: Address = { url: 'wss://new', identity: 'cp002' };
const start = { action: 'StartTransaction', transaction: 't1', content: { connectorId: 1 } } as const;
const stop = { action: 'StopTransaction', transaction: 't0', content: {} } as const;
const letter = { fact: stop, attempts: 3, failure: { code: 'timeout', message: '' }, gaveUpAt: {} };

/** Something of every room, and what stays whoever the central system is. */
const OWNED: Readonly<Record<string, unknown>> = {
  [headKey]: { sequence: 7, failures: 0 },
  [factKey(7)]: start,
  [deadKey(3)]: letter,
  [bindingKey('t0')]: { transactionId: -5 },
  'cache/abc': { status: 'Accepted', order: 1 },
  'list/head': { version: 2, first: 0, next: 1 },
  'list/piece/000000000000': [],
  'reservation/all': [],
  'key/HeartbeatInterval': { value: '60', setAt: 0 },
  'firmware/state': { unsaid: [], image: true, update: { id: 'u', phase: 'waiting', location: 'http://old/image' } },
};
const STAYS: Readonly<Record<string, unknown>> = {
  'meta/format': { format: 1 },
  'preset/HeartbeatInterval': '300',
  'availability/inoperative': [1],
};
/** A remark for the next start: an image of the old one may lie on the disk. */
const AFTERWARDS: Readonly<Record<string, unknown>> = { ...STAYS, 'firmware/state': { unsaid: [], image: true } };

const puts = (rows: Readonly<Record<string, unknown>>): readonly StoreOperation[] =>
  Object.entries(rows).map(([key, value]) => ({ type: 'put', key, value }));

/** The state directory and the configuration file of one charge point. */
class Site {
  readonly disk = new MemoryDisk();
  file: Address = OLD;
  kept: Salvaged | undefined;
  store: Store = this.disk.open();
  /** How many steps of the switch still happen before the power goes; a step is a write or the rename. */
  #left: number;
  #isCut = false;

  private constructor(left: number) {
    this.#left = left;
  }

  static async make(left = Number.POSITIVE_INFINITY, extra: Readonly<Record<string, unknown>> = {}): Promise<Site> {
    const site = new Site(left);
    await site.store.batch(puts({ ...OWNED, ...STAYS, ...extra }), 'durable');
    return site;
  }

  /** Every odd cut comes after the step took effect, but before anybody heard of it. */
  get ports(): SwitchPorts {
    const step = async <T>(effect: () => Promise<T>): Promise<T> => {
      if (this.#isCut || this.#left === 0) return this.#never();
      const result = await effect();
      this.#left -= 1;
      if (this.#left === 0) return this.#never();
      this.#left -= 1;
      return result;
    };
    return {
      store: {
        healthy: true,
        get: (key) => this.store.get(key),
        list: (range) => this.store.list(range),
        batch: (operations, durability) => step(() => this.store.batch(operations, durability)),
        close: () => this.store.close(),
      },
      log: silentLog,
      keep: (outbox) =>
        step(async () => {
          this.kept = outbox;
        }),
      rename: () =>
        step(async () => {
          this.file = NEW;
        }),
    };
  }

  #never<T>(): Promise<T> {
    this.#isCut = true;
    return new Promise<T>(() => undefined);
  }

  async restart(): Promise<void> {
    await this.disk.powerCut();
    this.store = this.disk.open();
    await settleSwitch(this.store, this.file, silentLog);
  }

  async rows(): Promise<Readonly<Record<string, unknown>>> {
    return Object.fromEntries(await this.store.list({ from: '', to: '\uffff' }));
  }
}

describe('a switch of the central system', () => {
  it('keeps the outbox, clears what every room has for the old one, and leaves the rest', async () => {
    const site = await Site.make();
    expect(await switchCentralSystem(site.ports, { from: OLD, to: NEW })).toBe('done');
    expect(site.file).toEqual(NEW);
    expect(site.kept).toEqual({ facts: [start], deadLetters: [letter], bindings: [['t0', -5]] });
    expect(await site.rows()).toEqual(AFTERWARDS);
  });

  it('knows a room for every row of the old one in this test', () => {
    const ranges = FEATURES.flatMap(({ ofCentralSystem }) => ofCentralSystem ?? []);
    const isOwned = (key: string): boolean => ranges.some(({ from, to }) => key >= from && key < to);
    expect(Object.keys(OWNED).filter((key) => !isOwned(key))).toEqual([]);
    expect(Object.keys(STAYS).filter(isOwned)).toEqual([]);
  });

  it.each(Array.from({ length: 9 }, (_, left) => left))(
    'is old or new after a power cut at moment %i',
    async (left) => {
      const site = await Site.make(left);
      void switchCentralSystem(site.ports, { from: OLD, to: NEW });
      await settle();
      await site.restart();
      const isNew = site.file === NEW;
      expect(await site.rows()).toEqual(isNew ? AFTERWARDS : { ...OWNED, ...STAYS });
      if (isNew) expect(site.kept?.facts).toEqual([start]);
    },
  );

  it('is interrupted in both worlds by the moments of this test', async () => {
    const worlds = await Promise.all(
      Array.from({ length: 9 }, async (_, left) => {
        const site = await Site.make(left);
        void switchCentralSystem(site.ports, { from: OLD, to: NEW });
        await settle();
        return site.file === NEW;
      }),
    );
    expect(worlds).toEqual([false, false, false, false, false, true, true, true, true]);
  });

  it('changes nothing while a transaction has no stop', async () => {
    const extra = { [openKey('t1')]: {} };
    const site = await Site.make(Number.POSITIVE_INFINITY, extra);
    expect(await switchCentralSystem(site.ports, { from: OLD, to: NEW })).toBe('open');
    expect(site.file).toEqual(OLD);
    expect(await site.rows()).toEqual({ ...OWNED, ...STAYS, ...extra });
  });

  it.each(['keep', 'rename'] as const)('changes nothing if %s fails', async (port) => {
    const site = await Site.make();
    const failing = { ...site.ports, [port]: () => Promise.reject(new Error('no permission')) };
    await expect(switchCentralSystem(failing, { from: OLD, to: NEW })).rejects.toThrow('no permission');
    expect(await site.rows()).toEqual({ ...OWNED, ...STAYS });
  });

  it('that the disk fails after the rename is completed by the next start', async () => {
    const site = await Site.make();
    const rename = async (): Promise<void> => {
      await site.ports.rename();
      site.disk.failWrites(true);
    };
    expect(await switchCentralSystem({ ...site.ports, rename }, { from: OLD, to: NEW })).toBe('later');
    site.disk.failWrites(false);
    await site.restart();
    expect(await site.rows()).toEqual(AFTERWARDS);
  });
});
