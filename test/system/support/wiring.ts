/** How the board of the system tests is wired: its file, and the world's side of each line. */
import type { Happened } from '../rigs/fake-sysfs.ts';
import { numberOf } from '../rigs/fake-sysfs.ts';

const COIL = 17;
export const MIRROR = 27;
const NEGATIVE = 5;
export const RCD = 6;
/** Comparators at 10.5, 7.5, 4.5 and 1.5 V. */
const ABOVE = [22, 23, 24, 25] as const;
const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] } as const;
export type CarState = keyof typeof LEVELS;

const PWM = '/pwm/pwmchip0/pwm0/';
const PERIOD_NS = '1000000';

export const BOARD_YAML = `
name: system test board
gpio: { backend: onoff, chip: pinctrl-fake }
connectors:
  - id: 1
    maxA: 32
    phases: 3
    evse:
      driver: comparatorPilot
      pwm: { device: "*.pwm", channel: 0 }
      comparators:
        above10V5: { line: ${ABOVE[0]} }
        above7V5: { line: ${ABOVE[1]} }
        above4V5: { line: ${ABOVE[2]} }
        above1V5: { line: ${ABOVE[3]} }
        belowMinus10V5: { line: ${NEGATIVE} }
      contactor:
        coil: { line: ${COIL} }
        mirror: { line: ${MIRROR} }
        releaseMs: 30
        # What is measured is measured often.
        pauseMs: 0
        pauseAfterErrorMs: 0
inputs:
  - { line: ${RCD}, fault: groundFault, connector: 1, info: RCD tripped }
`;

export const carPulls = (state: CarState): string[] =>
  ABOVE.map((line, index) => `pull ${line} ${LEVELS[state][index]}`);

export const POWER_UP = [...carPulls('A'), `pull ${NEGATIVE} 1`, `pull ${MIRROR} 0`, `pull ${RCD} 0`];

/** What the coil was told, if this was about the coil. */
export function coilOf({ what, value }: Happened): 'on' | 'off' | undefined {
  if (what === `/gpio/gpio${numberOf(COIL)}/value`) return value === '1' ? 'on' : 'off';
  if (what === `/gpio/gpio${numberOf(COIL)}/direction`) return value === 'high' ? 'on' : 'off';
  return undefined;
}

/** What the pilot was told, if this was about its duty cycle. */
export function pilotOf({ what, value }: Happened): 'x1' | 'x2' | undefined {
  if (what !== `${PWM}duty_cycle`) return undefined;
  return value === PERIOD_NS ? 'x1' : 'x2';
}

/** Whether this moved an output, or may have. */
export const drives = ({ what }: Happened): boolean =>
  /^\/gpio\/gpio\d+\/(value|direction)$/.test(what) || (what.startsWith(PWM) && what !== `${PWM}enable`);
