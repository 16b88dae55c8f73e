/** MeterValues that are not queued: outside transactions, and those that are asked for (OCPP 1.6 sections 4.7 and 5.17). */
import type { SampledValue } from '../../core/metering/sampled-value.ts';
import { MeterValues } from '../../ocpp/messages/core/meter-values.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Context } from '../feature.ts';
import type { Metered } from './metered.ts';
import { meterValuesSampledData } from './metering.keys.ts';

interface Report {
  readonly values: readonly SampledValue[];
  /** Monotonic time of the values. */
  readonly at: number;
  /** The central system's. */
  readonly transactionId?: number;
}

/** Values of a connector without a transaction, or of the main meter. Never rejects. */
export async function reportNotQueued(
  { call, clock, log }: Context,
  connectorId: number,
  report: Report,
): Promise<void> {
  const { values, at, transactionId } = report;
  if (values.length === 0) return;
  try {
    await call(MeterValues, {
      connectorId,
      ...(transactionId === undefined ? {} : { transactionId }),
      meterValue: [{ timestamp: formatTimestamp(clock.wall(at)), sampledValue: [...values] }],
    });
  } catch (cause) {
    log.info('MeterValues that are not queued came to nothing', { connectorId, cause });
  }
}

/** TriggerMessage: the present values, with or without a transaction. */
export async function reportNow(context: Context, place: Metered): Promise<void> {
  const { settings, transactions } = context;
  const look = await place.glance();
  if (look === undefined) return;
  const items = settings.get(meterValuesSampledData);
  const values = look.values(items.length > 0 ? items : ['Energy.Active.Import.Register'], 'Trigger');
  const { at, transaction } = look;
  const transactionId = transaction === undefined ? undefined : transactions.transactionId(transaction);
  // What the central system has been told is journalled, so that a stop after a crash does not say less.
  if (transaction !== undefined)
    await transactions.sample({ connectorId: place.id, transaction, series: 'periodic', at, values: [], kept: [] });
  await reportNotQueued(context, place.id, {
    values,
    at,
    ...(transactionId === undefined ? {} : { transactionId }),
  });
}
