/** What is watched beyond the lines of the board, and what the country says about it (facts: docs/protection.md). */
import type { Protection, VoltageLimits } from '../../hal/board-description.ts';
import type { ConnectorConfig } from '../config.ts';
import type { Findings } from './findings.ts';
import type { MainFile } from './meters.ts';
import type { AgentFile, CountryCode } from './shapes/agent.ts';

type ProtectionFile = NonNullable<AgentFile['protection']>;

/** EVerest, check_soft_over_current. */
const OVER_CURRENT = { factor: 1.1, marginA: 0.5, forS: 7 };
/** So much inside the window the voltage has to be again. */
const HYSTERESIS_V = 2;
const VOLTAGE = { leastV: 207, mostV: 253, forS: 5, reconnectAfterS: 60 };

export interface CountryRules {
  /** Absent: no window unless somebody writes one. */
  readonly voltage?: VoltageLimits;
  /** After an RCD trip nothing may close by itself, not even when the EV has left. */
  readonly noReclosing?: true;
  /** Of the installation, where it says nothing. */
  readonly randomDelayS?: number;
  readonly rampAPerMinute?: number;
  readonly asymmetryA?: number;
}

const BS_7671: VoltageLimits = { ...VOLTAGE, reconnectLeastV: 209, reconnectMostV: 251 };

export const COUNTRIES: { readonly [country in CountryCode]: CountryRules } = {
  // OVE R 37: below 0.8 of nominal for 3 s; back within 0.9 to 1.09 and 49.9 to 50.1 Hz for 60 s, and then 1 A per minute. Phases may differ by 16 A.
  AT: {
    voltage: {
      leastV: 184,
      mostV: 253,
      forS: 3,
      reconnectLeastV: 207,
      reconnectMostV: 250.7,
      reconnectLeastHz: 49.9,
      reconnectMostHz: 50.1,
      reconnectAfterS: 60,
    },
    rampAPerMinute: 1,
    asymmetryA: 16,
  },
  CH: { noReclosing: true },
  // VDE-AR-N 4100: 4.6 kVA.
  DE: { asymmetryA: 20 },
  DK: { noReclosing: true },
  FR: { noReclosing: true },
  // BS 7671 722.411.4.1 (iv); Smart Charge Points Regulations 2021.
  GB: { voltage: BS_7671, noReclosing: true, randomDelayS: 600 },
};

export const countryOf = ({ file }: Pick<MainFile, 'file'>): CountryRules => {
  const country = file.protection?.country;
  return country === undefined ? {} : COUNTRIES[country];
};

/** Undefined on the mock board without a section: nothing is watched there unless somebody wants it. */
export function readProtection(
  findings: Findings,
  main: MainFile,
  connectors: readonly ConnectorConfig[],
): Protection | undefined {
  const given = main.file.protection;
  if ((given === undefined || given === null) && main.board === undefined) return undefined;
  const { overCurrent, voltage, rcdTest, rcdReclosesOnUnplug, meterSilent, contactorLife, country } = given ?? {};
  const rules = countryOf(main);
  if (rcdReclosesOnUnplug === true && rules.noReclosing === true) {
    findings.errors.push(
      main.document.problem(
        ['protection', 'rcdReclosesOnUnplug'],
        `is true, but in ${country} nothing may close by itself after an RCD has tripped`,
        'remove it: the fault waits for `chargepoint faults reset` or Reset',
      ),
    );
  }
  const limits = voltage === undefined ? rules.voltage : windowOf(findings, main, voltage, rules);
  const watched = {
    ...(overCurrent === false ? {} : { overCurrent: { ...OVER_CURRENT, ...overCurrent } }),
    ...(limits === undefined ? {} : { voltage: limits }),
    ...(rcdTest === undefined ? {} : { rcdTest }),
    ...(rcdReclosesOnUnplug === undefined ? {} : { rcdReclosesOnUnplug }),
    ...(meterSilent === undefined ? {} : { meterSilent }),
    ...(contactorLife === undefined ? {} : { contactorLife }),
  };
  warnOfMeters(findings, main, connectors, watched);
  return watched;
}

/** Nobody should believe in a protection that is not there. */
function warnOfMeters(
  findings: Findings,
  { document }: MainFile,
  connectors: readonly ConnectorConfig[],
  { overCurrent, voltage }: Protection,
): void {
  for (const [index, { id, meter }] of connectors.entries()) {
    if (meter === undefined) continue;
    const warn = (quantity: string) => {
      const message = `measures no ${quantity}: that of connector ${id} is not watched`;
      findings.warnings.push(document.problem(['connectors', index, 'meter', 'model'], message));
    };
    if (overCurrent !== undefined && meter.map.quantities.current === undefined) warn('current');
    if (voltage !== undefined && meter.map.quantities.voltage === undefined) warn('voltage');
    if (hasFrequency(voltage) && meter.map.quantities.frequency === undefined) warn('frequency');
  }
}

const hasFrequency = (voltage: VoltageLimits | undefined): boolean =>
  voltage?.reconnectLeastHz !== undefined || voltage?.reconnectMostHz !== undefined;

/** What is left out comes from the country; `false` has no window at all. */
function windowOf(
  findings: Findings,
  { document }: MainFile,
  voltage: NonNullable<ProtectionFile['voltage']>,
  { voltage: usual }: CountryRules,
): VoltageLimits | undefined {
  if (voltage === false) return undefined;
  const given = { ...VOLTAGE, ...usual, ...voltage };
  const limits: VoltageLimits = {
    ...given,
    // A limit that is given takes its side of the narrower window along.
    reconnectLeastV:
      voltage.reconnectLeastV ??
      (voltage.leastV === undefined ? usual?.reconnectLeastV : undefined) ??
      given.leastV + HYSTERESIS_V,
    reconnectMostV:
      voltage.reconnectMostV ??
      (voltage.mostV === undefined ? usual?.reconnectMostV : undefined) ??
      given.mostV - HYSTERESIS_V,
  };
  const { leastV, reconnectLeastV, reconnectMostV, mostV } = limits;
  if (!(leastV <= reconnectLeastV && reconnectLeastV < reconnectMostV && reconnectMostV <= mostV)) {
    findings.errors.push(
      document.problem(
        ['protection', 'voltage'],
        `is ${leastV} to ${mostV} V with ${reconnectLeastV} to ${reconnectMostV} V for reconnecting, expected the narrower window within the wider one`,
      ),
    );
  }
  const { reconnectLeastHz = 0, reconnectMostHz = Number.POSITIVE_INFINITY } = limits;
  if (reconnectLeastHz >= reconnectMostHz)
    findings.errors.push(
      document.problem(
        ['protection', 'voltage', 'reconnectLeastHz'],
        `is ${reconnectLeastHz} Hz, expected less than reconnectMostHz, ${reconnectMostHz} Hz`,
      ),
    );
  return limits;
}
