/** `Evse` made of our own control pilot, contactor and the interlock between them. */
import type {
  Contactor,
  ControlPilot,
  Evse,
  EvseState,
  Monotonic,
  Offer,
  PilotState,
  Timebase,
  Unsubscribe,
} from './contract.ts';
import { exercised } from './exercise.ts';
import { type ContactorPauses, Interlock } from './interlock.ts';
import { tryAll } from './try-all.ts';

export interface OwnPilotEvse extends Evse {
  /** Opens the contactor, then withdraws the offer; stays so until released. Called by the board before anybody hears of the cause. */
  trip(reason: string): void;
  release(reason: string): void;
  /** What the coil was told last; differs from the mirror contact if that one is welded or slow. */
  readonly commanded: 'open' | 'closed';
  /** What the pilot signals to the EV at this moment. */
  readonly signalled: Offer;
  /** That of the pilot. */
  readonly lookedAt: Monotonic;
}

export interface OwnPilotParts extends ContactorPauses {
  readonly pilot: ControlPilot;
  readonly contactor: Contactor;
  readonly ventilated: boolean;
  readonly clock: Timebase;
}

export function ownPilotEvse({ pilot, contactor, ...options }: OwnPilotParts): OwnPilotEvse {
  const { clock } = options;
  const interlock = new Interlock(contactor, options);
  const listeners = new Set<(state: EvseState) => void>();
  const state = (): EvseState => ({ pilot: pilot.state, contactor: interlock.feedback });
  const tell = () => {
    for (const listener of listeners) listener(state());
  };
  /**
   * The contactor never closes before the pilot says so, and is never the last to learn that an offer is gone. Where the coil cannot be told,
   * the EV is: it has a switch of its own.
   */
  let signalled: Offer = 'x1';
  const signal = (offer: Offer) => {
    signalled = offer;
    if (typeof offer === 'number') {
      pilot.signal(offer);
      interlock.offered(offer);
    } else tryAll([() => interlock.offered(offer), () => pilot.signal(offer)]);
  };

  const onPilot = (now: PilotState) => {
    tryAll([
      () => interlock.pilot(now),
      () => {
        // Without an EV, or with a pilot that makes no sense, nothing is offered (A2 is a transition only).
        // An F that we signal ourselves does make sense: it wakes an EV up.
        if (now === 'A' || now === 'E' || (now === 'F' && signalled !== 'F')) signal('x1');
      },
      tell,
    ]);
  };

  signal('x1');
  interlock.pilot(pilot.state);
  pilot.onState(onPilot);
  interlock.onFeedback(tell);

  return {
    get state() {
      return state();
    },
    get commanded() {
      return interlock.commanded;
    },
    get signalled() {
      return signalled;
    },
    get lookedAt() {
      return pilot.lookedAt;
    },
    offer: signal,
    permit: (given) => interlock.permit(given),
    trip(reason) {
      tryAll([() => interlock.trip(reason), () => signal('x1')]);
    },
    release: (reason) => interlock.release(reason),
    onState(listener): Unsubscribe {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onCommand: (look) => contactor.onCommand?.(look) ?? (() => {}),
    exercise: () => exercised(interlock, clock),
  };
}
