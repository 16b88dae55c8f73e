/** SendLocalList, GetLocalListVersion, and the report of a list that is out of date (OCPP 1.6 sections 3.5.2, 5.10 and 5.15). */
import { canonical } from '../../core/authorization.ts';
import { StatusNotification } from '../../ocpp/messages/core/status-notification.ts';
import { GetLocalListVersion } from '../../ocpp/messages/local-auth-list/get-local-list-version.ts';
import { SendLocalList } from '../../ocpp/messages/local-auth-list/send-local-list.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Context, Feature, Room } from '../feature.ts';
import { listRange } from './change-log.ts';
import * as keys from './local-auth-list.keys.ts';

export const localAuthList: Feature = {
  name: 'local-auth-list',
  profile: 'LocalAuthListManagement',
  keys: Object.values(keys),
  ofCentralSystem: [listRange],
  absent: [
    GetLocalListVersion.answeredBy(() => ({ listVersion: -1 })),
    SendLocalList.answeredBy(() => ({ status: 'NotSupported' })),
  ],
  start: (context): Room => {
    const { authority, localList } = context;
    const reported = new Set<string>();
    const subscriptions = [
      localList.onChange(() => reported.clear()),
      authority.onConflict((idTag) => {
        if (reported.has(canonical(idTag))) return;
        reported.add(canonical(idTag));
        void reportConflict(context);
      }),
    ];
    return {
      handlers: [
        GetLocalListVersion.answeredBy(() => ({ listVersion: localList.version })),
        SendLocalList.answeredBy(async (update) => ({ status: await localList.update(update) })),
      ],
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};

/** Section 3.5.2: once for each idTag of a list, so that a central system that does not care is not flooded. */
async function reportConflict({ call, clock, log, station }: Context): Promise<void> {
  const timestamp = formatTimestamp(clock.wall(clock.now()));
  const status = station.report(0)?.status ?? 'Available';
  try {
    await call(StatusNotification, { connectorId: 0, errorCode: 'LocalListConflict', status, timestamp });
  } catch (cause) {
    log.warn('the LocalListConflict could not be reported', { cause });
  }
}
