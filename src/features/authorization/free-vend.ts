/** Free vend: an EV that is plugged in charges under a configured idTag, and nobody is asked (`freeVend` in the configuration file). */
import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import type { Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

export function freeVend({ clock, config, reservations, station }: Context): Unsubscribe {
  const { freeVend: given } = config;
  if (given === undefined) return () => {};
  const { idTag } = given;
  return station.onChange(({ before, after }) => {
    // Not after `beginning`: what the journal refused is not tried again until the next plug.
    const mayBeNew = !canBegin(before) || before.reservationId !== after.reservationId;
    const isNew = before.phase.name === 'idle' || (before.phase.name === 'occupied' && mayBeNew);
    if (!isNew || !waits(after)) return;
    // Section 5.13: what is reserved is nobody else's.
    const claim = reservations.claim(after.id, { idTag });
    if (claim.type !== 'free' && claim.type !== 'reserved') return;
    const reservation = claim.type === 'reserved' ? { reservationId: claim.reservationId } : {};
    station.dispatch(after.id, { type: 'authorized', authorization: { idTag, ...reservation }, at: clock.now() });
  });
}

const waits = (connector: Connector): boolean => connector.phase.name === 'occupied' && canBegin(connector);
