/** The bus against its wire. */
import { bundled, resultOf } from '../lib/agents.mjs';
import { atLeast, ms, notMeasured, percent } from '../lib/result.mjs';
import { startSlave } from '../lib/slave.mjs';

/** Request, answer, two silences of 3.5 characters (above 19200 baud 1.75 ms each), 10 bits a character. */
function wireMs(baudRate) {
  const character = 10_000 / baudRate;
  const gap = baudRate > 19_200 ? 1.75 : 3.5 * character;
  return (8 + 165) * character + 2 * gap;
}

const row = (baudRate, goal, count) => ({
  name: `Modbus, 80 registers at ${baudRate} baud`,
  goal: `>= ${goal} % of the wire`,
  against: 'request, answer and silences on the wire; pacing slave on a pty',
  realtime: true,
  run: async ({ samples }) => {
    const slave = await startSlave(baudRate);
    if (slave === undefined) return notMeasured('python3 is missing');
    const { eachMs, cpuMsEach } = await resultOf([
      bundled('modbus'),
      slave.path,
      String(baudRate),
      String(samples(count)),
    ]);
    slave.end();
    const share = (100 * wireMs(baudRate)) / eachMs;
    return {
      value: ms(eachMs),
      floor: ms(wireMs(baudRate)),
      ratio: percent(share, 1),
      checks: [atLeast('% of the wire', share, goal)],
      numbers: { eachMs, wireMs: wireMs(baudRate), cpuMsEach },
      note: `${cpuMsEach.toFixed(2)} ms CPU for each read`,
    };
  },
});

export const modbusRows = [row(9600, 99, 30), row(19_200, 98.5, 60), row(115_200, 96, 300)];
