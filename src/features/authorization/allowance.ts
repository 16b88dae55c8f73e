/** MaxEnergyOnInvalidId: looks at the register while a transaction lives on its allowance (OCPP 1.6 sections 3.5.4 and 9.1.14). */
import type { Connector } from '../../core/connector/state.ts';
import type { Cancel, Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

/** What flows in one second is the most by which the allowance can be exceeded: about 6 Wh at 22 kW. */
const LOOK_EVERY_MS = 1000;

export function watchAllowances({ clock, log, station }: Context): Unsubscribe {
  const loops = new Map<number, { cancel: Cancel }>();
  const look = async (id: number, loop: { cancel: Cancel }): Promise<void> => {
    try {
      const reading = await station.hardware(id)?.meter.read();
      const energyImportWh = reading?.values.energyImport?.sum;
      if (energyImportWh !== undefined) station.dispatch(id, { type: 'register', energyImportWh, at: clock.now() });
    } catch (cause) {
      // A meter that stays silent is a fault, and opens the contactor.
      log.warn('the register was not read', { connectorId: id, cause });
    }
    if (loops.get(id) === loop) loop.cancel = clock.after(LOOK_EVERY_MS, () => void look(id, loop));
  };
  const unsubscribe = station.onChange(({ after }) => {
    const { id } = after;
    if (livesOnAllowance(after) === loops.has(id)) return;
    if (livesOnAllowance(after)) {
      const loop = { cancel: () => {} };
      loops.set(id, loop);
      void look(id, loop);
    } else {
      loops.get(id)?.cancel();
      loops.delete(id);
    }
  });
  return () => {
    unsubscribe();
    for (const { cancel } of loops.values()) cancel();
    loops.clear();
  };
}

const livesOnAllowance = ({ phase }: Connector): boolean =>
  phase.name === 'transaction' && phase.allowance !== undefined;
