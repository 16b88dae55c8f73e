/** Holds the raw contactor: closes it only when everything agrees, opens it by itself and first. */
import type {
  Cancel,
  Contactor,
  ContactorState,
  ExerciseRefusal,
  Monotonic,
  Offer,
  PilotState,
  Timebase,
  Unsubscribe,
} from './contract.ts';

/** IEC 61851-1 sequence 10: an EV that still draws after the offer was withdrawn is cut off under load after this. */
export const X1_UNDER_LOAD_MS = 6000;
/** From the coil going off to the next close, in ms: an EV that goes back and forth must not make it clatter (facts/evse.md 1.2, 2.1). */
export const PAUSE_MS = 5000;
/** The same after a trip, or a pilot that made no sense, unless the EV has left since (facts/evse.md 1.2, 2.1). */
export const PAUSE_AFTER_ERROR_MS = 30_000;
/** The longest that `exercise` closes: contactors switch within 100 ms, and nobody plugs in within the rest. */
export const EXERCISE_MS = 300;

/** An EV may say these; D where there is no ventilation, E and F are errors. */
const MAKES_SENSE: ReadonlySet<PilotState> = new Set(['A', 'B', 'C']);

/** How long the coil stays off, in ms: what the datasheet of the contactor allows it. */
export interface ContactorPauses {
  /** Default 5000. */
  readonly pauseMs?: number;
  /** After a trip. Default 30000. */
  readonly pauseAfterErrorMs?: number;
}

export interface InterlockOptions extends ContactorPauses {
  /** The place is ventilated: state D may charge. */
  readonly ventilated: boolean;
  readonly clock: Timebase;
}

/**
 * The one place that closes a contactor. Closed implies: pilot C (D where ventilated), permit, nothing trips, and a current
 * offered or withdrawn at most 6 s ago. Every call that takes one of these away has opened the coil when it returns. After it
 * has opened it stays open for a pause; opening waits for nothing.
 * The one exception is `exercise`: then it implies pilot A, nothing offered, nothing trips, and at most 300 ms.
 */
export class Interlock {
  readonly #contactor: Contactor;
  readonly #options: InterlockOptions;
  readonly #pauseMs: number;
  readonly #pauseAfterErrorMs: number;
  readonly #trips = new Set<string>();
  #pilot: PilotState = 'A';
  #offered = false;
  #commanded: ContactorState = 'open';
  /** The coil could not be told to open: whatever happens next tells it again. */
  #owesOpening = false;
  #underLoad: Cancel | undefined;
  /** When the coil went off after it had been on for an EV, and how long it stays so. */
  #pause: { readonly since: Monotonic; readonly ms: number } | undefined;
  /** A permit that waits for the end of the pause. */
  #closing: Cancel | undefined;
  #exercise: { readonly cancel: Cancel; readonly over: () => void } | undefined;

  constructor(contactor: Contactor, options: InterlockOptions) {
    this.#contactor = contactor;
    this.#options = options;
    this.#pauseMs = options.pauseMs ?? PAUSE_MS;
    this.#pauseAfterErrorMs = options.pauseAfterErrorMs ?? PAUSE_AFTER_ERROR_MS;
    contactor.open();
  }

  get feedback(): ContactorState {
    return this.#contactor.feedback;
  }

  /** What the coil was told last; `closed` still, where it could not be told to open. */
  get commanded(): ContactorState {
    return this.#commanded;
  }

  get tripped(): boolean {
    return this.#trips.size > 0;
  }

  pilot(state: PilotState): void {
    this.#pilot = state;
    // Whoever plugs in during an exercise was offered nothing: even C is no reason to stay closed.
    const stays = this.#exercise === undefined && !this.#owesOpening && this.#mayBeClosed();
    if (!stays) this.#stopClosing();
    if (this.#commanded === 'closed' && !stays)
      this.#open(MAKES_SENSE.has(state) ? this.#pauseMs : this.#pauseAfterErrorMs);
    // What comes next is another session: its first close is due within 3 s (sequence 4).
    if (state === 'A' && this.#pause !== undefined) this.#pause = { ...this.#pause, ms: this.#pauseMs };
  }

  /**
   * `true` closes now or is refused: a permit is never remembered for a better moment, but for the end of the pause; it is gone
   * with the first thing that is taken away meanwhile. `false` opens.
   */
  permit(given: boolean): void {
    if (!given) this.#open();
    else if (this.#commanded === 'open' && this.#offered && this.#mayBeClosed()) this.#closeAfterThePause();
  }

  /** Follows the pilot's signal: x1 begins the six seconds in which the EV should open its own switch. */
  offered(offer: Offer): void {
    this.#offered = typeof offer === 'number';
    if (!this.#offered) this.#stopClosing();
    if (offer === 'F' || this.#owesOpening || (this.#offered && this.#exercise !== undefined)) this.#open();
    else if (this.#offered) this.#stopWaiting();
    else if (this.#commanded === 'closed') this.#waitForTheEv();
  }

  /** `reason` names the cause, so that two causes have to go before the contactor may close again. */
  trip(reason: string): void {
    this.#trips.add(reason);
    this.#open(this.#pauseAfterErrorMs);
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
    const cancel = this.#options.clock.after(EXERCISE_MS, () => this.#open());
    this.#exercise = { cancel, over };
    try {
      this.#contactor.close();
    } catch (error) {
      // Whoever asked is told by the error; that it was cut short would not be true.
      this.#exercise = { cancel, over: () => {} };
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

  #open(pauseMs = this.#pauseMs): void {
    this.#stopWaiting();
    this.#stopClosing();
    const exercise = this.#exercise;
    const commanded = this.#commanded;
    this.#exercise = undefined;
    // An exercise has switched no load.
    if (commanded === 'closed' && exercise === undefined)
      this.#pause = { since: this.#options.clock.now(), ms: pauseMs };
    this.#commanded = 'open';
    this.#owesOpening = false;
    try {
      this.#contactor.open();
    } catch (error) {
      // It may be on: nothing that was to end has ended.
      this.#exercise = exercise;
      this.#commanded = commanded;
      this.#owesOpening = commanded === 'closed';
      throw error;
    }
    exercise?.cancel();
    exercise?.over();
  }

  #closeAfterThePause(): void {
    const { clock } = this.#options;
    const restMs = this.#pause === undefined ? 0 : this.#pause.since + this.#pause.ms - clock.now();
    if (restMs > 0) {
      this.#closing ??= clock.after(restMs, () => {
        this.#closing = undefined;
        // Whoever took something away has taken this permit along; closing is worth a second look.
        if (this.#offered && this.#mayBeClosed()) this.#close();
      });
      return;
    }
    this.#close();
  }

  #close(): void {
    this.#pause = undefined;
    this.#commanded = 'closed';
    this.#contactor.close();
  }

  #stopClosing(): void {
    this.#closing?.();
    this.#closing = undefined;
  }

  #waitForTheEv(): void {
    this.#underLoad ??= this.#options.clock.after(X1_UNDER_LOAD_MS, () => this.#open());
  }

  #stopWaiting(): void {
    this.#underLoad?.();
    this.#underLoad = undefined;
  }
}
