/** From temperatures to current and faults, up and down again. */
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../hal/fault-book.ts';
import { DERATING_STEPS, STOP_C, type ThermalWatchOptions, thermalWatch } from '../../hal/thermal-watch.ts';
import { USUAL_HOTTEST_STEP_C, USUAL_STOP_C } from '../../src/config/board.ts';

const setUp = (options: Partial<ThermalWatchOptions> = {}) => {
  const book = new FaultBook();
  const told: string[] = [];
  book.onChange(({ fault, raised }) => told.push(`${raised ? '+' : '-'}${fault.code} ${fault.info ?? ''}`.trim()));
  const watch = thermalWatch({ connectorId: 1, book, ...options });
  const factors: number[] = [];
  watch.onChange(() => factors.push(watch.factor));
  const faults = () => book.current.map(({ code }) => code);
  const heated = (...temperatures: number[]) => {
    for (const celsius of temperatures) watch.measured(celsius);
    return [watch.factor, ...faults()];
  };
  return { book, told, watch, factors, faults, heated };
};

describe('a watched enclosure', () => {
  it.each<[string, number[], unknown[]]>([
    ['all of it while it is cool', [25], [1]],
    ['all of it just below the first step', [64.9], [1]],
    ['half at 65 C', [65], [0.5, 'derated']],
    ['a quarter at 68 C', [68], [0.25, 'derated']],
    ['half again at 65 C', [69, 65], [0.5, 'derated']],
    ['a quarter above that', [69, 65.1], [0.25, 'derated']],
    ['half above 62 C', [66, 62.1], [0.5, 'derated']],
    ['all of it again at 62 C', [66, 62], [1]],
    ['all of it after a jump from far above', [69, 20], [1]],
    ['half where it warms up into the hysteresis and over it', [66, 61, 63, 65], [0.5, 'derated']],
    ['nothing from 70 C', [70], [0.25, 'overTemperature']],
    ['nothing down to 60 C', [71, 60], [1, 'overTemperature']],
    ['all of it below', [71, 59.9], [1]],
  ])('leaves %s', (_what, temperatures, expected) => {
    expect(setUp().heated(...temperatures)).toEqual(expected);
  });

  it('warns once per step, with the temperature of then', () => {
    const { told, heated } = setUp();
    heated(65.6, 66, 67, 66, 68, 69, 60);
    expect(told).toEqual(['+derated Enclosure at 66 C', '+derated Enclosure at 68 C', '-derated Enclosure at 68 C']);
  });

  it('puts the over-temperature in the place of the warning, without a moment between them', () => {
    const { told, heated } = setUp({ steps: [{ fromC: 50, factor: 0.5 }], stopC: 60 });
    heated(55, 65, 49, 47);
    expect(told).toEqual([
      '+derated Enclosure at 55 C',
      '+overTemperature',
      '-derated Enclosure at 55 C',
      '+derated Enclosure at 49 C',
      '-overTemperature',
      '-derated Enclosure at 49 C',
    ]);
  });

  it('has tripped the connector before it returns and before anybody hears of the factor', () => {
    const { book, watch } = setUp();
    const story: string[] = [];
    book.attach(1, { trip: () => story.push('trip'), release: () => {} });
    watch.measured(25);
    watch.onChange(() => story.push('factor'));
    watch.measured(90);
    expect(story).toEqual(['trip', 'factor']);
  });

  it('tells of the factor only when it has changed', () => {
    const { factors, heated } = setUp();
    heated(25, 26, 65, 66, 68, 67, 71, 25);
    expect(factors).toEqual([1, 0.5, 0.25, 1]);
  });

  it('is as cautious before the first reading as without a thermometer, but warns of nothing', () => {
    const { watch, faults } = setUp();
    expect([watch.factor, watch.celsius, faults()]).toEqual([0.25, undefined, []]);
    watch.measured(30);
    expect([watch.factor, watch.celsius]).toEqual([1, 30]);
  });

  it('leaves what the hottest step leaves while the thermometer is silent, and says why', () => {
    const { book, watch, heated } = setUp();
    heated(25);
    watch.silent();
    expect([watch.factor, watch.celsius]).toEqual([0.25, undefined]);
    expect(book.current).toEqual([{ code: 'derated', connectorId: 1, info: 'Thermometer does not answer' }]);
    expect(heated(63)).toEqual([1]);
  });

  it('does not end an over-temperature because the thermometer went silent', () => {
    const { watch, faults, heated } = setUp();
    heated(80);
    watch.silent();
    expect(faults()).toEqual(['overTemperature', 'derated']);
    expect(heated(65)).toEqual([0.5, 'overTemperature']);
    expect(heated(59)).toEqual([1]);
  });

  it('begins where the configuration believes it does', () => {
    expect([DERATING_STEPS.at(-1)?.fromC, STOP_C]).toEqual([USUAL_HOTTEST_STEP_C, USUAL_STOP_C]);
  });
});
