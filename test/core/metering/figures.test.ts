/** What follows from a reading: totals, derived power, export and offer. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnergyMeter, Lines } from '../../../hal/contract.ts';
import { figuresOf, figuresOfferedBy } from '../../../src/core/metering/figures.ts';

type Offers = EnergyMeter['offers'];
const THREE = ['L1', 'L2', 'L3'] as const;
const volts: Lines = { L1: 230, L2: 231, L3: 229 };
const amps: Lines = { L1: 10, L2: 0, L3: 2 };

describe('a total that the meter does not give', () => {
  const offers: Offers = { activePower: THREE, energyImport: THREE };

  it.each(['activePower', 'energyImport'] as const)('of %s is the sum of its phases', (quantity) => {
    const figures = figuresOf({ [quantity]: { L1: 1, L2: 2, L3: 4 } }, offers);
    expect(figures[quantity]).toEqual({ L1: 1, L2: 2, L3: 4, sum: 7 });
  });

  it('stays absent while a phase is missing: a part is no total', () => {
    expect(figuresOf({ energyImport: { L1: 1, L3: 4 } }, offers).energyImport).toEqual({ L1: 1, L3: 4 });
  });

  it('is not made up for voltages and currents', () => {
    const figures = figuresOf({ voltage: volts, current: amps }, { voltage: THREE, current: THREE });
    expect([figures.voltage?.sum, figures.current?.sum]).toEqual([undefined, undefined]);
  });

  it('never replaces the one that the meter gives', () => {
    const values = { activePower: { sum: 5, L1: 1, L2: 1, L3: 1 } };
    expect(figuresOf(values, { activePower: ['sum', ...THREE] }).activePower?.sum).toBe(5);
  });
});

describe('active power of a meter that has none (interop 36)', () => {
  const offers: Offers = { voltage: THREE, current: THREE, powerFactor: ['sum'] };

  it('is V x A x power factor for each phase and in total', () => {
    const { activePower } = figuresOf({ voltage: volts, current: amps, powerFactor: { sum: 0.5 } }, offers);
    expect(activePower).toEqual({ L1: 1150, L2: 0, L3: 229, sum: 1379 });
  });

  it('takes the power factor of the phase before that of all, and not its sign', () => {
    const powerFactor = { sum: 1, L1: -0.5, L2: 1, L3: 1 };
    expect(figuresOf({ voltage: volts, current: amps, powerFactor }, offers).activePower?.L1).toBe(1150);
  });

  it('is absent without a power factor: V x A would be apparent power', () => {
    expect(
      figuresOf({ voltage: volts, current: amps }, { voltage: THREE, current: THREE }).activePower,
    ).toBeUndefined();
  });

  it('is absent when one phase was not read', () => {
    const values = { voltage: volts, current: { L1: 1, L2: 1 }, powerFactor: { sum: 1 } };
    expect(figuresOf(values, offers).activePower).toBeUndefined();
  });

  it('is never derived where the meter offers its own, not even for a reading that lacks it', () => {
    const values = { voltage: volts, current: amps, powerFactor: { sum: 1 } };
    expect(figuresOf(values, { ...offers, activePower: ['sum'] }).activePower).toBeUndefined();
  });
});

describe('export', () => {
  it.each([
    ['activePowerExport', 'activePower', 'energyExport'],
    ['reactivePowerExport', 'reactivePower', 'reactiveEnergyExport'],
  ] as const)('%s is the negative %s of a meter that counts %s', (figure, power, energy) => {
    const offers: Offers = { [power]: ['sum', 'L1'], [energy]: ['sum'] };
    const values = { [power]: { sum: -500, L1: 20 }, [energy]: { sum: 1 } };
    expect(figuresOf(values, offers)[figure]).toEqual({ sum: 500, L1: 0 });
    expect(figuresOf({ [power]: { sum: -500 } }, { [power]: ['sum'] })[figure]).toBeUndefined();
  });
});

describe('the offer', () => {
  it.each([
    [16, 3, 16, 11_040],
    [6.5, 1, 6.5, 1495],
    ['x1', 3, 0, 0],
    ['F', 1, 0, 0],
  ] as const)('%s on %i phases is %d A and %d W', (offer, phases, ampere, watt) => {
    const { offeredCurrent, offeredPower } = figuresOf({}, {}, { offer, phases, nominalV: 230 });
    expect([offeredCurrent, offeredPower]).toEqual([{ sum: ampere }, { sum: watt }]);
  });

  it('is absent at a main meter', () => {
    expect(figuresOf({}, {})).toEqual({});
  });
});

it('what is offered is what a complete reading holds', () => {
  const lines = fc.subarray(['sum', 'L1', 'L2', 'L3', 'N'] as const, { minLength: 1 });
  const quantities = ['voltage', 'current', 'activePower', 'powerFactor', 'energyImport', 'energyExport'] as const;
  const offers = fc.record(Object.fromEntries(quantities.map((name) => [name, lines])), { requiredKeys: [] });
  fc.assert(
    fc.property(offers, fc.double({ min: -1000, max: 1000, noNaN: true }), (offered: Offers, value) => {
      const values = Object.fromEntries(
        Object.entries(offered).map(([quantity, each]) => [
          quantity,
          Object.fromEntries(each.map((line) => [line, value])),
        ]),
      );
      const shape = (figures: object) =>
        Object.entries(figures).map(([figure, each]) => [figure, Object.keys(each as Lines).toSorted()]);
      expect(shape(figuresOf(values, offered)).toSorted()).toEqual(shape(figuresOfferedBy(offered, false)).toSorted());
    }),
  );
});
