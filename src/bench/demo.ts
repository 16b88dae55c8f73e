/** A first session on its own: plug, tag, charge, meter values, stop, unplug; and what the wire shows, in plain words. */
import type { Cancel, Clock, Unsubscribe } from '../ports.ts';
import type { Told } from './central-system-logic.ts';
import { isObject, type JsonObject } from './merge-patch.ts';

export interface DemoParts {
  /** What the charge point tells the central system. */
  readonly onTold: (listener: (told: Told) => void) => Unsubscribe;
  readonly patchBench: (patch: JsonObject) => Promise<unknown>;
  readonly tap: (idTag: string) => Promise<unknown>;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly print: (line: string) => void;
}

/** One sample has to fit between Start and Stop. */
export const DEMO_SAMPLE_INTERVAL_S = 3;
const DEMO_TAG = 'DEMO';
const EACH_WITHIN_MS = 6000;
const LOOK_MS = 700;

interface Step {
  /** What a person would do. */
  readonly says: string;
  readonly does: (parts: DemoParts) => Promise<unknown>;
  /** What the wire shows then. */
  readonly awaits: (told: Told) => boolean;
}

const status = (name: string) => (told: Told) => isFirstStatus(told) && member(told, 'status') === name;

const isAction = (action: string) => (told: Told) => told.action === action;

const car = (ev: JsonObject) => (parts: DemoParts) => parts.patchBench({ connectors: { '1': { ev } } });

const present = (parts: DemoParts): Promise<unknown> => parts.tap(DEMO_TAG);

const STEPS: readonly Step[] = [
  { says: 'The car is plugged in.', does: car({ plugged: true, delayMs: 500, amps: 16 }), awaits: status('Preparing') },
  { says: `The driver presents the tag ${DEMO_TAG}.`, does: present, awaits: status('Charging') },
  { says: 'The car charges; the meter is read.', does: async () => undefined, awaits: isAction('MeterValues') },
  { says: 'The driver presents the tag again.', does: present, awaits: isAction('StopTransaction') },
  { says: 'The plug is pulled.', does: car({ plugged: false }), awaits: status('Available') },
];

/** At most some 20 s. False if the charge point did not do its part. */
export async function showFirstSession(parts: DemoParts): Promise<boolean> {
  for (const step of STEPS) {
    if (!(await take(step, parts))) return false;
    await pause(LOOK_MS, parts);
  }
  return true;
}

async function take({ says, does, awaits }: Step, parts: DemoParts): Promise<boolean> {
  parts.print(says);
  const seen = toldWithin(EACH_WITHIN_MS, awaits, parts);
  try {
    await does(parts);
  } catch (cause) {
    parts.print(`The bench does not answer: ${cause instanceof Error ? cause.message : String(cause)}`);
    return false;
  }
  if (await seen) return true;
  parts.print(`Nothing came of it within ${EACH_WITHIN_MS / 1000} s.`);
  return false;
}

/** Resolves to false when the time is over. */
export function toldWithin(
  ms: number,
  awaits: (told: Told) => boolean,
  { onTold, clock }: Pick<DemoParts, 'onTold' | 'clock'>,
): Promise<boolean> {
  return new Promise((resolve) => {
    let cancel: Cancel = () => {};
    const unsubscribe = onTold((told) => {
      if (awaits(told)) done(true);
    });
    const done = (seen: boolean): void => {
      cancel();
      unsubscribe();
      resolve(seen);
    };
    cancel = clock.afterReal(ms, () => done(false));
  });
}

const pause = (ms: number, { clock }: DemoParts): Promise<void> =>
  new Promise((resolve) => {
    clock.afterReal(ms, resolve);
  });

/** The charge point says how connector 1 is: from now on it can be used. */
export const isFirstStatus = (told: Told): boolean =>
  told.action === 'StatusNotification' && member(told, 'connectorId') === 1;

/** A message of the charge point in plain words. */
export function describe(told: Told): string {
  const { identity, action } = told;
  const of = (name: string): string => String(member(told, name) ?? '?');
  const words: Readonly<Record<string, () => string>> = {
    BootNotification: () => `is a ${of('chargePointModel')} of ${of('chargePointVendor')} and has started`,
    Heartbeat: () => 'is still there',
    Authorize: () => `asks whether ${of('idTag')} may charge`,
    StartTransaction: () => `starts a transaction of ${of('idTag')} at ${of('meterStart')} Wh`,
    StopTransaction: () => `ends transaction ${of('transactionId')} at ${of('meterStop')} Wh (${reasonOf(told)})`,
    StatusNotification: () => `connector ${of('connectorId')} is ${of('status')}${errorOf(told)}`,
    MeterValues: () => `connector ${of('connectorId')} measures ${valuesOf(told)}`,
  };
  return `${identity}: ${words[action]?.() ?? `sends ${action}`}`;
}

const member = ({ payload }: Told, name: string): unknown => (isObject(payload) ? payload[name] : undefined);

const reasonOf = (told: Told): string => String(member(told, 'reason') ?? 'Local');

const errorOf = (told: Told): string => {
  const errorCode = member(told, 'errorCode');
  return errorCode === undefined || errorCode === 'NoError' ? '' : `, ${String(errorCode)}`;
};

/** The sums; those of the single phases are for machines. */
function valuesOf(told: Told): string {
  const values = member(told, 'meterValue');
  const last: unknown = Array.isArray(values) ? values.at(-1) : undefined;
  const sampled = isObject(last) && Array.isArray(last['sampledValue']) ? last['sampledValue'].filter(isObject) : [];
  const sums = sampled.filter((value) => value['phase'] === undefined);
  return sums.map((value) => `${String(value['value'])} ${String(value['unit'] ?? 'Wh')}`).join(', ') || 'nothing';
}
