/**
 * The whole agent with the real store, log, clock and sockets on the mock board, for what has to be measured at its pins: bytes on stdin
 * move the hardware's inputs, and the moment at which a contactor is commanded goes out on descriptor 3. Argument: settings as JSON.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createMockBoard } from '../../../hal/mock/mock-board.ts';
import { MockContactor } from '../../../hal/mock/mock-contactor.ts';
import { startAgent } from '../../../src/agent.ts';
import { DEFAULT_OPTIONS } from '../../../src/config/options.ts';
import { FileArchives } from '../../../src/platform/archives.ts';
import { platformClock } from '../../../src/platform/clock.ts';
import { firmwareFile } from '../../../src/platform/firmware-files.ts';
import { installerFor } from '../../../src/platform/installers.ts';
import { FileKeyStore } from '../../../src/platform/key-store.ts';
import { lineWriter } from '../../../src/platform/line-writer.ts';
import { platformLog } from '../../../src/platform/log.ts';
import { nodeRandom } from '../../../src/platform/random.ts';
import { FileRecordings } from '../../../src/platform/recordings.ts';
import { openStore } from '../../../src/platform/store.ts';
import { nodeTransfers } from '../../../src/platform/transfers.ts';
import { WebSockets } from '../../../src/platform/web-sockets.ts';
import { nodeCertificates } from '../../../src/platform/x509.ts';

const STDOUT = 1;
const MOMENTS = 3;
const { identity, url, stateDir, keys = {} } = JSON.parse(process.argv[2]);
const tell = (name) => writeSync(MOMENTS, `${name} ${process.hrtime.bigint()}\n`);

/** The moment of the command itself: before the mirror contact and everybody who listens to it. */
for (const [command, state] of [
  ['open', 'open'],
  ['close', 'closed'],
]) {
  const original = MockContactor.prototype[command];
  MockContactor.prototype[command] = function () {
    if (this.history.at(-1) !== state && this.history.length > 0) tell(state);
    original.call(this);
  };
}

const clock = platformClock(nodeRandom.uuid());
const wall = () => clock.wall(clock.now());
const log = platformLog({ level: 'info', style: 'journal', wall, write: lineWriter(STDOUT).write });
const connectors = [{ id: 1, cable: 'attached', maxA: 32, phases: 3, ventilated: false }];
// What is measured is measured often.
const quick = { pauseMs: 0, pauseAfterErrorMs: 0 };
const board = createMockBoard({ connectors: connectors.map((connector) => ({ ...connector, ...quick })), clock, log });

const { store } = await openStore(join(stateDir, 'store'), log);
const agent = await startAgent({
  config: {
    file: '/perf/chargepoint.yaml',
    chargePoint: { identity, vendor: 'Acme', model: 'Pi' },
    centralSystem: { url, securityProfile: 0, certificateAuthorities: [], verifyHostname: true },
    board: 'mock',
    connectors,
    keys: { AuthorizeRemoteTxRequests: 'false', ...keys },
    options: DEFAULT_OPTIONS,
    installation: { nominalV: 230, phases: 3, safeA: 6, randomDelayS: 0, phaseSwitchEveryS: 60 },
    stateDir,
    log: { level: 'info' },
    control: {},
    faultGraceS: 300,
    acknowledgeLabUse: false,
  },
  ports: {
    clock,
    store,
    random: nodeRandom,
    log,
    sockets: new WebSockets(),
    system: { exit: () => process.exit(0) },
    certificates: nodeCertificates,
    keyStore: new FileKeyStore(join(stateDir, 'keys'), log),
    transfers: nodeTransfers,
    installer: installerFor(undefined, { installation: stateDir, log }),
    firmwareFile: firmwareFile(join(stateDir, 'firmware')),
    archives: new FileArchives({
      directory: join(stateDir, 'uploads'),
      logFiles: () => Promise.resolve([]),
      version: 'perf',
      log,
    }),
    recordings: new FileRecordings(join(stateDir, 'recordings')),
  },
  board,
});

const { inputs } = board;
const PLUGGED = { plugged: true, mode: 'C' };
const ON_BYTE = {
  P: () => inputs.patchConnector(1, { ev: PLUGGED }),
  U: () => inputs.patchConnector(1, { ev: { plugged: false } }),
  // A trip, and what undoes it.
  T: () => inputs.setFault(1, 'overCurrent', {}),
  R: () => inputs.setFault(1, 'overCurrent', null),
  // Loss of the pilot, and what undoes it.
  E: () => inputs.patchConnector(1, { ev: { mode: 'E' } }),
  C: () => inputs.patchConnector(1, { ev: PLUGGED }),
};
process.stdin.on('data', (bytes) => {
  for (const byte of bytes.toString('latin1')) ON_BYTE[byte]?.();
});

/** Rewrites the same 4 MB, which do not compress, again and again: LevelDB then has to compact. Few and large, so that we do little ourselves. */
let churning = false;
async function churn() {
  const filler = randomBytes(6000).toString('base64');
  for (let round = 0; churning; round++) {
    const operations = Array.from({ length: 8 }, (_, index) => ({
      type: 'put',
      key: `perf/churn/${(round * 8 + index * 61) % 512}`,
      value: filler + round,
    }));
    await store.batch(operations, 'relaxed');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Sampled values of a transaction that the central system knows as 1. */
const METHODS = {
  queue: (count) =>
    agent.outbox.adopt({
      facts: Array.from({ length: count }, (_, index) => ({
        action: 'MeterValues',
        transaction: 'perf',
        content: {
          connectorId: 1,
          values: [{ value: String(index), measurand: 'Energy.Active.Import.Register', unit: 'Wh' }],
          stamp: { bootId: clock.bootId, at: clock.now(), wall: wall(), trusted: true },
        },
      })),
      deadLetters: [],
      bindings: [['perf', 1]],
    }),
  waiting: () => agent.outbox.size,
  churn: (on) => {
    if (on && !churning) {
      churning = true;
      void churn();
    } else churning = on;
  },
  stop: () =>
    agent
      .stop('Other')
      .then(() => store.close())
      .then(() => process.exit(0)),
};
process.on('message', async ({ id, method, parameters }) => {
  try {
    process.send({ id, result: (await METHODS[method](...parameters)) ?? null });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
tell('ready');
