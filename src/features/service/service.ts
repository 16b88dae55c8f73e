/** The technician's tools beside a running agent: what the board sees, faults, and trials at a connector that nobody uses. Always on. */
import { ControlError } from '../../errors.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { serviceRoutes } from './service-routes.ts';
import { Trials } from './trials.ts';

export const service: Feature = {
  name: 'service',
  profile: 'Core',
  keys: [],
  start: (context): Room => {
    const { board, station, clock, log } = context;
    const site = {
      board,
      log,
      after: (delayMs: number, action: () => void) => clock.afterReal(delayMs, action),
      mustBeFree: (connectorId: number) => mustBeFree(context, connectorId),
      // Unavailable until it is given back; what ChangeAvailability says meanwhile counts from then on.
      take: (connectorId: number) => {
        const giveBack = () => station.setInService(connectorId, false);
        try {
          station.setInService(connectorId, true);
        } catch (cause) {
          // Somebody who listens has thrown: nobody else would give it back.
          giveBack();
          throw cause;
        }
        return giveBack;
      },
      unlock: (connectorId: number) => station.unlock(connectorId),
    };
    const trials = new Trials(site);
    return { routes: serviceRoutes(site, trials), stop: () => trials.stop() };
  },
};

/** Nobody is plugged in, expected or promised anything there. */
function mustBeFree({ station }: Context, connectorId: number): void {
  const connector = station.connector(connectorId);
  const refusal = (why: string) => new ControlError('badRequest', `connector ${connectorId} ${why}`);
  if (connector === undefined) throw new ControlError('notFound', `there is no connector ${connectorId}`);
  const { phase, contactor, reservationId, shutdown } = connector;
  if (shutdown !== undefined) throw refusal('cannot be tried: the agent ends');
  if (phase.name !== 'idle') throw refusal('is in use: unplug the EV first');
  if (contactor !== 'open') throw refusal('is live: its contactor is not open');
  if (reservationId !== undefined) throw refusal('is reserved');
}
