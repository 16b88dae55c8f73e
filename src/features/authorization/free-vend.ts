/** Free vend: an EV that is plugged in charges under a configured idTag, and nobody is asked (`freeVend` in the configuration file). */
import { canBegin } from '../../core/connector/session.ts';
import type { Connector } from '../../core/connector/state.ts';
import type { Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

export function freeVend({ clock, config, station }: Context): Unsubscribe {
  const { freeVend: given } = config;
  if (given === undefined) return () => {};
  const { idTag } = given;
  return station.onChange(({ before, after }) => {
    // Not after `beginning`: what the journal refused is not tried again until the next plug.
    const isNew = before.phase.name === 'idle' || (before.phase.name === 'occupied' && !canBegin(before));
    if (!isNew || !waits(after)) return;
    station.dispatch(after.id, { type: 'authorized', authorization: { idTag }, at: clock.now() });
  });
}

const waits = (connector: Connector): boolean => connector.phase.name === 'occupied' && canBegin(connector);
