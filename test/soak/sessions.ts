/** Charging sessions as chance will have them: plug, tag or remote start, samples, a pause, a stop, cuts of the link, resets in between. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchAgent, BenchConnector, BenchDocument } from '../system/support/bench-agent.ts';
import type { CentralSystem } from '../system/support/central-system.ts';

export interface Street {
  readonly agent: BenchAgent;
  readonly central: CentralSystem;
  readonly chance: () => number;
  /** Agent time per real time. */
  readonly rate: number;
}

/** How often of what, as it came. */
export type Tally = Record<string, number>;

/** The process has been restarted; the car of the session is no longer there. */
class Restarted extends Error {
  /** The session had come as far as that. */
  readonly wasCharging: boolean;

  constructor(wasCharging: boolean) {
    super('restarted');
    this.wasCharging = wasCharging;
  }
}

/** Fewer than a cache of idTags takes: what grows is then a leak. */
const TAGS = 50;
const TRIES = 20;
const CALL_AGAIN_MS = 200;
const LONGEST_CHARGE_MS = 300;
const LONGEST_CUT_MS = 250;
const RESTARTS_WITHIN_MS = 20_000;
/** The next process lives later than the last one, whatever that did before it ended. */
const RESTART_TAKES_MS = 900_000;

export class Sessions {
  readonly tally: Tally = {};
  readonly #street: Street;
  #generation = 0;
  #restart: Promise<void> = Promise.resolve();
  #isCut = false;
  #tags = 0;

  constructor(street: Street) {
    this.#street = street;
  }

  /** Two connectors, one session after the other on each, until `count` have charged. Rejects when one gets stuck. */
  async run(connectors: readonly number[], count: number, resets: number, onDone: () => void): Promise<void> {
    let begun = 0;
    let left = resets;
    const drive = async (id: number): Promise<void> => {
      while (begun < count) {
        begun++;
        const withReset = left > 0 && this.#street.chance() < 0.2;
        if (withReset) left--;
        try {
          await this.#session(id, withReset);
        } catch (error) {
          if (!(error instanceof Restarted)) throw error;
          this.#count('interrupted by a reset');
          if (!error.wasCharging) {
            begun--;
            continue;
          }
        } finally {
          await this.#restart;
        }
        onDone();
      }
    };
    await Promise.all(connectors.map(drive));
    await this.settled();
  }

