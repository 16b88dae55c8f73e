/**
 * How soon after its start the program drives an output that the last process left on: runs in a mount namespace of its own, where /sys
 * and /run are a stage. The line's `direction` is a FIFO, so that the write is seen when it happens. Arguments: launcher, configuration,
 * how often. Prints one JSON line on descriptor 3.
 */
const { spawn, spawnSync } = require('node:child_process');
const { constants, mkdirSync, openSync, readSync, writeFileSync, writeSync } = require('node:fs');

const [launcher, configuration, count] = process.argv.slice(2);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const env = { PATH: process.env.PATH, HOME: '/tmp' };

const PIN = '/sys/class/gpio/gpio529';
mkdirSync('/sys/class/gpio/gpiochip512', { recursive: true });
writeFileSync('/sys/class/gpio/gpiochip512/label', 'pinctrl-bcm2711\n');
writeFileSync('/sys/class/gpio/gpiochip512/base', '512\n');
mkdirSync(PIN);
writeFileSync(`${PIN}/value`, '0\n');
spawnSync('mkfifo', [`${PIN}/direction`]);
mkdirSync('/run/chargepoint');
writeFileSync('/run/chargepoint/safe-outputs', 'gpio pinctrl-bcm2711 17 0 0\n');

/** Held open for both ends, so that neither blocks. */
const fifo = openSync(`${PIN}/direction`, constants.O_RDWR | constants.O_NONBLOCK);
const buffer = Buffer.alloc(64);

function driven() {
  try {
    return readSync(fifo, buffer) > 0;
  } catch (error) {
    if (error.code === 'EAGAIN') return false;
    throw error;
  }
}

async function untilDriven() {
  const begun = nowMs();
  const child = spawn(process.execPath, [launcher, 'run', '--config', configuration], { env, stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  while (!driven()) {
    if (nowMs() - begun > 5000) throw new Error('the output was not driven');
    await new Promise((resolve) => setTimeout(resolve, 0.2));
  }
  const took = nowMs() - begun;
  child.kill('SIGKILL');
  await exited;
  while (driven());
  return took;
}

async function untilExit() {
  const begun = nowMs();
  const child = spawn(process.execPath, ['-e', '0'], { env, stdio: 'ignore' });
  await new Promise((resolve) => child.once('exit', resolve));
  return nowMs() - begun;
}

async function main() {
  const ours = [];
  const floor = [];
  for (let round = 0; round < Number(count); round++) {
    floor.push(await untilExit());
    ours.push(await untilDriven());
  }
  writeSync(3, `${JSON.stringify({ ours: ours.slice(1), floor: floor.slice(1) })}\n`);
  process.exit(0);
}
main();
