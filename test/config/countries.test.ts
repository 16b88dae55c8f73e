/** The figures of each country, as the rules write them and not as our own table does: facts/evse.md 2.1, and what others publish of VDE-AR-N 4100. */
import { describe, expect, it } from 'vitest';
import { bench, lab, load } from './support.ts';

const onBoard = (protection: unknown, more: object = {}) => load({ ...lab, ...more, protection });

interface Figures {
  readonly voltage?: object;
  readonly randomDelayS: number;
  readonly rampAPerMinute?: number;
  readonly asymmetryA?: number;
  /** An RCD may be forgotten when the EV leaves. */
  readonly recloses: boolean;
}

const FIGURES: readonly (readonly [country: string, figures: Figures])[] = [
  [
    'AT',
    {
      // OVE R 37: below 0.8 of 230 V for 3 s; back at 0.9 to 1.09 of it and 49.9 to 50.1 Hz for 60 s, then 1 A in a minute.
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
      randomDelayS: 0,
      rampAPerMinute: 1,
      asymmetryA: 16,
      recloses: true,
    },
  ],
  ['CH', { randomDelayS: 0, recloses: false }],
  // 4.6 kVA at 230 V.
  ['DE', { randomDelayS: 0, asymmetryA: 20, recloses: true }],
  ['DK', { randomDelayS: 0, recloses: false }],
  ['FR', { randomDelayS: 0, recloses: false }],
  [
    'GB',
    {
      // BS 7671 722.411.4.1 (iv): 207 to 253 V, within 5 s. Smart Charge Points Regulations 2021: 600 s.
      voltage: { leastV: 207, mostV: 253, forS: 5, reconnectLeastV: 209, reconnectMostV: 251, reconnectAfterS: 60 },
      randomDelayS: 600,
      recloses: false,
    },
  ],
];

describe('the rules of a country', () => {
  it.each(FIGURES)('of %s are what stands in the standards', (country, { recloses, ...expected }) => {
    const { config, errors } = onBoard({ country });
    expect(errors).toEqual([]);
    const { randomDelayS, rampAPerMinute, asymmetryA } = config?.installation ?? {};
    const { voltage } = config?.protection ?? {};
    expect({ voltage, randomDelayS, rampAPerMinute, asymmetryA }).toEqual({
      voltage: undefined,
      rampAPerMinute: undefined,
      asymmetryA: undefined,
      ...expected,
    });
    const reclosing = onBoard({ country, rcdReclosesOnUnplug: true });
    expect(reclosing.config !== undefined).toBe(recloses);
  });

  it('are none where no country is named', () => {
    const { config } = onBoard({});
    expect(config?.protection).not.toHaveProperty('voltage');
    expect(config?.installation).not.toHaveProperty('asymmetryA');
    expect(config?.installation.randomDelayS).toBe(0);
  });

  it('give way to what is written', () => {
    const voltage = { reconnectLeastHz: 49.8, reconnectMostHz: 50.2 };
    const { config, errors } = onBoard({ country: 'AT', voltage }, { installation: { asymmetryA: 10 } });
    expect(errors).toEqual([]);
    expect(config?.protection?.voltage).toMatchObject({ leastV: 184, reconnectMostV: 250.7, ...voltage });
    expect(config?.installation.asymmetryA).toBe(10);
    expect(onBoard({ country: 'AT', voltage: false }).config?.protection).not.toHaveProperty('voltage');
  });
});

describe('the window of the frequency', () => {
  it.each([
    [{ reconnectLeastHz: 50.1, reconnectMostHz: 49.9 }, 'is 50.1 Hz, expected less than reconnectMostHz, 49.9 Hz'],
    [{ reconnectLeastHz: 50.2 }, 'is 50.2 Hz, expected less than reconnectMostHz, 50.1 Hz'],
    [{ reconnectLeastHz: 39 }, 'is 39, expected a number from 40 to 70 Hz'],
    [{ reconnectMostHz: 71 }, 'is 71, expected a number from 40 to 70 Hz'],
  ])('refuses %j', (voltage, expected) => {
    const { config, errors } = onBoard({ country: 'AT', voltage });
    expect(config).toBeUndefined();
    expect(errors.join()).toContain(expected);
  });

  it('may have one side only', () => {
    expect(onBoard({ voltage: { reconnectLeastHz: 49.5 } }).errors).toEqual([]);
  });
});

describe('what the phases may differ by', () => {
  it.each([5.9, 81])('is not %d A', (asymmetryA) => {
    const { errors } = load({ ...bench, installation: { asymmetryA } });
    expect(errors.join()).toContain(`installation.asymmetryA: is ${asymmetryA}, expected a number from 6 to 80 A`);
  });
});

describe('a meter that cannot see it', () => {
  const meterOf = (model: string, more: object = {}) => ({
    connectors: [{ id: 1, cable: 'attached', meter: { model, bus: { port: '/dev/ttyUSB0' }, unit: 1 }, ...more }],
  });
  const warningsOf = (protection: object, more: object) => onBoard(protection, more).warnings.join('\n');

  it('is warned of where it gives no frequency', () => {
    const place = 'connectors[0].meter.model: measures no frequency: that of connector 1 is not watched';
    expect(warningsOf({ country: 'AT' }, meterOf('siemens-pac2200'))).toContain(place);
    expect(warningsOf({ country: 'AT' }, meterOf('eastron-sdm630'))).not.toContain('measures no');
    expect(warningsOf({ country: 'GB' }, meterOf('siemens-pac2200'))).not.toContain('measures no');
  });

  it('is warned of where it does not give the current of each phase, with what to write instead', () => {
    const warnings = warningsOf({ country: 'AT' }, meterOf('eastron-sdm72d-m'));
    expect(warnings).toContain(
      'does not measure the current of each phase: an EV that takes one phase of connector 1 is not held to 16 A\n    connectors[0].maxA: 16',
    );
  });

  it.each([
    ['that carries no more', 'AT', { maxA: 16 }],
    ['that has one phase', 'AT', { phases: 1 }],
    ['in a country that says nothing of it', 'FR', {}],
  ])('is good enough for a connector %s', (_what, country, more) => {
    expect(warningsOf({ country }, meterOf('eastron-sdm72d-m', more))).not.toContain('each phase');
  });
});
