/** Where a replay begins: the first `state` of the recording, as configuration, stored transactions and connectors of the agent. */
import { DEFAULT_OPTIONS } from '../../config/options.ts';
import type { AgentConfig } from '../../config.ts';
import { type OpenTransaction, openKey } from '../../features/transactions/facts.ts';
import { bindingKey } from '../../ocpp/outbox/fact.ts';
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import type { Stamp } from '../../ports.ts';
import type { RecordedEntry, RecordingHeader, StateOfConnector } from '../../recorder/recording.ts';
import { headOf } from './output.ts';
import type { Recording } from './read-recording.ts';

export interface Beginning {
  readonly at: number;
  /** So much of the recording comes before it. */
  readonly skippedMs: number;
  /** What is played and compared. */
  readonly entries: readonly RecordedEntry[];
  /** Empty at power-up. */
  readonly states: readonly StateOfConnector[];
  readonly mains: 'on' | 'failing';
  readonly linked: boolean;
  /** The agent had been accepted before: it boots before the replay begins, and nobody looks at that. */
  readonly hasBooted: boolean;
  /** Epoch milliseconds minus monotonic ones; undefined if the clock was never trusted. */
  readonly wallOffset: number | undefined;
}

export function beginningOf({ header, entries }: Recording): Beginning {
  const index = placeToBegin(entries, header.at);
  const state = entries[index];
  const played = index < 0 ? entries : entries.slice(index + 1);
  const wall = header.wall === undefined ? undefined : parseTimestamp(header.wall);
  const firstAt = entries[0]?.at ?? header.at;
  return {
    at: state?.at ?? firstAt,
    skippedMs: (state?.at ?? firstAt) - firstAt,
    entries: played,
    ...(state?.what === 'state'
      ? { states: state.connectors, mains: state.mains, linked: state.linked, hasBooted: !beginsWithBoot(played) }
      : { states: [], mains: 'on', linked: false, hasBooted: false }),
    wallOffset: wall === undefined ? undefined : wall - header.at,
  };
}

/**
 * The first `state` from which everything is known: what waited in the outbox while there was no link, and which statuses had been said
 * before, is in no recording. One after the cause is of no use; then it is the first one, as it is.
 */
function placeToBegin(entries: readonly RecordedEntry[], causeAt: number): number {
  const known = entries.findIndex(
    (entry, index) =>
      entry.what === 'state' &&
      entry.at <= causeAt &&
      (entry.linked
        ? entry.connectors.every(({ transactionId }) => transactionId !== null)
        : beginsWithBoot(entries.slice(index + 1))),
  );
  return known >= 0 ? known : entries.findIndex(({ what }) => what === 'state');
}

const beginsWithBoot = (entries: readonly RecordedEntry[]): boolean =>
  entries.map(callOf).find((call) => call !== undefined)?.action === 'BootNotification';

const callOf = (entry: RecordedEntry) => {
  const head = entry.what === 'frame' && entry.direction === 'tx' ? headOf(entry.text) : undefined;
  return head?.type === 2 ? head : undefined;
};

/** Of no use without the secrets that are not recorded; the link of a replay needs none. */
const NOT_TAKEN: ReadonlySet<string> = new Set(['AuthorizationKey', 'SecurityProfile', 'ConnectionUrl']);
/** How the charge point calls itself, if its BootNotification is in the recording. */
const NAMES = {
  chargePointSerialNumber: 'serialNumber',
  chargeBoxSerialNumber: 'chargeBoxSerialNumber',
  firmwareVersion: 'firmwareVersion',
  iccid: 'iccid',
  imsi: 'imsi',
  meterType: 'meterType',
  meterSerialNumber: 'meterSerialNumber',
} as const;

