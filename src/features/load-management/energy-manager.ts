/** Limits that others set over the control interface (an energy manager, solar surplus): they may lower, never raise, and each has its time. */
import type { Bound } from '../../core/load/bound.ts';
import { ControlError } from '../../errors.ts';
import type { Cancel, KeyRange } from '../../ports.ts';
import type { Context } from '../feature.ts';

export interface ExternalLimit {
  /** Who says it: 1 to 20 letters, digits, `.`, `_` and `-`. */
  readonly source: string;
  /** 0: all connectors together. */
  readonly connectorId: number;
  /** Ampere per phase. */
  readonly limitA: number;
  /** Meant for one phase: the connector is switched, if it can. */
  readonly phases?: 1;
  /** Monotonic; the safe current counts from then on. */
  readonly until: number;
}

/** As the control interface shows it. */
export type ShownLimit = Omit<ExternalLimit, 'until'> & { readonly remainingS: number; readonly expired: boolean };

const PREFIX = 'external-limit/';
const externalLimitRange: KeyRange = { from: PREFIX, to: 'external-limit0' };
const keyOf = ({ source, connectorId }: Pick<ExternalLimit, 'source' | 'connectorId'>): string =>
  `${PREFIX}${source}/${connectorId}`;
/** So many sources and connectors: a client that invents names must not fill the disk. */
const MOST = 100;

export class ExternalLimits {
  readonly #context: Context;
  #all = new Map<string, ExternalLimit>();
  #timer: Cancel | undefined;
  /** Who has become silent since then is worth a line of the log. */
  #toldAt: number;

  constructor(context: Context) {
    this.#context = context;
    this.#toldAt = context.clock.now();
  }

  /** Who set a limit before the restart has to say it again: until then the safe current counts. Never rejects. */
  async open(): Promise<void> {
    const { clock, config, log, store } = this.#context;
    const { safeA } = config.installation;
    try {
      const rows = await store.list<Pick<ExternalLimit, 'source' | 'connectorId'>>(externalLimitRange);
      const left = rows.map(([key, who]) => [key, { ...who, limitA: safeA, until: clock.now() }] as const);
      this.#all = new Map([...left, ...this.#all]);
    } catch (cause) {
      log.error('the limits of energy managers cannot be read', { cause });
    }
    this.#tell();
  }

  stop(): void {
    this.#timer?.();
  }

  get shown(): readonly ShownLimit[] {
    const now = this.#context.clock.now();
    return [...this.#all.values()].map(({ until, ...limit }) => ({
      ...limit,
      remainingS: Math.max(0, Math.ceil((until - now) / 1000)),
      expired: until <= now,
    }));
  }

  /** That the source exists is durable when it resolves; the limit itself is not, because it has its time. Rejects with ControlError. */
  async set(limit: ExternalLimit): Promise<void> {
    const { clock, log, station, store } = this.#context;
    const { source, connectorId } = limit;
    if (connectorId !== 0 && station.connector(connectorId) === undefined)
      throw new ControlError('notFound', `there is no connector ${connectorId}`);
    const key = keyOf(limit);
    if (!this.#all.has(key)) {
      if (this.#all.size >= MOST)
        throw new ControlError('badRequest', `there are ${MOST} limits already: withdraw some`);
      await store.batch([{ type: 'put', key, value: { source, connectorId } }], 'durable');
      log.info('somebody bounds the offer from now on', {
        source,
        connectorId,
        forS: (limit.until - clock.now()) / 1000,
      });
    }
    this.#all.set(key, limit);
    this.#tell();
  }

  /** Rejects with ControlError if there is none. */
  async withdraw(source: string, connectorId: number): Promise<void> {
    const { log, store } = this.#context;
    const key = keyOf({ source, connectorId });
    if (!this.#all.has(key))
      throw new ControlError(
        'notFound',
        `${source} has set no limit for ${connectorId === 0 ? 'all connectors' : `connector ${connectorId}`}`,
      );
    await store.batch([{ type: 'delete', key }], 'durable');
    this.#all.delete(key);
    log.info('somebody does not bound the offer any more', { source, connectorId });
    this.#tell();
  }

  #tell(): void {
    const { clock, limits, log } = this.#context;
    const now = clock.now();
    for (const { source, connectorId, until } of this.#all.values())
      if (until <= now && until > this.#toldAt)
        log.warn('an energy manager is silent: the safe current counts', { source, connectorId });
    this.#toldAt = now;
    limits.bound(
      'energyManager',
      [...this.#all.values()].map((limit) => this.#boundOf(limit, now)),
    );
    this.#timer?.();
    const next = Math.min(...[...this.#all.values()].map(({ until }) => until).filter((until) => until > now));
    this.#timer = Number.isFinite(next) ? clock.after(next - now, () => this.#tell()) : undefined;
  }

  #boundOf({ source, connectorId, limitA, phases, until }: ExternalLimit, now: number): Bound {
    const common = { source: 'energyManager', connectorId } as const;
    if (until <= now) {
      const { safeA } = this.#context.config.installation;
      return { ...common, limitA: safeA, reason: `${source} is silent: ${safeA} A`, urgent: true };
    }
    const reason = limitA < 6 ? `${source} allows less than 6 A` : `${source} allows ${limitA} A`;
    return { ...common, limitA, reason, ...(phases === 1 && this.#switchesPhases ? { phases } : {}) };
  }

  /** Not every EV bears it: the file has to say so, and the key is how it does. */
  get #switchesPhases(): boolean {
    return this.#context.settings.find('ConnectorSwitch3to1PhaseSupported')?.value === 'true';
  }
}
