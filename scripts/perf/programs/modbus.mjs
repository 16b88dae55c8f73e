/** Reads 80 registers as fast as the bus allows. Arguments: port, baud rate, how many times. Prints one JSON line on descriptor 3. */
import { writeSync } from 'node:fs';
import { modbusBus } from '../../../hal/modbus/bus.ts';
import { platformClock } from '../../../src/platform/clock.ts';

const [path, baudRate, count] = process.argv.slice(2);
const clock = platformClock('perf');
const log = { info() {}, warn() {} };
const bus = modbusBus({ path, baudRate: Number(baudRate), parity: 'none', stopBits: 1 }, { clock, log });
const manners = { silenceMs: 0, timeoutMs: 1000, attempts: 1 };

const read = async () => {
  const registers = await bus.readRegisters(4, 1, 0, 80, manners);
  if (registers.length !== 80 || registers[79] !== 79) throw new Error('a wrong answer');
};
await read();
const cpuBefore = process.cpuUsage();
const begun = clock.now();
for (let index = 0; index < Number(count); index++) await read();
const tookMs = clock.now() - begun;
const { user, system } = process.cpuUsage(cpuBefore);
writeSync(
  3,
  `${JSON.stringify({ eachMs: tookMs / Number(count), cpuMsEach: (user + system) / 1000 / Number(count) })}\n`,
);
await bus.close();
process.exit(0);
