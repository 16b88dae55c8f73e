/**
 * What a technician tries at one connector: a signal on its pilot, or its lock. It ends by itself, soon if whoever began it says nothing any
 * more (his program may have been killed), and then the connector is as before. The contactor is never given its permit here: it is
 * clicked by the interlock's one exception, with no EV there.
 */
import type {
  Board,
  Cancel,
  ConnectorHardware,
  DriverLog,
  Exercise,
  ExerciseRefusal,
  Offer,
  Unsubscribe,
} from '../../../hal/contract.ts';
import { ControlError } from '../../errors.ts';

export type Trial = { readonly what: 'pilot'; readonly offer: Offer } | { readonly what: 'lock' };

export interface TrialSite {
  readonly board: Pick<Board, 'connectors'>;
  readonly log: DriverLog;
  /** In real time. */
  after(delayMs: number, action: () => void): Cancel;
  /** Throws ControlError if somebody uses the connector. */
  mustBeFree(connectorId: number): void;
  /** Keeps everybody else from a free connector, until what it returns is called. */
  take(connectorId: number): () => void;
}

/** After so long without a word from whoever tries. */
const LEASE_MS = 3_000;
export const MOST_TRIAL_S = 600;

export interface TrialView {
  /** Names this trial: another one at the same connector has another number. */
  readonly number: number;
  readonly connectorId: number;
  readonly pilot: string;
  readonly contactor: string;
  readonly locked?: boolean;
}

interface Running {
  readonly number: number;
  readonly trial: Trial;
  readonly hardware: ConnectorHardware;
  readonly giveBack: () => void;
  lease: Cancel;
  limit: Cancel;
  forget: Unsubscribe;
}

export class Trials {
  readonly #site: TrialSite;
  readonly #running = new Map<number, Running>();
  readonly #clicking = new Set<number>();
  #last = 0;

  constructor(site: TrialSite) {
    this.#site = site;
  }

