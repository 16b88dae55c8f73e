/** MaxEnergyOnInvalidId: looks at the register while a transaction lives on its allowance (OCPP 1.6 sections 3.5.4 and 9.1.14). */
import type { Connector } from '../../core/connector/state.ts';
import type { Cancel, Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

/** What flows in one second is the most by which the allowance can be exceeded: about 6 Wh at 22 kW. */
const LOOK_EVERY_MS = 1000;

export function watchAllowances({ clock, log, station }: Context): Unsubscribe {
  const looking = new Map<number, Cancel>();
  const look = async (id: number): Promise<void> => {
    try {
      const reading = await station.hardware(id)?.meter.read();
      const energyImportWh = reading?.values.energyImport?.sum;
      if (energyImportWh !== undefined) station.dispatch(id, { type: 'register', energyImportWh, at: clock.now() });
    } catch (cause) {
      // A meter that stays silent is a fault, and opens the contactor.
      log.warn('the register was not read', { connectorId: id, cause });
    }
    if (looking.has(id))
      looking.set(
        id,
        clock.after(LOOK_EVERY_MS, () => void look(id)),
      );
  };
  const unsubscribe = station.onChange(({ after }) => {
    const { id } = after;
    if (livesOnAllowance(after) === looking.has(id)) return;
    if (livesOnAllowance(after)) {
      looking.set(id, () => {});
      void look(id);
    } else {
      looking.get(id)?.();
      looking.delete(id);
    }
  });
  return () => {
    unsubscribe();
    for (const cancel of looking.values()) cancel();
    looking.clear();
  };
}

const livesOnAllowance = ({ phase }: Connector): boolean =>
  phase.name === 'transaction' && phase.allowance !== undefined;
