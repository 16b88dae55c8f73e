/** The mapping from figures to sampled values (OCPP 1.6 sections 7.31 to 7.45). */
import { describe, expect, it } from 'vitest';
import type { Figures } from '../../../src/core/metering/figures.ts';
import { ITEMS, type Item, MEASURANDS, offers, selectionOf } from '../../../src/core/metering/measurands.ts';
import { sampledValues, wholeUnits } from '../../../src/core/metering/sampled-value.ts';
import {
  MEASURANDS as KNOWN_MEASURANDS,
  PHASES as KNOWN_PHASES,
  LOCATIONS,
  UNITS_OF_MEASURE,
} from '../../../src/ocpp/messages/types/meter-value.ts';

/** Every line differs, so that a mix-up shows. */
const lines = (base: number) => ({ sum: base, L1: base + 1, L2: base + 2, L3: base + 3, N: base + 4 });
const ALL: Figures = {
  voltage: lines(230),
  current: lines(10),
  activePower: lines(7000),
  reactivePower: lines(100),
  apparentPower: lines(7100),
  powerFactor: lines(0),
  frequency: lines(50),
  energyImport: lines(1000.9),
  energyExport: lines(2000.2),
  reactiveEnergyImport: lines(3000),
  reactiveEnergyExport: lines(4000),
  temperature: lines(40),
  stateOfCharge: lines(80),
  activePowerExport: lines(500),
  reactivePowerExport: lines(600),
  offeredCurrent: { sum: 16 },
  offeredPower: { sum: 11_040 },
};
const read = (figures: Figures, ...items: readonly Item[]) =>
  sampledValues(figures, items.map(selectionOf), 'Sample.Periodic');
const brief = (...items: readonly Item[]) =>
  read(ALL, ...items).map(({ value, phase, unit, location }) => [value, phase ?? '-', unit ?? '-', location].join(' '));

describe('a measurand without a phase gives its total and all its phases', () => {
  it.each<[Item, ...string[]]>([
    [
      'Current.Import',
      '10.000 - A Outlet',
      '11.000 L1 A Outlet',
      '12.000 L2 A Outlet',
      '13.000 L3 A Outlet',
      '14.000 N A Outlet',
    ],
    ['Current.Offered', '16.0 - A Outlet'],
    ['Energy.Active.Export.Register', '2000 - Wh Outlet'],
    ['Energy.Active.Import.Register', '1000 - Wh Outlet'],
    ['Energy.Reactive.Export.Register', '4000 - varh Outlet'],
    ['Energy.Reactive.Import.Register', '3000 - varh Outlet'],
    ['Frequency', '50.00 - - Outlet'],
    ['Power.Active.Export', '500.0 - W Outlet', '501.0 L1 W Outlet', '502.0 L2 W Outlet', '503.0 L3 W Outlet'],
    ['Power.Active.Import', '7000.0 - W Outlet', '7001.0 L1 W Outlet', '7002.0 L2 W Outlet', '7003.0 L3 W Outlet'],
    ['Power.Factor', '0.000 - - Outlet', '1.000 L1 - Outlet', '2.000 L2 - Outlet', '3.000 L3 - Outlet'],
    ['Power.Offered', '11040 - W Outlet'],
    [
      'Power.Reactive.Export',
      '600.0 - var Outlet',
      '601.0 L1 var Outlet',
      '602.0 L2 var Outlet',
      '603.0 L3 var Outlet',
    ],
    [
      'Power.Reactive.Import',
      '100.0 - var Outlet',
      '101.0 L1 var Outlet',
      '102.0 L2 var Outlet',
      '103.0 L3 var Outlet',
    ],
    ['SoC', '80 - Percent EV'],
    ['Temperature', '40.0 - Celcius Body'],
    ['Voltage', '230.0 - V Outlet', '231.0 L1-N V Outlet', '232.0 L2-N V Outlet', '233.0 L3-N V Outlet'],
  ])('%s', (item, ...expected) => {
    expect(brief(item)).toEqual(expected);
  });

  it('for every measurand that we have', () => {
    expect(MEASURANDS.flatMap((measurand) => brief(measurand)).length).toBeGreaterThan(MEASURANDS.length);
    expect(KNOWN_MEASURANDS).toEqual(expect.arrayContaining([...MEASURANDS]));
  });
});

describe('a measurand with a phase gives that phase alone', () => {
  it.each<[Item, string]>([
    ['Voltage.L1', '231.0 L1-N V Outlet'],
    ['Voltage.L1-N', '231.0 L1-N V Outlet'],
    ['Voltage.L3', '233.0 L3-N V Outlet'],
    ['Current.Import.L2', '12.000 L2 A Outlet'],
    ['Current.Import.N', '14.000 N A Outlet'],
    ['Power.Active.Import.L3', '7003.0 L3 W Outlet'],
    ['Energy.Active.Import.Register.L1', '1001 L1 Wh Outlet'],
  ])('%s', (item, expected) => {
    expect(brief(item)).toEqual([expected]);
  });

  it('and no value is given twice', () => {
    expect(brief('Voltage.L1', 'Voltage.L1-N', 'Voltage')).toHaveLength(4);
  });

  it.each(['SoC.L1', 'Frequency.L1', 'Temperature.L2', 'Current.Offered.L1', 'Voltage.N', 'Current.Import.L1-N'])(
    'but %s is no item',
    (text) => {
      expect(ITEMS).not.toContain(text);
    },
  );
});

describe('sampled values', () => {
  it('use only words of the specification', () => {
    for (const { phase, unit, location } of read(ALL, ...ITEMS)) {
      if (phase !== undefined) expect(KNOWN_PHASES).toContain(phase);
      if (unit !== undefined) expect(UNITS_OF_MEASURE).toContain(unit);
      expect(LOCATIONS).toContain(location);
    }
  });

  it('leave out what was not read, and what is no number', () => {
    const figures: Figures = { voltage: { L1: Number.NaN, L2: 230 }, current: {} };
    expect(read(figures, 'Voltage', 'Current.Import', 'SoC').map(({ value }) => value)).toEqual(['230.0']);
  });

  it('have no minus before nothing', () => {
    const figures: Figures = { activePower: { sum: -0.01, L1: -0.06, L2: -0 } };
    expect(read(figures, 'Power.Active.Import').map(({ value }) => value)).toEqual(['0.0', '-0.1', '0.0']);
  });

  it('of a main meter are at the inlet, but a temperature stays in the body', () => {
    const selections = (['Voltage.L1', 'Temperature'] as const).map(selectionOf);
    expect(sampledValues(ALL, selections, 'Sample.Clock', 'Inlet').map(({ location }) => location)).toEqual([
      'Inlet',
      'Body',
    ]);
  });
});

describe('an item is offered', () => {
  const figures: Figures = { voltage: { L1: 1 }, energyImport: { sum: 1 } };
  it.each<[Item, boolean]>([
    ['Voltage', true],
    ['Voltage.L1', true],
    ['Voltage.L1-N', true],
    ['Voltage.L2', false],
    ['Energy.Active.Import.Register', true],
    ['Energy.Active.Import.Register.L1', false],
    ['Current.Import', false],
  ])('%s: %s', (item, expected) => {
    expect(offers(figures, item)).toBe(expected);
  });
});

it.each([
  [0, 0],
  [0.999_999_5, 1],
  [1.999, 1],
  [2_259_988.000_001, 2_259_988],
])('a register of %d Wh has %i whole ones', (register, whole) => {
  expect(wholeUnits(register)).toBe(whole);
});
