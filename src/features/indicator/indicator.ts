/** Shows the status of each connector, and what became of a tag, on the lamps and buzzers of the board. */
import type { Indicator, IndicatorPattern } from '../../../hal/contract.ts';
import { type Context, type Feature, isOnline, type Room } from '../feature.ts';
import { type Signal, USUAL_PATTERNS } from './patterns.ts';

export const indicator: Feature = {
  name: 'indicator',
  profile: 'Core',
  keys: [],
  start: (context): Room => {
    const { board, connection, registration, station, tagSignals } = context;
    const { indicators = [] } = board;
    if (indicators.length === 0) return {};
    const panels = indicators.map((lamps, index) => ({ lamps, patterns: patternsOf(context, index) }));
    const show = (connectorId?: number): void => {
      for (const { lamps, patterns } of panels) {
        if (connectorId === undefined || lamps.connectorId === connectorId) {
          lamps.show(patterns[signalOf(context, lamps)]);
        }
      }
    };
    const showAll = (): void => show();
    const subscriptions = [
      station.onChange(({ after }) => show(after.id)),
      station.onFault(showAll),
      connection.onOpen(showAll),
      connection.onClose(showAll),
      registration.onChange(showAll),
      tagSignals.on(({ connectorIds, accepted }) => {
        for (const { lamps, patterns } of panels) {
          const isConcerned = lamps.connectorId === 0 || connectorIds.includes(lamps.connectorId);
          if (isConcerned) lamps.flash(patterns[accepted ? 'accepted' : 'refused']);
        }
      }),
    ];
    showAll();
    return {
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};

/** The board file has its own ones, in the order of the board. */
function patternsOf({ config }: Context, index: number): { readonly [signal in Signal]: IndicatorPattern } {
  const own = config.board === 'mock' ? undefined : config.board.indicators?.[index]?.patterns;
  return { ...USUAL_PATTERNS, ...own };
}

function signalOf(context: Context, { connectorId }: Indicator): Signal {
  const status = context.station.report(connectorId)?.status ?? 'Unavailable';
  return status === 'Available' && !isOnline(context) ? 'offline' : status;
}
