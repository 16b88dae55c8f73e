/** Meter values: sampled, on the clock, and those that are asked for (OCPP 1.6 sections 3.16 and 4.7). */
import type { Figures } from '../../core/metering/figures.ts';
import { type Item, MEASURANDS, offers } from '../../core/metering/measurands.ts';
import { type Context, type Feature, hasBegun, type Room } from '../feature.ts';
import { ClockAligned } from './clock-aligned.ts';
import { Metered } from './metered.ts';
import * as keys from './metering.keys.ts';
import { Periodic } from './periodic.ts';
import { reportNow } from './report.ts';

const { MEASURAND_LISTS, ...KEYS } = keys;
const { supportedMeasurands, clockAlignedDataInterval, meterValueSampleInterval } = KEYS;

export const metering: Feature = {
  name: 'metering',
  profile: 'Core',
  keys: Object.values(KEYS),
  start: (context): Room => {
    const places = placesOf(context);
    narrowLists(
      context,
      [...places.values()].map(({ offered }) => offered),
    );
    const periodics = new Map([...places].map(([id, place]) => [id, new Periodic(place, context)]));
    const aligned = new ClockAligned([...places.values()], context);
    aligned.rearm();
    const subscriptions = [
      context.station.onChange((change) => {
        const { before, after } = change;
        const periodic = periodics.get(after.id);
        if (hasBegun(change) && 'transaction' in after.phase)
          periodic?.begin(context.transactions.beganAt(after.phase.transaction.id) ?? change.at);
        if (after.phase.name !== 'transaction' && before.phase.name === 'transaction') periodic?.end();
      }),
      context.settings.onChange((name) => {
        if (name === meterValueSampleInterval.name) for (const periodic of periodics.values()) periodic.rearm();
        if (name === clockAlignedDataInterval.name) aligned.rearm();
      }),
      context.clock.onJump(() => aligned.rearm()),
    ];
    return {
      triggers: {
        MeterValues: (connectorId) => {
          const asked = [...places.values()].filter(({ id }) => connectorId === undefined || id === connectorId);
          if (asked.length === 0) return undefined;
          return () => {
            for (const place of asked) void reportNow(context, place);
          };
        },
      },
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
        for (const periodic of periodics.values()) periodic.end();
        aligned.stop();
      },
    };
  },
};

/** Section 4.7: connector 0 has values only if the charge point has a main meter. */
function placesOf(context: Context): ReadonlyMap<number, Metered> {
  const { connectors, mainMeter } = context.board;
  const meters = [
    ...(mainMeter === undefined ? [] : [{ id: 0, meter: mainMeter }]),
    ...connectors.map(({ id, meter }) => ({ id, meter })),
  ];
  return new Map(meters.map(({ id, meter }) => [id, new Metered(id, meter, context)]));
}

/**
 * Section 3.16.4: a list with one measurand that no meter here can give is Rejected whole. What a default, the file or an earlier meter
 * has put in force is cut down to what can be given.
 */
function narrowLists({ settings, log }: Context, figures: readonly Figures[]): void {
  const isSupported = (item: Item): boolean => figures.some((each) => offers(each, item));
  settings.adopt(supportedMeasurands, MEASURANDS.filter(isSupported));
  for (const [list, maxLength] of MEASURAND_LISTS) {
    settings.narrow(list, (items) => items.length <= settings.get(maxLength) && items.every(isSupported));
    const items = settings.get(list);
    const supported = items.filter(isSupported);
    if (supported.length === items.length) continue;
    log.warn(`${list.name}: the meters cannot give everything`, { left: items.filter((item) => !isSupported(item)) });
    settings.adopt(list, supported);
  }
}
