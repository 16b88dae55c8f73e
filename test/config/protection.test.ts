/** `protection` in the configuration file: what is watched, and what the country says about it. */
import { describe, expect, it } from 'vitest';
import { COUNTRIES } from '../../src/config/protection.ts';
import { bench, lab, load } from './support.ts';

const onBench = (protection?: unknown, more: object = {}) =>
  load({ ...bench, ...more, ...(protection === undefined ? {} : { protection }) });
const onBoard = (protection?: unknown, more: object = {}) =>
  load({ ...lab, ...more, ...(protection === undefined ? {} : { protection }) });
const OVER_CURRENT = { factor: 1.1, marginA: 0.5, forS: 7 };

describe('protection', () => {
  it('watches for over-current on a real board, and for nothing on a bench, where nothing is written', () => {
    expect(onBoard().config?.protection).toEqual({ overCurrent: OVER_CURRENT });
    expect(onBench().config).not.toHaveProperty('protection');
    expect(onBench({}).config?.protection).toEqual({ overCurrent: OVER_CURRENT });
  });

  it('is taken as it stands there', () => {
    const protection = {
      overCurrent: { factor: 1.2, marginA: 1, forS: 10 },
      voltage: { leastV: 200, mostV: 250, forS: 2, reconnectLeastV: 210, reconnectMostV: 240, reconnectAfterS: 30 },
      rcdTest: 'day',
      rcdReclosesOnUnplug: true,
      meterSilent: 'warn',
      contactorLife: { operations: 100_000, underLoad: 1000 },
    };
    const { config, errors, warnings } = onBench(protection);
    expect([errors, warnings]).toEqual([[], []]);
    expect(config?.protection).toEqual(protection);
    expect(onBoard(protection).config?.protection).toEqual(protection);
  });

  it('can be without either', () => {
    expect(onBoard({ overCurrent: false, voltage: false, country: 'GB' }).config?.protection).toEqual({});
  });

  it('has a window of 207 to 253 V where only its existence is written, and 2 V of hysteresis', () => {
    const usual = { leastV: 207, mostV: 253, forS: 5, reconnectLeastV: 209, reconnectMostV: 251, reconnectAfterS: 60 };
    expect(onBoard({ voltage: {} }).config?.protection?.voltage).toEqual(usual);
    expect(onBoard({ voltage: { leastV: 195 } }).config?.protection?.voltage).toEqual({
      ...usual,
      leastV: 195,
      reconnectLeastV: 197,
    });
  });

  it.each([
    { leastV: 253, mostV: 207 },
    { leastV: 207, reconnectLeastV: 206 },
    { mostV: 253, reconnectMostV: 254 },
    { reconnectLeastV: 240, reconnectMostV: 240 },
  ])('refuses the window %j', (voltage) => {
    const { config, errors } = onBoard({ voltage });
    expect(config).toBeUndefined();
    expect(errors.join()).toContain('protection.voltage: is ');
  });

  it('refuses an over-current that gives the EV less than its time', () => {
    expect(onBoard({ overCurrent: { forS: 5 } }).errors.join()).toContain('expected a number from 6 to 60 s');
  });
});

describe('a meter that cannot see it', () => {
  const meter = { model: 'eastron-sdm72d-m', bus: { port: '/dev/ttyUSB0' }, unit: 1 };
  const connectors = [{ id: 1, cable: 'attached', meter }];

  it('is warned of, with its place', () => {
    const { config, warnings } = onBoard({ voltage: {} }, { connectors });
    expect(config).toBeDefined();
    const text = warnings.join('\n');
    expect(text).toMatch(/connectors\[0\]\.meter\.model: measures no current: that of connector 1 is not watched/);
    expect(text).toMatch(/connectors\[0\]\.meter\.model: measures no voltage/);
  });

  it('is good enough where nothing is watched', () => {
    expect(onBoard({ overCurrent: false }, { connectors }).warnings.join()).not.toContain('measures no');
  });
});

describe('the rules of a country', () => {
  it('are defaults: what is written wins', () => {
    const austria = onBoard({ country: 'AT' }).config;
    expect(austria?.protection?.voltage).toEqual(COUNTRIES.AT.voltage);
    expect(austria?.installation).toMatchObject({ rampAPerMinute: 1, randomDelayS: 0 });
    const britain = onBoard(
      { country: 'GB', voltage: { leastV: 210 } },
      { installation: { randomDelayS: 1800 } },
    ).config;
    expect(britain?.protection?.voltage).toEqual({ ...COUNTRIES.GB.voltage, leastV: 210, reconnectLeastV: 212 });
    expect(britain?.installation).toMatchObject({ randomDelayS: 1800 });
    expect(onBoard({ country: 'GB' }).config?.installation.randomDelayS).toBe(600);
  });

  it.each(['CH', 'DK', 'FR', 'GB'])('forbid in %s that an RCD is forgotten when the EV leaves', (country) => {
    const { config, errors } = onBoard({ country, rcdReclosesOnUnplug: true });
    expect(config).toBeUndefined();
    expect(errors.join()).toContain(`protection.rcdReclosesOnUnplug: is true, but in ${country}`);
  });

  it.each(['AT', 'DE'])('allow it in %s', (country) => {
    expect(onBoard({ country, rcdReclosesOnUnplug: true }).config?.protection?.rcdReclosesOnUnplug).toBe(true);
  });
});
