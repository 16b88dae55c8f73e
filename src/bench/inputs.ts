/** The inputs of the bench as data: their values at power-up, and one table that says what each of them takes. */
import type { FaultCode } from '../../hal/contract.ts';
import { VEHICLE_AT_POWER_UP, type VehicleInputs } from '../../hal/mock/electric-vehicle.ts';
import type { FaultDetails } from '../../hal/mock/fault-causes.ts';
import type { Jam } from '../../hal/mock/mock-connector.ts';
import { GRID_AT_POWER_UP, type GridInputs } from '../../hal/mock/mock-grid.ts';
import { METER_AT_POWER_UP, type MeterInputs } from '../../hal/mock/mock-meter.ts';

export interface FirmwareInputs {
  /** What the installer does after a real download. */
  readonly result: 'ok' | 'installFail';
  readonly installMs: number;
  /** The connectors stay available meanwhile. */
  readonly keepAvailable: boolean;
  /** False: no restart at the end. */
  readonly reboot: boolean;
}

export interface ConnectorInputs {
  readonly ev: VehicleInputs;
  readonly jam: Jam | null;
  readonly temperatureC: number;
  /** By OCPP errorCode. A member that is there is a fault that is raised. */
  readonly faults: Readonly<Record<string, FaultDetails>>;
  readonly meter: MeterInputs;
}

/** Inputs that are there only if the installation has what they play. */
export interface SiteInputs {
  /** `amps`: what everything else in the house draws from L1, L2 and L3. */
  readonly grid: GridInputs;
  /** The grid operator's contact. */
  readonly dimming: boolean;
  /** `deaf`: no RCD trips in its self test. */
  readonly rcd: 'ok' | 'deaf';
}

/** Which of them there are. */
export type Site = { readonly [input in keyof SiteInputs]: boolean };

export interface BenchInputs extends Partial<SiteInputs> {
  /** `rate`: agent time per real time; `offsetMs`: shifts wall time. */
  readonly clock: { readonly rate: number; readonly offsetMs: number };
  readonly link: 'up' | 'down';
  readonly power: 'on' | 'failing';
  readonly storage: 'ok' | 'fail';
  readonly firmware: FirmwareInputs;
  /** By connector id. */
  readonly connectors: Readonly<Record<string, ConnectorInputs>>;
}

const CONNECTOR_AT_POWER_UP: ConnectorInputs = {
  ev: VEHICLE_AT_POWER_UP,
  jam: null,
  temperatureC: 25,
  faults: {},
  meter: METER_AT_POWER_UP,
};

const SITE_AT_POWER_UP: SiteInputs = { grid: GRID_AT_POWER_UP, dimming: false, rcd: 'ok' };
/** No grid connection, no contact and no RCD that is tested, as on most benches. */
export const BARE_SITE: Site = { grid: false, dimming: false, rcd: false };
export const WHOLE_SITE: Site = { grid: true, dimming: true, rcd: true };

const ofSite = <T extends object>(members: T, site: Site): Partial<T> =>
  Object.fromEntries(Object.entries(members).filter(([name]) => site[name as keyof Site])) as Partial<T>;

/** The site that these inputs are of. */
export const siteOf = ({ grid, dimming, rcd }: Partial<SiteInputs>): Site => ({
  grid: grid !== undefined,
  dimming: dimming !== undefined,
  rcd: rcd !== undefined,
});

export const inputsAtPowerUp = (connectorIds: readonly number[], site = BARE_SITE): BenchInputs => ({
  clock: { rate: 1, offsetMs: 0 },
  link: 'up',
  power: 'on',
  storage: 'ok',
  firmware: { result: 'ok', installMs: 1000, keepAvailable: false, reboot: true },
  ...ofSite(SITE_AT_POWER_UP, site),
  connectors: Object.fromEntries(connectorIds.map((id) => [String(id), CONNECTOR_AT_POWER_UP])),
});

/** What an OCPP errorCode means in hardware. The codes that are missing cannot be raised by hardware. */
export const FAULT_OF: Readonly<Record<string, FaultCode>> = {
  ConnectorLockFailure: 'lockFailed',
  EVCommunicationError: 'evCommunication',
  GroundFailure: 'groundFault',
  HighTemperature: 'overTemperature',
  InternalError: 'internalFault',
  OtherError: 'otherFault',
  OverCurrentFailure: 'overCurrent',
  OverVoltage: 'overVoltage',
  PowerMeterFailure: 'meterSilent',
  PowerSwitchFailure: 'contactorStuckOpen',
  ReaderFailure: 'readerSilent',
  ResetFailure: 'resetFailed',
  UnderVoltage: 'underVoltage',
  WeakSignal: 'weakSignal',
};

