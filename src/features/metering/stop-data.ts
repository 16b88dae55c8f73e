/** The begin and end values of StopTransaction as the keys want them (OCPP 1.6 sections 3.16.5 and 3.16.6). */
import type { Board, Reading } from '../../../hal/contract.ts';
import { figuresOf } from '../../core/metering/figures.ts';
import { selectionOf } from '../../core/metering/measurands.ts';
import { type SampledValue, sampledValues } from '../../core/metering/sampled-value.ts';
import type { Settings } from '../feature.ts';
import { stopTxnAlignedData, stopTxnSampledData } from './metering.keys.ts';

/** What the journal of transactions asks for. `values` gives every measurand of both lists, also where their interval is 0. */
export function stopDataFrom(settings: Pick<Settings, 'get'>, board: Pick<Board, 'connectors'>) {
  const items = () => [...settings.get(stopTxnSampledData), ...settings.get(stopTxnAlignedData)];
  return {
    get wanted(): boolean {
      return items().length > 0;
    },
    values(
      connectorId: number,
      { values }: Reading,
      context: 'Transaction.Begin' | 'Transaction.End',
    ): readonly SampledValue[] {
      const hardware = board.connectors.find(({ id }) => id === connectorId);
      if (hardware === undefined) return [];
      const { meter, phases } = hardware;
      // Nothing is offered before a transaction begins nor after it has ended.
      const figures = figuresOf(values, meter.offers, { offer: 'x1', phases, nominalV: 0 });
      return sampledValues(figures, items().map(selectionOf), context);
    },
  };
}
