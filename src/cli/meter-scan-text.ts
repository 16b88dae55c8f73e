/** What a scan has found, in 80 columns, and what to put into the configuration. */
import type { Fit } from '../../hal/modbus/recognise.ts';
import { doubtsOf, type SerialSettings } from '../../hal/modbus/register-map.ts';
import type { FoundDevice, ScanResult } from '../../hal/modbus/scan.ts';
import { settingsText } from '../../hal/modbus/scan-order.ts';
import { wrapped } from './format.ts';
import { doubtsText, lineText } from './meter-answer.ts';

/** Every device with what it is, what it shows, what is doubtful, and the lines for the configuration. */
export function scanText(port: string, { devices, garbled, aborted }: ScanResult): string {
  const ended = aborted ? 'The scan was ended before it was through.\n' : '';
  if (devices.length === 0) return `${ended}${aborted ? soFarText(port, garbled) : nothingText(port, garbled)}`;
  const [{ settings }] = devices as readonly [FoundDevice];
  const many = devices.length === 1 ? '1 device answers' : `${devices.length} devices answer`;
  const head = wrapped(`${port}: ${many} at ${settingsText(settings)}`, 0);
  return `${head}${ended}${devices.map((device) => `\n${deviceText(port, device)}`).join('')}`;
}

/** Who was not asked may yet be there. */
const soFarText = (port: string, garbled: readonly SerialSettings[]): string =>
  garbled.length === 0
    ? `${port}: nothing has answered so far.\n`
    : wrapped(`${port}: bytes came back at ${garbled.map(settingsText).join(', ')}, but no valid answer so far.`, 0);

function nothingText(port: string, garbled: readonly SerialSettings[]): string {
  if (garbled.length === 0) {
    return (
      `${port}: nothing answers.\n` +
      'Look at the power of the meter, A and B (some makers swap them), the third\n' +
      'wire, termination, and its menu: Modbus switched on? Then try other --units.\n'
    );
  }
  return (
    wrapped(`${port}: bytes came back at ${garbled.map(settingsText).join(', ')}, but no valid answer.`, 0) +
    'Two devices with the same unit, A and B swapped, or no termination.\n'
  );
}

function deviceText(port: string, device: FoundDevice): string {
  const { unit, fits, other } = device;
  const [best, ...more] = fits;
  if (best === undefined) {
    const what = other === undefined ? 'no known meter' : `${other}, for which there is no register map`;
    return `Unit ${unit}: ${what}.\n`;
  }
  const ambiguous =
    more.length === 0
      ? ''
      : wrapped(`${more.length === 1 ? 'Two' : 'Several'} maps fit; the label on the meter decides:`, 2) +
        fits.map((fit) => wrapped(`${fit.name} (${fit.map.model})`, 4)).join('');
  const doubts = doubtsText(doubtsOf(best.map));
  return `${wrapped(`Unit ${unit}: ${fitText(best)}`, 0)}${valuesLine(best)}${doubts}${ambiguous}\n${snippet(port, device, best)}`;
}

function fitText({ map, by, called, serialNumber }: Fit): string {
  const serial = serialNumber === undefined ? '' : `, serial number ${serialNumber}`;
  const proof = by === 'modelCode' ? `says so itself (${called})` : 'its values make sense, it tells no model';
  return `${map.model}${serial}; ${proof}`;
}

function valuesLine({ values }: Fit): string {
  const line = lineText(values);
  return line === '' ? '' : wrapped(line, 2);
}

/** For `connectors[]` of the configuration. */
function snippet(port: string, { settings, unit }: FoundDevice, { name }: Fit): string {
  const { baudRate, parity, stopBits } = settings;
  return [
    '  Put this into its connector in the configuration:',
    '    meter:',
    `      model: ${name}`,
    `      unit: ${unit}`,
    '      bus:',
    `        port: ${port}`,
    `        baudRate: ${baudRate}`,
    `        parity: ${parity}`,
    `        stopBits: ${stopBits}`,
    '',
  ].join('\n');
}

/** Who has had the time to answer before a scan was ended: not the one who was just being asked. */
export class Asked {
  readonly #units = new Map<string, number[]>();
  #last: readonly [settings: string, unit: number] | undefined;

  trying(settings: SerialSettings, unit: number): void {
    if (this.#last !== undefined) addTo(this.#units, ...this.#last);
    this.#last = [settingsText(settings), unit];
  }

  text(): string {
    const together = new Map<string, string[]>();
    for (const [settings, units] of this.#units) addTo(together, unitsText(units), settings);
    const parts = [...together].map(([units, settings]) => `units ${units} at ${settings.join(', ')}`);
    return wrapped(parts.length === 0 ? 'Nobody was asked yet.' : `Asked were ${parts.join('; ')}.`, 0);
  }
}

const addTo = <T>(lists: Map<string, T[]>, name: string, item: T): void => {
  lists.set(name, [...(lists.get(name) ?? []), item]);
};

/** `1-10, 33`. */
export function unitsText(units: readonly number[]): string {
  const sorted = [...units].sort((a, b) => a - b);
  const ranges: { from: number; to: number }[] = [];
  for (const unit of sorted) {
    const last = ranges.at(-1);
    if (last !== undefined && unit === last.to + 1) last.to = unit;
    else ranges.push({ from: unit, to: unit });
  }
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
}
