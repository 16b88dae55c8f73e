/** Everything that bounds the offer and is no charging profile: house, grid operator, temperature, asymmetry, energy managers. Always on. */
import type { Feature, Room } from '../feature.ts';
import { boundByAsymmetry } from './asymmetry.ts';
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
    const asymmetry = boundByAsymmetry(context);
    const subscriptions = [
      boundByTemperature(context),
      boundByDimming(context),
      asymmetry.stop,
      watchDraws(context, asymmetry),
    ];
    return {
      routes: loadRoutes(context, external),
      stop: () => {
        external.stop();
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};
