/** Holds the raw contactor: closes it only when everything agrees, opens it by itself and first. */
import type {
  Cancel,
  Contactor,
  ContactorState,
  ExerciseRefusal,
  Offer,
  PilotState,
  Timebase,
  Unsubscribe,
} from './contract.ts';

/** IEC 61851-1 sequence 10: an EV that still draws after the offer was withdrawn is cut off under load after this. */
export const X1_UNDER_LOAD_MS = 6000;
/** The longest that `exercise` closes: contactors switch within 100 ms, and nobody plugs in within the rest. */
export const EXERCISE_MS = 300;

export interface InterlockOptions {
  /** The place is ventilated: state D may charge. */
  readonly ventilated: boolean;
  readonly clock: Timebase;
}

/**
 * The one place that closes a contactor. Closed implies: pilot C (D where ventilated), permit, nothing trips, and a current
 * offered or withdrawn at most 6 s ago. Every call that takes one of these away has opened the coil when it returns.
 * The one exception is `exercise`: then it implies pilot A, nothing offered, nothing trips, and at most 300 ms.
 */
export class Interlock {
  readonly #contactor: Contactor;
  readonly #options: InterlockOptions;
  readonly #trips = new Set<string>();
  #pilot: PilotState = 'A';
  #offered = false;
  #commanded: ContactorState = 'open';
  #underLoad: Cancel | undefined;
  #exercise: { readonly cancel: Cancel; readonly over: () => void } | undefined;

  constructor(contactor: Contactor, options: InterlockOptions) {
    this.#contactor = contactor;
    this.#options = options;
    contactor.open();
  }

  get feedback(): ContactorState {
    return this.#contactor.feedback;
  }

  /** What the coil was told last. */
  get commanded(): ContactorState {
    return this.#commanded;
  }

  get tripped(): boolean {
    return this.#trips.size > 0;
  }

  pilot(state: PilotState): void {
    this.#pilot = state;
    // Whoever plugs in during an exercise was offered nothing: even C is no reason to stay closed.
    const stays = this.#exercise === undefined && this.#mayBeClosed();
    if (this.#commanded === 'closed' && !stays) this.#open();
  }

  /** `true` closes now or is refused: a permit is never remembered for a better moment. `false` opens. */
  permit(given: boolean): void {
    if (!given) this.#open();
    else if (this.#commanded === 'open' && this.#offered && this.#mayBeClosed()) {
      this.#commanded = 'closed';
      this.#contactor.close();
    }
  }

  /** Follows the pilot's signal: x1 begins the six seconds in which the EV should open its own switch. */
  offered(offer: Offer): void {
    this.#offered = typeof offer === 'number';
    if (offer === 'F' || (this.#offered && this.#exercise !== undefined)) this.#open();
    else if (this.#offered) this.#stopWaiting();
    else if (this.#commanded === 'closed') this.#waitForTheEv();
  }

  /** `reason` names the cause, so that two causes have to go before the contactor may close again. */
  trip(reason: string): void {
    this.#trips.add(reason);
    this.#open();
  }

  release(reason: string): void {
    this.#trips.delete(reason);
  }

  /**
   * For a technician: closes once, for at most 300 ms, with no EV there. `over` is called when the coil has been told to open again, for
   * whatever reason. A refusal is returned, and then nothing has moved.
   */
  exercise(over: () => void): ExerciseRefusal | undefined {
    const refusal = this.#refusalToExercise();
    if (refusal !== undefined) return refusal;
    this.#commanded = 'closed';
    this.#exercise = { cancel: this.#options.clock.after(EXERCISE_MS, () => this.#open()), over };
    try {
      this.#contactor.close();
    } catch (error) {
      this.#open();
      throw error;
    }
    return undefined;
  }

  onFeedback(listener: (feedback: ContactorState) => void): Unsubscribe {
    return this.#contactor.onFeedback(listener);
  }

  #mayBeClosed(): boolean {
    const asksForPower = this.#pilot === 'C' || (this.#pilot === 'D' && this.#options.ventilated);
    return asksForPower && this.#trips.size === 0;
  }

  #refusalToExercise(): ExerciseRefusal | undefined {
    if (this.#pilot !== 'A') return 'pilot';
    if (this.#trips.size > 0) return 'tripped';
    if (this.#offered) return 'offer';
    return this.#commanded === 'closed' || this.#contactor.feedback === 'closed' ? 'closed' : undefined;
  }

  #open(): void {
    this.#stopWaiting();
    const exercise = this.#exercise;
    this.#exercise = undefined;
    this.#commanded = 'open';
    this.#contactor.open();
    exercise?.cancel();
    exercise?.over();
  }

  #waitForTheEv(): void {
    this.#underLoad ??= this.#options.clock.after(X1_UNDER_LOAD_MS, () => this.#open());
  }

  #stopWaiting(): void {
    this.#underLoad?.();
    this.#underLoad = undefined;
  }
}
