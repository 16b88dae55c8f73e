/** Sampled MeterValues of running transactions, and those that are asked for (OCPP 1.6 sections 3.16 and 4.7). */
import { transactionOf } from '../../core/connector/state.ts';
import { MEASURANDS, type Measurand, type ReadingContext, sampledValues } from '../../core/metering/sampled-value.ts';
import { MeterValues } from '../../ocpp/messages/core/meter-values.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, type Feature, hasBegun, type Room } from '../feature.ts';
import { key, list, seconds } from '../keys.ts';

export const meterValueSampleInterval = key('MeterValueSampleInterval', seconds(), { default: 60 });
export const meterValuesSampledData = key('MeterValuesSampledData', list<Measurand>(MEASURANDS), {
  default: ['Energy.Active.Import.Register', 'Power.Active.Import', 'Current.Import', 'Voltage'],
});

export const metering: Feature = {
  name: 'metering',
  profile: 'Core',
  keys: [meterValueSampleInterval, meterValuesSampledData],
  start: (context): Room => {
    const samplers = new Map(context.station.connectors.map(({ id }) => [id, new Sampler(id, context)]));
    const subscriptions = [
      context.station.onChange((change) => {
        const sampler = samplers.get(change.after.id);
        if (hasBegun(change)) sampler?.begin(change.at);
        else if (change.after.phase.name !== 'transaction' && change.before.phase.name === 'transaction')
          sampler?.stop();
      }),
      context.settings.onChange((name) => {
        if (name === meterValueSampleInterval.name) for (const sampler of samplers.values()) sampler.restart();
      }),
    ];
    return {
      triggers: {
        MeterValues: (connectorId) => {
          const asked = connectorId === undefined ? [...samplers.values()] : [samplers.get(connectorId)];
          if (asked.some((sampler) => sampler === undefined)) return undefined;
          return () => asked.forEach((sampler) => void sampler?.report());
        },
      },
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
        for (const sampler of samplers.values()) sampler.stop();
      },
    };
  },
};

/** Samples on the schedule: at the begin of the transaction plus exact multiples of the interval. */
class Sampler {
  readonly #id: number;
  readonly #context: Context;
  #timer: Cancel | undefined;
  #due = 0;

  constructor(id: number, context: Context) {
    this.#id = id;
    this.#context = context;
  }

  begin(at: number): void {
    this.stop();
    this.#due = at;
    this.#next();
  }

  restart(): void {
    if (this.#context.station.connector(this.#id)?.phase.name === 'transaction') this.begin(this.#context.clock.now());
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  /** TriggerMessage: the present values, whether or not a transaction runs. */
  async report(): Promise<void> {
    const { call, clock, log, station, transactions } = this.#context;
    const at = clock.now();
    const sampledValue = (await this.#read('Trigger'))?.values;
    if (sampledValue === undefined || sampledValue.length === 0) return;
    const connector = station.connector(this.#id);
    const transaction = connector && transactionOf(connector);
    const transactionId = transaction && transactions.transactionId(transaction.id);
    const meterValue = [{ timestamp: formatTimestamp(clock.wall(at)), sampledValue: [...sampledValue] }];
    try {
      await call(MeterValues, {
        connectorId: this.#id,
        ...(transactionId === undefined ? {} : { transactionId }),
        meterValue,
      });
    } catch (cause) {
      log.warn('the MeterValues that were asked for came to nothing', { connectorId: this.#id, cause });
    }
  }

  #next(): void {
    const { clock, settings } = this.#context;
    const intervalMs = settings.get(meterValueSampleInterval) * 1000;
    if (intervalMs === 0) return;
    this.#due += intervalMs;
    this.#timer = clock.after(this.#due - clock.now(), () => {
      void this.#sample(this.#due);
      this.#next();
    });
  }

  async #sample(at: number): Promise<void> {
    const { station, transactions } = this.#context;
    const connector = station.connector(this.#id);
    const transaction = connector && transactionOf(connector);
    if (transaction === undefined) return;
    const read = await this.#read('Sample.Periodic');
    if (read === undefined) return;
    await transactions.sample({ connectorId: this.#id, transaction: transaction.id, at, ...read });
  }

  async #read(readingContext: ReadingContext) {
    const { log, settings, station } = this.#context;
    try {
      const reading = await station.hardware(this.#id)?.meter.read();
      if (reading === undefined) return undefined;
      return {
        values: sampledValues(reading, settings.get(meterValuesSampledData), readingContext),
        energyImportWh: reading.values.energyImport?.sum,
        serialNumber: reading.serialNumber,
      };
    } catch (cause) {
      log.warn('the meter was not read', { connectorId: this.#id, cause });
      return undefined;
    }
  }
}
