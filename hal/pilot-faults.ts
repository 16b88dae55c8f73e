/** What the pilot itself says is wrong, told to the fault book: E, ventilation where there is none, and that the EV has left. */
import type { EvseState, PilotState, ProximityPilot, Unsubscribe } from './contract.ts';
import type { FaultBook } from './fault-book.ts';

export interface PilotFaultOptions {
  readonly connectorId: number;
  readonly ventilated: boolean;
  readonly book: FaultBook;
}

interface Observed {
  readonly state: EvseState;
  onState(listener: (state: EvseState) => void): Unsubscribe;
}

/** Other drivers may see the same faults in their own way. */
const SOURCE = 'pilot';

/** Register it before anybody else listens, so that the fault book knows first. */
export function watchPilot(evse: Observed, { connectorId, ventilated, book }: PilotFaultOptions): Unsubscribe {
  let last: PilotState | undefined;
  const follow = ({ pilot }: EvseState) => {
    if (pilot === last) return;
    last = pilot;
    if (pilot === 'E') book.raise({ code: 'evCommunication', connectorId }, SOURCE);
    else book.clear('evCommunication', connectorId, SOURCE);
    if (pilot === 'D' && !ventilated) book.raise({ code: 'ventilationRequired', connectorId }, SOURCE);
    else book.clear('ventilationRequired', connectorId, SOURCE);
    if (pilot === 'A') book.unplugged(connectorId);
  };
  follow(evse.state);
  return evse.onState(follow);
}

const CABLE_SOURCE = 'cable';

/**
 * A plug that is seen no more in the socket while the pilot still shows an EV: it is being pulled, or PP has broken. Raised as long as both last.
 * At plugging in the pilot may be the first; then nothing has been lost.
 */
export function watchCable(
  proximity: ProximityPilot,
  evse: Observed,
  { connectorId, book }: Omit<PilotFaultOptions, 'ventilated'>,
): void {
  let seen = proximity.cableA !== undefined;
  const follow = () => {
    const { pilot } = evse.state;
    if (proximity.cableA !== undefined) seen = true;
    else if (pilot === 'A') seen = false;
    else if (seen && pilot !== 'E' && pilot !== 'F') {
      book.raise({ code: 'proximityFault', connectorId, info: 'plug lost from the socket' }, CABLE_SOURCE);
      return;
    }
    book.clear('proximityFault', connectorId, CABLE_SOURCE);
  };
  evse.onState(follow);
  proximity.onChange(follow);
}