/** What the recording does not tell is as in a file without it. */
export function configOf({ header, entries }: Recording, { states }: Beginning): AgentConfig {
  const boot = entries.map(callOf).find((call) => call?.action === 'BootNotification')?.payload as
    | Readonly<Record<string, string>>
    | undefined;
  const named = Object.entries(NAMES).flatMap(([member, name]) => {
    const value = boot?.[member];
    return value === undefined ? [] : [[name, value] as const];
  });
  const { faultGraceMs: graceMs, wakeUps } = states[0]?.connector.rules ?? {};
  return {
    file: '/replay/chargepoint.yaml',
    chargePoint: {
      identity: 'replay',
      vendor: boot?.['chargePointVendor'] ?? 'replay',
      model: boot?.['chargePointModel'] ?? 'replay',
      ...Object.fromEntries(named),
    },
    centralSystem: {
      url: 'ws://replay.invalid',
      securityProfile: 0,
      certificateAuthorities: [],
      verifyHostname: true,
    },
    board: 'mock',
    connectors: header.connectors,
    keys: Object.fromEntries(Object.entries(header.keys).filter(([name]) => !NOT_TAKEN.has(name))),
    // The recording tells when the link opens: nobody waits for a while of its own.
    options: { ...DEFAULT_OPTIONS, retryBackoffRandomRangeS: 0, retryBackoffRepeatTimes: 0 },
    installation: { nominalV: 230, phases: 3, safeA: 6, randomDelayS: 0, phaseSwitchEveryS: 60 },
    stateDir: '/replay/state',
    log: { level: 'error' },
    control: {},
    faultGraceS: graceMs === undefined ? 300 : graceMs / 1000,
    ...(wakeUps === undefined ? {} : { wakeUps }),
    resumeWithinS: 0,
    acknowledgeLabUse: true,
  };
}

/** What the store of the agent held of its running transactions. */
export function storedAt(header: RecordingHeader, beginning: Beginning): Readonly<Record<string, unknown>> {
  const rows = beginning.states.flatMap(({ connector, transactionId }) => {
    if (!('transaction' in connector.phase)) return [];
    const { id, idTag, parentIdTag } = connector.phase.transaction;
    const open: OpenTransaction = {
      id,
      connectorId: connector.id,
      idTag,
      ...(parentIdTag === undefined ? {} : { parentIdTag }),
      began: stampOf(header, beginning, beganAt(connector.id, header, beginning)),
      progresses: {},
      lastWh: 0,
      offsetWh: 0,
    };
    const known = typeof transactionId === 'number' ? [[bindingKey(id), { transactionId }] as const] : [];
    return [[openKey(id), open] as const, ...known];
  });
  return Object.fromEntries(rows);
}

const stampOf = ({ bootId }: RecordingHeader, { wallOffset }: Beginning, at: number): Stamp => ({
  bootId,
  at,
  wall: at + (wallOffset ?? 0),
  trusted: wallOffset !== undefined,
});

/** When it began is not recorded; the first sample shows it but for whole intervals, which is what the next samples depend on. */
function beganAt(connectorId: number, { keys }: RecordingHeader, { at, entries, wallOffset }: Beginning): number {
  const intervalMs = Number(keys['MeterValueSampleInterval'] ?? 60) * 1000;
  const sampled = entries.map((entry) => sampleTimeOf(entry, connectorId)).find((time) => time !== undefined);
  if (sampled === undefined || wallOffset === undefined || !(intervalMs > 0)) return at;
  const sampledAt = sampled - wallOffset;
  return sampledAt - Math.max(1, Math.ceil((sampledAt - at) / intervalMs)) * intervalMs;
}

/** Epoch milliseconds of the first periodic sample in this frame. */
function sampleTimeOf(entry: RecordedEntry, connectorId: number): number | undefined {
  const call = callOf(entry);
  if (call?.action !== 'MeterValues' || !call.rest.includes('"Sample.Periodic"')) return undefined;
  const payload = call.payload as
    | { readonly connectorId?: number; readonly meterValue?: readonly { readonly timestamp?: string }[] }
    | undefined;
  const timestamp = payload?.connectorId === connectorId ? payload.meterValue?.[0]?.timestamp : undefined;
  return timestamp === undefined ? undefined : parseTimestamp(timestamp);
}
