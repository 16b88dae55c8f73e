/**
 * The world outside of the guest's pins: a contactor whose mirror contact follows its coil, and an EV that answers the pilot. It sees what
 * the kernel does to the lines by its tracepoints, and keeps all of it in /run/rig/log, with CLOCK_MONOTONIC in seconds.
 */
const {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  unlinkSync,
  writeFileSync,
} = require('node:fs');
const { createInterface } = require('node:readline');

const COIL = 17;
const MIRROR = 27;
const ABOVE = [22, 23, 24, 25];
const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] };
const PERIOD_NS = 1_000_000;
const CONTACTOR_MS = 15;
const S2_MS = 60;
const TRACING = '/sys/kernel/tracing';

const chip = `/sys/devices/platform/gpio-sim.0/${readdirSync('/sys/devices/platform/gpio-sim.0').find((name) => /^gpiochip\d+$/.test(name))}`;
const base = Number(/gpiochip(\d+)/.exec(readdirSync('/sys/class/gpio').find((name) => /^gpiochip\d+$/.test(name)))[1]);
const pull = (line, level) => writeFileSync(`${chip}/sim_gpio${line}/pull`, level === 1 ? 'pull-up' : 'pull-down');
const level = (line) => Number(readFileSync(`${chip}/sim_gpio${line}/value`, 'utf8'));
const log = (text) => appendFileSync('/run/rig/log', `${text}\n`);

let state = 'A';
let offered = false;
let coil = 0;
let s2;

function become(next) {
  state = next;
  ABOVE.forEach((line, index) => {
    pull(line, LEVELS[next][index]);
  });
  log(`${(Number(process.hrtime.bigint()) / 1e9).toFixed(6)} car ${next}`);
}

function answer() {
  clearTimeout(s2);
  if (state === 'A') return;
  const wanted = offered ? 'C' : 'B';
  if (wanted !== state) s2 = setTimeout(become, S2_MS, wanted);
}

function sees(line) {
  const [, at, event, rest] = /\s(\d+\.\d+): (\w+): (.*)$/.exec(line) ?? [];
  if (event === 'pwm_apply') {
    const duty = Number(/duty_cycle=(\d+)/.exec(rest)?.[1]);
    log(`${at} duty ${duty}`);
    const offers = duty < PERIOD_NS && duty > 0;
    if (offers === offered) return;
    offered = offers;
    answer();
  } else if (event === 'net_dev_queue') {
    const length = Number(/len=(\d+)/.exec(rest)?.[1]);
    // An acknowledgement alone carries nothing.
    if (length > 80) log(`${at} frame ${length}`);
  } else if (Number(rest?.split(' ')[0]) === base + COIL) {
    const now = level(COIL);
    log(`${at} coil ${event === 'gpio_value' ? Number(/set (\d)/.exec(rest)?.[1]) : now}`);
    if (now === coil) return;
    coil = now;
    setTimeout(() => {
      pull(MIRROR, level(COIL));
      log(`${(Number(process.hrtime.bigint()) / 1e9).toFixed(6)} contacts ${level(COIL)}`);
    }, CONTACTOR_MS);
  }
}

mkdirSync('/run/rig', { recursive: true });
writeFileSync('/run/rig/log', '');
become('A');
for (const [line, to] of [
  [5, 1],
  [MIRROR, 0],
  [6, 0],
])
  pull(line, to);
writeFileSync(`${TRACING}/trace_clock`, 'mono');
for (const event of ['gpio/gpio_value', 'gpio/gpio_direction', 'pwm/pwm_apply', 'net/net_dev_queue'])
  writeFileSync(`${TRACING}/events/${event}/enable`, '1');
createInterface({ input: createReadStream(`${TRACING}/trace_pipe`) }).on('line', sees);

/** What the test says: `plug`, `unplug`, `pull LINE LEVEL` as files in /run/rig/do. */
mkdirSync('/run/rig/do', { recursive: true });
setInterval(() => {
  for (const name of readdirSync('/run/rig/do').sort()) {
    const [what, ...rest] = readFileSync(`/run/rig/do/${name}`, 'utf8').trim().split(' ');
    unlinkSync(`/run/rig/do/${name}`);
    if (what === 'plug') {
      become('B');
      answer();
    } else if (what === 'unplug') {
      clearTimeout(s2);
      become('A');
    } else if (what === 'pull') {
      pull(Number(rest[0]), Number(rest[1]));
      log(`${(Number(process.hrtime.bigint()) / 1e9).toFixed(6)} pull ${rest.join(' ')}`);
    }
  }
}, 20);
if (!existsSync(chip)) process.exit(1);
