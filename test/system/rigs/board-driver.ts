/** A small agent for the GPIO rig: opens the board of its first argument with the real drivers, offers in B, permits in C, tells what it sees. */
import { createInterface } from 'node:readline';
import type { BoardDescription } from '../../../hal/board-description.ts';
import type { Surroundings } from '../../../hal/contract.ts';
import type { Fitting } from '../../../hal/fitting.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { RegisterMap } from '../../../hal/modbus/register-map.ts';
import { openBoard } from '../../../hal/open-board.ts';

const tell = (event: Record<string, unknown>) => process.stdout.write(`${JSON.stringify(event)}\n`);

const surroundings: Surroundings = {
  clock: {
    now: () => performance.now(),
    after(delayMs, action) {
      const timer = setTimeout(action, delayMs);
      return () => clearTimeout(timer);
    },
  },
  log: { info: () => {}, warn: (message, fields) => tell({ warn: message, ...fields }) },
};

// Never read: the bus opens its port at the first request.
const map: RegisterMap = {
  model: 'none',
  datasheet: 'none',
  verified: 'onPaper',
  serial: { baudRate: 9600, parity: 'none', stopBits: 1 },
  maxA: 32,
  read: {
    function: 'input',
    type: 'float32',
    wordOrder: 'highFirst',
    maxRegistersPerRead: 20,
    silenceMs: 100,
    timeoutMs: 500,
  },
  quantities: {},
};

const fitting: Fitting = {
  id: 1,
  cable: 'attached',
  maxA: 32,
  phases: 3,
  ventilated: false,
  meter: { map, bus: { port: '/dev/no-such-adapter' }, unit: 1 },
};

async function main(): Promise<void> {
  const board = await openBoard(JSON.parse(process.argv[2] ?? '') as BoardDescription, [fitting], surroundings);
  const [connector] = board.connectors;
  if (connector === undefined) throw new Error('no connector');
  const { evse } = connector;
  let before = evse.state.pilot;
  evse.onState((state) => {
    tell({ state });
    if (state.pilot === before) return;
    before = state.pilot;
    if (state.pilot === 'B') evse.offer(16);
    if (state.pilot === 'C') evse.permit(true);
  });
  board.onFault((change) => tell({ fault: change.fault.code, raised: change.raised }));
  board.onMains((mains) => tell({ mains }));
  const commands = createInterface({ input: process.stdin });
  commands.on('line', (command) => {
    if (command === 'offer') evse.offer(16);
    if (command === 'permit') evse.permit(true);
    if (command === 'reset') board.resetFaults(0);
    if (command === 'close') {
      commands.close();
      process.stdin.unref();
      void board.close().then(() => tell({ closed: true }));
    }
  });
  tell({ ready: true });
}

main().catch((error: unknown) => {
  tell({ error: error instanceof HalError ? error.code : 'other', message: String(error) });
  process.stdin.unref();
});