  /** Nothing is under way, and nothing waits for the central system. */
  async settled(): Promise<void> {
    await this.#street.agent.until(
      'all is quiet',
      ({ out, connectors }) =>
        out.connected &&
        out.boot === 'Accepted' &&
        out.queue === 0 &&
        Object.values(connectors).every(({ out }) => out.status === 'Available' && out.transaction === 'none'),
    );
  }

  async #session(id: number, withReset: boolean): Promise<void> {
    const { agent, chance } = this.#street;
    const connector = new Plug(agent, id, this.#generation, () => this.#generation);
    await connector.until('Available', ({ status }) => status === 'Available');
    const idTag = `TAG${id}-${++this.#tags % TAGS}`;
    const cutAt = chance() < 0.2 ? Math.trunc(chance() * 3) : -1;
    if (cutAt === 0) void this.#cut();
    await this.#begin(connector, idTag);
    await connector.until('Charging', ({ status, contactor }) => status === 'Charging' && contactor);
    connector.wasCharging = true;
    await delay(chance() * LONGEST_CHARGE_MS);
    if (withReset) await this.#reset(connector);
    if (chance() < 0.15) await this.#pause(connector);
    if (cutAt === 1) await this.#cut();
    if (cutAt === 2) void this.#cut();
    await this.#end(connector, idTag);
    await connector.until('no transaction', ({ transaction, contactor }) => transaction === 'none' && !contactor);
    await connector.patch({ plugged: false });
    await connector.until('Available again', ({ status }) => status === 'Available');
  }

  async #begin(connector: Plug, idTag: string): Promise<void> {
    const { chance } = this.#street;
    const phases = chance() < 0.5 ? 1 : 3;
    const plugIn = { plugged: true, phases, amps: 6 + Math.trunc(chance() * 26) };
    if (chance() < 0.2) {
      this.#count('tag before plug');
      await connector.tap(idTag);
      await connector.patch(plugIn);
      return;
    }
    await connector.patch(plugIn);
    await connector.until('Preparing', ({ status }) => status === 'Preparing');
    if (chance() < 0.5) {
      this.#count('started by tag');
      await connector.tap(idTag);
      return;
    }
    this.#count('started remotely');
    await this.#call('RemoteStartTransaction', connector, () => ({ connectorId: connector.id, idTag }), isCharging);
  }

  async #pause(connector: Plug): Promise<void> {
    this.#count('paused by the EV');
    await connector.patch({ mode: 'B' });
    await connector.until('SuspendedEV', ({ status, contactor }) => status === 'SuspendedEV' && !contactor);
    await connector.patch({ mode: 'auto' });
    await connector.until('Charging after a pause', ({ status }) => status === 'Charging');
  }

  async #end(connector: Plug, idTag: string): Promise<void> {
    const how = this.#street.chance();
    if (how < 0.35) {
      this.#count('stopped by tag');
      await connector.tap(idTag);
    } else if (how < 0.7) {
      this.#count('stopped remotely');
      await connector.until('its transaction id', ({ transaction }) => transaction === 'online');
      const payload = ({ transactionId }: BenchConnector['out']) => ({ transactionId });
      await this.#call('RemoteStopTransaction', connector, payload, ({ transaction }) => transaction === 'none');
    } else {
      this.#count('stopped by unplugging');
      await connector.patch({ plugged: false });
    }
  }

  /** Again while the link is down, or while the answer to the last try got lost; until it has had its effect. */
  async #call(
    action: string,
    connector: Plug,
    payload: (out: BenchConnector['out']) => Readonly<Record<string, unknown>>,
    isDone: (out: BenchConnector['out']) => boolean,
  ): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const out = await connector.out();
      if (isDone(out)) return;
      const answer = await this.#street.central.call(action, payload(out)).catch(() => undefined);
      if (answer?.['status'] === 'Accepted') return;
      await delay(CALL_AGAIN_MS);
    }
    throw new Error(`${action} was not accepted in ${TRIES} tries\n${this.#street.agent.lastWords}`);
  }

  /** The network goes, at either end, and comes back. */
  async #cut(): Promise<void> {
    const { agent, central, chance } = this.#street;
    if (this.#isCut) return;
    this.#isCut = true;
    const length = chance() * LONGEST_CUT_MS;
    try {
      if (chance() < 0.5) {
        this.#count('cut by the central system');
        central.refusing = true;
        central.cut();
        await delay(length);
        central.refusing = false;
      } else {
        this.#count('cut by the bench');
        await agent.patch({ link: 'down' });
        await delay(length);
      }
      await agent.patch({ link: 'up' });
    } catch {
      // A reset has taken the process away; the next one begins with the link up.
      central.refusing = false;
    } finally {
      this.#isCut = false;
    }
  }

  async #reset(connector: Plug): Promise<never> {
    const { chance } = this.#street;
    const type = chance() < 0.5 ? 'Soft' : 'Hard';
    if (this.#generation === connector.generation) {
      this.#generation++;
      this.#count(`${type} Reset`);
      this.#restart = this.#restarted(type);
      await this.#restart;
    }
    throw new Restarted(connector.wasCharging);
  }

  async #restarted(type: 'Soft' | 'Hard'): Promise<void> {
    const { agent, central, rate } = this.#street;
    const { now } = await agent.document();
    const offsetMs = Date.parse(now) + RESTART_TAKES_MS - Date.now();
    for (let tries = 0; ; tries++) {
      const answer = await central.call('Reset', { type }).catch(() => undefined);
      if (answer?.['status'] === 'Accepted') break;
      if (tries === TRIES) throw new Error(`${type} Reset was not accepted`);
      await delay(CALL_AGAIN_MS);
    }
    const late = delay(RESTARTS_WITHIN_MS, undefined, { ref: false });
    const ended = await Promise.race([agent.ended, late]);
    if (ended?.code !== 0) throw new Error(`after a ${type} Reset: ${JSON.stringify(ended)}\n${agent.lastWords}`);
    await agent.start({ clock: { rate, offsetMs } });
    await agent.until('Accepted', ({ out }) => out.boot === 'Accepted');
  }

  #count(what: string): void {
    this.tally[what] = (this.tally[what] ?? 0) + 1;
  }
}

const isCharging = ({ transaction }: BenchConnector['out']): boolean => transaction !== 'none';

/** One connector as long as the same process runs: every method rejects with Restarted afterwards. */
class Plug {
  readonly id: number;
  readonly generation: number;
  wasCharging = false;
  readonly #agent: BenchAgent;
  readonly #now: () => number;

  constructor(agent: BenchAgent, id: number, generation: number, now: () => number) {
    this.#agent = agent;
    this.id = id;
    this.generation = generation;
    this.#now = now;
  }

  async out(): Promise<BenchConnector['out']> {
    return this.#of(await this.#guarded(() => this.#agent.document()));
  }

  async until(what: string, fits: (out: BenchConnector['out']) => boolean): Promise<void> {
    const isOver = (): boolean => this.#now() !== this.generation;
    await this.#guarded(() =>
      this.#agent.until(`connector ${this.id} ${what}`, (document) => isOver() || fits(this.#of(document))),
    );
  }

  async patch(ev: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#guarded(() => this.#agent.patch({ connectors: { [this.id]: { ev } } }));
  }

  async tap(idTag: string): Promise<void> {
    await this.#guarded(() => this.#agent.tap(idTag, this.id));
  }

  #of(document: BenchDocument): BenchConnector['out'] {
    const connector = document.connectors[String(this.id)];
    if (connector === undefined) throw new Error(`there is no connector ${this.id}`);
    return connector.out;
  }

  async #guarded<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } finally {
      if (this.#now() !== this.generation) throwRestarted(this.wasCharging);
    }
  }
}

function throwRestarted(wasCharging: boolean): never {
  throw new Restarted(wasCharging);
}
