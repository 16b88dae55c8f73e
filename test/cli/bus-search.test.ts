/** The bus scan of the doctor in virtual time: what it finds, what it says of it, and that it ends. */
import { describe, expect, it } from 'vitest';
import type { SerialBus } from '../../hal/modbus/byte-port.ts';
import { settingsText } from '../../hal/modbus/scan-order.ts';
import { foundText, SEARCH_WITHIN_MS, searchedBus } from '../../src/cli/bus-search.ts';
import { FakeLine, politeAnswer, surroundings, VirtualTime } from '../hal/modbus/bench.ts';
import { meterFile } from '../hal/modbus/maps.ts';

const CONFIGURED = { port: '/dev/rs485', unit: 5, settings: { baudRate: 9600, parity: 'none', stopBits: 1 } } as const;
const MODELS = [{ name: 'eastron-sdm630', map: meterFile('eastron-sdm630') }];

/** An SDM630 by its model code. */
const word = (_unit: number, address: number): number => (address === 0xfc02 ? 0x70 : 0);

function search(settings: string, unit: number) {
  const time = new VirtualTime();
  const ending = new AbortController();
  const openPort = (serial: SerialBus) =>
    new FakeLine(time, (request) =>
      settingsText(serial) === settings && request[0] === unit
        ? [{ afterMs: 60, bytes: politeAnswer(request, word) }]
        : [],
    ).open;
  const result = searchedBus(CONFIGURED, { models: MODELS, signal: ending.signal, openPort }, surroundings(time));
  return { time, ending, found: async () => foundText(await time.until(result)) };
}

describe('the search for a meter that does not answer', () => {
  it.each([
    ['at another baud rate and parity', '19200 8E1', 5],
    ['as another unit', '9600 8N1', 1],
    ['as another unit at a likely other rate', '9600 8E1', 1],
  ])('finds it %s', async (_what, settings, unit) => {
    const { found, time } = search(settings, unit);
    const there = await found();
    expect(there?.found).toMatch(new RegExp(`^at ${settings} there is unit ${unit} \\(.*SDM630.*\\)$`));
    expect(there?.next).toContain(`unit: ${unit}; in bus: baudRate: ${settings.split(' ')[0]}, parity: `);
    expect(time.now()).toBeLessThan(SEARCH_WITHIN_MS + 2000);
  });

  it('gives up in time on a bus where nobody is', async () => {
    const { found, time } = search('never', 1);
    expect(await found()).toBeUndefined();
    expect(time.now()).toBeGreaterThan(SEARCH_WITHIN_MS - 1000);
    expect(time.now()).toBeLessThan(SEARCH_WITHIN_MS + 1000);
  });

  it('ends at Ctrl-C', async () => {
    const { found, time, ending } = search('never', 1);
    time.after(1000, () => ending.abort());
    expect(await found()).toBeUndefined();
    expect(time.now()).toBeLessThan(2000);
  });
});
