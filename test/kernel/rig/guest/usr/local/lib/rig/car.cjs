/**
 * The world outside of the guest's pins: a contactor whose mirror contact follows its coil, and an EV that answers the pilot, seen by comparators
 * and by peak detectors. It sees what the kernel does to the lines by its tracepoints, and keeps all of it in /run/rig/log, with CLOCK_MONOTONIC
 * in seconds.
 * Usage: car.cjs A|B, where the EV is when it begins.
 */
const {
  appendFileSync,
  createReadStream,
  mkdirSync,
  readFileSync,
  readdirSync,
  unlinkSync,
  watch,
  writeFileSync,
} = require('node:fs');
const { createInterface } = require('node:readline');

const COIL = 17;
const MIRROR = 27;
const ABOVE = [22, 23, 24, 25];
const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] };
/** Peak detectors that make 3 V of 12 V, at an MCP3208 with 3.3 V: the positive half and, while there is PWM, the negative one of a diode. */
const POSITIVE_V = { A: 12, B: 9, C: 6 };
const NEGATIVE_V = 12;
const rawOf = (pilotV) => Math.round((pilotV / 4 / 3.3) * 4096);
const CONVERTER = '/sys/module/iio_mock/parameters/raw';
const PERIOD_NS = 1_000_000;
const CONTACTOR_MS = 15;
const S2_MS = 60;
const TRACING = '/sys/kernel/tracing';

const chip = `/sys/devices/platform/gpio-sim.0/${readdirSync('/sys/devices/platform/gpio-sim.0').find((name) => /^gpiochip\d+$/.test(name))}`;
const base = Number(/gpiochip(\d+)/.exec(readdirSync('/sys/class/gpio').find((name) => /^gpiochip\d+$/.test(name)))[1]);
const pull = (line, level) => writeFileSync(`${chip}/sim_gpio${line}/pull`, level === 1 ? 'pull-up' : 'pull-down');
const log = (text) => appendFileSync('/run/rig/log', `${text}\n`);
const now = () => (Number(process.hrtime.bigint()) / 1e9).toFixed(6);

let state = 'A';
let offered = false;
let coil = 0;
let s2;

const peaks = () => writeFileSync(CONVERTER, `${rawOf(POSITIVE_V[state])},${rawOf(offered ? NEGATIVE_V : 0)},0,0`);

function become(next) {
  state = next;
  peaks();
  ABOVE.forEach((line, index) => {
    pull(line, LEVELS[next][index]);
  });
  log(`${now()} car ${next}`);
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
    peaks();
    answer();
  } else if (event === 'net_dev_queue') {
    log(`${at} frame ${/len=(\d+)/.exec(rest)?.[1]}`);
  } else if (event === 'gpio_value') {
    // The kernel says so before it does it: the line itself may still be as it was.
    const level = Number(/set (\d)/.exec(rest)?.[1]);
    log(`${at} coil ${level}`);
    if (level === coil) return;
    coil = level;
    setTimeout(() => {
      pull(MIRROR, coil);
      log(`${now()} contacts ${coil}`);
    }, CONTACTOR_MS);
  }
}

mkdirSync('/run/rig', { recursive: true });
writeFileSync('/run/rig/log', '');
become(process.argv[2]);
for (const [line, to] of [
  [5, 1],
  [MIRROR, 0],
  [6, 0],
])
  pull(line, to);
writeFileSync(`${TRACING}/trace_clock`, 'mono');
for (const [event, filter] of [
  ['gpio/gpio_value', `gpio == ${base + COIL} && get == 0`],
  ['pwm/pwm_apply', '0'],
  // An acknowledgement alone carries nothing.
  ['net/net_dev_queue', 'len > 80'],
]) {
  writeFileSync(`${TRACING}/events/${event}/filter`, filter);
  writeFileSync(`${TRACING}/events/${event}/enable`, '1');
}
createInterface({ input: createReadStream(`${TRACING}/trace_pipe`) }).on('line', sees);

/** What the test says: `plug`, `unplug`, `pull LINE LEVEL` as files in /run/rig/do. */
mkdirSync('/run/rig/do', { recursive: true });
watch('/run/rig/do', () => {
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
      // There is one processor: who is woken by it may answer before the next line here is run.
      const at = now();
      pull(Number(rest[0]), Number(rest[1]));
      log(`${at} pull ${rest.join(' ')}`);
    }
  }
});
writeFileSync('/run/rig/ready', '');