  /** Throws ControlError if it is refused, and what the driver throws: then nothing has been begun. */
  begin(connectorId: number, trial: Trial, forMs: number): TrialView {
    const hardware = this.#hardware(connectorId);
    this.mustBeFree(connectorId);
    refuseImpossible(hardware, trial);
    const running: Running = {
      number: ++this.#last,
      trial,
      hardware,
      giveBack: this.#site.take(connectorId),
      lease: () => {},
      limit: () => {},
      forget: () => {},
    };
    this.#running.set(connectorId, running);
    try {
      // The ends are armed before anything begins.
      running.limit = this.#site.after(forMs, () => this.#end(running, 'its time is over'));
      this.#renew(running);
      this.#site.log.info(`a technician tries the ${trial.what}`, { connectorId, ...trial });
      if (trial.what === 'pilot') this.#signal(running, trial.offer);
      else void hardware.lock?.lock().catch((cause: unknown) => this.#failed(running, cause));
    } catch (cause) {
      this.#end(running, 'it could not be begun');
      throw cause;
    }
    return viewOf(running);
  }

  /** Still there. Throws ControlError once it is over. */
  renew(connectorId: number, number: number): TrialView {
    const running = this.#running.get(connectorId);
    if (running?.number !== number) throw refused(`what was tried at connector ${connectorId} is over`);
    this.#renew(running);
    return viewOf(running);
  }

  /** Nothing happens if it is over already. */
  end(connectorId: number, number: number): void {
    const running = this.#running.get(connectorId);
    if (running?.number === number) this.#end(running, undefined);
  }

  /**
   * Closes the contactor once, for 300 ms at most: pilot A, nothing offered, nothing tripping. Rejects with ControlError if it is refused,
   * and with what the driver throws; the coil is off then.
   */
  async click(connectorId: number): Promise<Exercise> {
    const { evse } = this.#hardware(connectorId);
    this.mustBeFree(connectorId);
    if (evse.exercise === undefined)
      throw refused(`the controller of connector ${connectorId} closes the contactor by itself`);
    const giveBack = this.#site.take(connectorId);
    this.#clicking.add(connectorId);
    try {
      this.#site.log.info('a technician clicks the contactor', { connectorId });
      const seen = await evse.exercise();
      if (seen.refused !== undefined) throw refused(NOT_CLICKED[seen.refused]);
      return seen;
    } finally {
      this.#clicking.delete(connectorId);
      giveBack();
    }
  }

  stop(): void {
    for (const running of [...this.#running.values()]) this.#end(running, 'the agent ends');
  }

  /** Throws ControlError if somebody uses the connector, a technician included. */
  mustBeFree(connectorId: number): void {
    if (this.#running.has(connectorId) || this.#clicking.has(connectorId))
      throw refused(`connector ${connectorId} is being tried already`);
    this.#site.mustBeFree(connectorId);
  }

  #hardware(connectorId: number): ConnectorHardware {
    const hardware = this.#site.board.connectors.find(({ id }) => id === connectorId);
    if (hardware === undefined) throw new ControlError('notFound', `there is no connector ${connectorId}`);
    return hardware;
  }

  /** Hardware signals x1 when an EV leaves: the next one sees what is tried. */
  #signal(running: Running, offer: Offer): void {
    const { evse } = running.hardware;
    evse.offer(offer);
    running.forget = evse.onState(({ pilot }) => {
      if (pilot === 'B') evse.offer(offer);
    });
  }

  #renew(running: Running): void {
    running.lease();
    running.lease = this.#site.after(LEASE_MS, () => this.#end(running, 'whoever began it says nothing any more'));
  }

  #end(running: Running, why: string | undefined): void {
    const { hardware, trial, giveBack } = running;
    if (this.#running.get(hardware.id) !== running) return;
    running.lease();
    running.limit();
    running.forget();
    const over = (): void => {
      this.#running.delete(hardware.id);
      giveBack();
    };
    this.#site.log.info('what a technician tried is over', { connectorId: hardware.id, ...(why && { why }) });
    if (trial.what === 'lock') {
      void unlocked(hardware)
        .catch((cause: unknown) => this.#failed(running, cause))
        .finally(() => {
          if (this.#running.get(hardware.id) === running) over();
        });
      return;
    }
    try {
      hardware.evse.offer('x1');
    } finally {
      over();
    }
  }

  #failed({ hardware, trial }: Running, cause: unknown): void {
    this.#site.log.warn(`the ${trial.what} could not be moved`, { connectorId: hardware.id, cause });
  }
}

const refused = (text: string): ControlError => new ControlError('badRequest', text);

const NOT_CLICKED: { readonly [why in ExerciseRefusal]: string } = {
  pilot: 'an EV is there: unplug it first (with one: contactor close)',
  offer: 'a current is offered',
  tripped: 'a fault keeps it open: chargepoint faults',
  closed: 'it is closed already, or welded',
};

function refuseImpossible({ id, evse, lock, maxA }: ConnectorHardware, trial: Trial): void {
  if (trial.what === 'lock') {
    if (lock === undefined) throw refused(`connector ${id} has no lock: its cable is attached`);
    return;
  }
  if (typeof trial.offer !== 'number') return;
  if (trial.offer > maxA) throw refused(`connector ${id} may carry ${maxA} A at most`);
  // Its controller would close the contactor for an EV that asks, permit or not.
  if (evse.exercise === undefined)
    throw refused(`the controller of connector ${id} closes the contactor by itself: only x1 and F can be tried`);
}

/** A plug under a contactor that is not open stays where it is. */
async function unlocked({ evse, lock }: ConnectorHardware): Promise<void> {
  if (evse.state.contactor === 'open') await lock?.unlock();
}

const viewOf = ({ number, hardware: { id, evse, lock } }: Running): TrialView => ({
  number,
  connectorId: id,
  pilot: evse.state.pilot,
  contactor: evse.state.contactor,
  ...(lock === undefined ? {} : { locked: lock.locked }),
});
