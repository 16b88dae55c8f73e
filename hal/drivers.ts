/** The table of drivers: one import each, and only when a board wants it. */
import type { ConverterEvseDescription, PwmDescription } from './board-description.ts';
import type { Surroundings } from './contract.ts';
import type { LineBackend } from './gpio/line.ts';
import type { LinesOptions } from './gpio/open-lines.ts';
import type { ConverterSense } from './gpio/pilot-sense.ts';
import type { Pwm, PwmOptions } from './gpio/pwm.ts';
import type { ModbusBus } from './modbus/bus.ts';
import type { SerialBus } from './modbus/byte-port.ts';
import type { MeterDriver, MeterPlace } from './modbus/modbus-meter.ts';
import type { RegisterMap } from './modbus/register-map.ts';
import type { ReadText } from './thermometer.ts';

/** The drivers, each loaded when a board wants it. Tests bring their own. */
export interface Drivers {
  lines(options: LinesOptions): Promise<LineBackend>;
  pwm(description: PwmDescription, options: PwmOptions): Promise<Pwm>;
  /** What sees the pilot where that is a converter. */
  converter(description: ConverterEvseDescription, options: PwmOptions): Promise<ConverterSense>;
  bus(serial: SerialBus, surroundings: Surroundings): Promise<ModbusBus>;
  meter(bus: ModbusBus, map: RegisterMap, place: MeterPlace, surroundings: Surroundings): Promise<MeterDriver>;
  /** A file of the kernel. */
  readText: ReadText;
}

export const DRIVERS: Drivers = {
  lines: async (options) => (await import('./gpio/open-lines.ts')).openLines(options),
  pwm: async (description, options) => (await import('./gpio/pwm.ts')).openPwm(description, options),
  converter: async (description, options) => {
    if (description.driver === 'peakHoldPilot')
      return (await import('./gpio/iio-sense.ts')).openIioSense(description, options);
    const [{ openMcpSense }, { loadLibc }] = await Promise.all([
      import('./gpio/mcp-sense.ts'),
      import('./linux/libc.ts'),
    ]);
    return openMcpSense(description, await loadLibc(), options.clock);
  },
  bus: async (serial, surroundings) => (await import('./modbus/bus.ts')).modbusBus(serial, surroundings),
  meter: async (bus, map, place, surroundings) =>
    (await import('./modbus/modbus-meter.ts')).modbusMeter(bus, map, place, surroundings),
  readText: async (file) => (await import('./thermometer.ts')).readTextFile(file),
};
