/** Everything that bounds the offer and is no charging profile: house, grid operator, temperature, energy managers. Always on. */
import type { Feature, Room } from '../feature.ts';
import { watchDraws } from './draws.ts';
import { ExternalLimits } from './energy-manager.ts';
import { boundByDimming, boundByTemperature } from './hardware-bounds.ts';
import { loadRoutes } from './load-routes.ts';

export const loadManagement: Feature = {
  name: 'load-management',
  profile: 'Core',
  keys: [],
  start: (context): Room => {
    const external = new ExternalLimits(context);
    void external.open();
    const subscriptions = [boundByTemperature(context), boundByDimming(context), watchDraws(context)];
    return {
      routes: loadRoutes(context, external),
      stop: () => {
        external.stop();
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};