/** One input: what it takes, for the machine and in words. */
export interface Rule {
  readonly expects: string;
  readonly takes: (value: unknown) => boolean;
}

/** An object of the document; `members` are known by name. */
export interface Room {
  readonly members: Readonly<Record<string, Rule | Room>>;
  /** The members come and go: absent is not at power-up. */
  readonly open?: true;
}

const oneOf = (...options: readonly unknown[]): Rule => ({
  expects: `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`,
  takes: (value) => options.includes(value),
});

const flag: Rule = { expects: 'true or false', takes: (value) => typeof value === 'boolean' };

const number = (least: number, most: number): Rule => ({
  expects: `a number from ${least} to ${most}`,
  takes: (value) => typeof value === 'number' && value >= least && value <= most,
});

/** An array is a value: a merge patch replaces it whole. */
const onePerPhase = (rule: Rule): Rule => ({
  expects: `three values, one per phase: each ${rule.expects}`,
  takes: (value) => Array.isArray(value) && value.length === 3 && value.every(rule.takes),
});

const text = (longest: number): Rule => ({
  expects: `a text of at most ${longest} characters`,
  takes: (value) => typeof value === 'string' && value.length <= longest,
});

const orNull = (rule: Rule): Rule => ({
  expects: `null or ${rule.expects}`,
  takes: (value) => value === null || rule.takes(value),
});

/** A misspelt or forgotten input does not compile. */
const room = <T>(members: { readonly [member in keyof Required<T>]: Rule | Room }): Room => ({ members });

const DAY_MS = 86_400_000;
const CENTURY_MS = 36_525 * DAY_MS;
const MOST_RATE = 100_000;
const MOST_WH = 1e12;

const FAULT = {
  ...room<FaultDetails>({ info: text(50), vendorErrorCode: text(50), vendorId: text(255) }),
  open: true,
} as const;

const CONNECTOR = room<ConnectorInputs>({
  ev: room<VehicleInputs>({
    plugged: flag,
    mode: oneOf('auto', 'B', 'C', 'D', 'E', 'F'),
    delayMs: number(0, DAY_MS),
    amps: number(0, 80),
    phases: oneOf(1, 2, 3),
    vent: flag,
    diode: flag,
    end: oneOf('cable', 'car'),
    cableA: oneOf(13, 20, 32, 63),
  }),
  jam: orNull(oneOf('lock', 'unlock', 'welded', 'stuck')),
  temperatureC: number(-100, 200),
  faults: { members: Object.fromEntries(Object.keys(FAULT_OF).map((code) => [code, FAULT])), open: true },
  meter: room<MeterInputs>({
    wh: number(0, MOST_WH),
    watts: orNull(number(0, 1e6)),
    volts: number(0, 1000),
    soc: number(0, 100),
    drop: flag,
    serial: orNull(text(25)),
  }),
});

const MOST_GRID_A = 1000;

const SITE = room<SiteInputs>({
  grid: room<GridInputs>({ amps: onePerPhase(number(0, MOST_GRID_A)), drop: flag }),
  dimming: flag,
  rcd: oneOf('ok', 'deaf'),
});

/** What the whole document takes on a board with these connectors, at this site. */
export const rulesFor = (connectorIds: readonly string[], site: Site): Room =>
  room<Omit<BenchInputs, keyof SiteInputs>>({
    clock: room<BenchInputs['clock']>({ rate: number(1e-3, MOST_RATE), offsetMs: number(-CENTURY_MS, CENTURY_MS) }),
    link: oneOf('up', 'down'),
    power: oneOf('on', 'failing'),
    storage: oneOf('ok', 'fail'),
    firmware: room<FirmwareInputs>({
      result: oneOf('ok', 'installFail'),
      installMs: number(0, DAY_MS),
      keepAvailable: flag,
      reboot: flag,
    }),
    ...ofSite(SITE.members, site),
    connectors: { members: Object.fromEntries(connectorIds.map((id) => [id, CONNECTOR])) },
  });
