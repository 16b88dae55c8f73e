/** Tags at the readers, free vend, and the cache that the central system may clear (OCPP 1.6 sections 3.5, 4.1 and 5.4). */
import { ClearCache } from '../../ocpp/messages/core/clear-cache.ts';
import type { Feature, Room } from '../feature.ts';
import { watchAllowances } from './allowance.ts';
import * as keys from './authorization.keys.ts';
import { cacheRange } from './cache.ts';
import { Desk } from './desk.ts';
import { freeVend } from './free-vend.ts';
import { PresentedTags } from './tag-routes.ts';

export const authorization: Feature = {
  name: 'authorization',
  profile: 'Core',
  keys: Object.values(keys),
  ofCentralSystem: [cacheRange],
  start: (context): Room => {
    const desk = new Desk(context);
    const tags = new PresentedTags(context);
    const subscriptions = [
      ...context.board.readers.flatMap((reader) => [
        reader.onTag((idTag) => void desk.present(idTag, reader.connectors)),
        reader.onRead?.(({ refused }) => refused !== undefined && desk.refuse(reader.connectors)) ?? (() => {}),
      ]),
      context.station.onChange((change) => desk.follow(change)),
      freeVend(context),
      watchAllowances(context),
    ];
    return {
      handlers: [
        ClearCache.answeredBy(async () => ({
          status: (await context.authority.clearCache()) ? 'Accepted' : 'Rejected',
        })),
      ],
      routes: [tags.route],
      stop: () => {
        tags.stop();
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};
