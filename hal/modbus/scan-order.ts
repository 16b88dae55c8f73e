/** In which order a scan guesses the settings of a bus: what meters leave the factory with, then what people set. */
import type { SerialSettings } from './register-map.ts';

const settings = (baudRate: number, parity: SerialSettings['parity'], stopBits: 1 | 2 = 1): SerialSettings => ({
  baudRate,
  parity,
  stopBits,
});

/** The likeliest first. Every factory setting of `config/meters` is among them. */
export const GUESSES: readonly SerialSettings[] = [
  settings(9600, 'none'),
  settings(9600, 'even'),
  settings(19_200, 'even'),
  settings(19_200, 'none'),
  settings(2400, 'none'),
  settings(2400, 'even'),
  settings(115_200, 'none'),
  settings(115_200, 'even'),
  settings(38_400, 'none'),
  settings(38_400, 'even'),
  settings(4800, 'none'),
  settings(4800, 'even'),
  settings(1200, 'none'),
  settings(1200, 'even'),
  settings(57_600, 'none'),
  settings(57_600, 'even'),
  settings(9600, 'none', 2),
  settings(19_200, 'none', 2),
  settings(9600, 'odd'),
  settings(19_200, 'odd'),
];

/** `9600 8N1`. */
export const settingsText = ({ baudRate, parity, stopBits }: SerialSettings): string =>
  `${baudRate} 8${parity.charAt(0).toUpperCase()}${stopBits}`;
