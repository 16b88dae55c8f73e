/** The car on the fake sysfs, and the contactor that it charges through: both answer what the agent writes. */
import type { Happened } from '../rigs/fake-sysfs.ts';
import type { Machine } from './machine.ts';
import { type CarState, carPulls, coilOf, MIRROR, pilotOf } from './wiring.ts';

const CONTACTOR_MS = 15;
const CLOSES_S2_AFTER_MS = 60;
const OPENS_S2_AFTER_MS = 40;

export class ElectricVehicle {
  /** False: stays in B whatever is offered. */
  hungry = true;
  /** The contactor does not follow its coil. */
  stuck = false;
  /** Called when the main contacts have moved. */
  onContacts: (closed: boolean) => void = () => {};
  readonly #machine: Machine;
  #state: CarState = 'A';
  #offered = false;
  #coil: 'on' | 'off' = 'off';
  #s2: NodeJS.Timeout | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(machine: Machine) {
    this.#machine = machine;
    machine.onHappened((happened) => this.#sees(happened));
  }

  get coil(): 'on' | 'off' {
    this.#machine.look();
    return this.#coil;
  }

  get state(): CarState {
    return this.#state;
  }

  plug(): void {
    this.#become('B');
    this.#answer();
  }

  unplug(): void {
    clearTimeout(this.#s2);
    this.#become('A');
  }

  stop(): void {
    clearTimeout(this.#s2);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #sees(happened: Happened): void {
    const coil = coilOf(happened);
    if (coil !== undefined && coil !== this.#coil) {
      this.#coil = coil;
      if (this.stuck) return;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#machine.sysfs.pull(MIRROR, coil === 'on' ? 1 : 0);
        this.onContacts(coil === 'on');
      }, CONTACTOR_MS);
      this.#timers.add(timer);
    }
    const pilot = pilotOf(happened);
    if (pilot === undefined || (pilot === 'x2') === this.#offered) return;
    this.#offered = pilot === 'x2';
    this.#answer();
  }

  /** Closes its switch S2 for an offer, opens it again without one. */
  #answer(): void {
    clearTimeout(this.#s2);
    if (this.#state === 'A') return;
    const wanted = this.#offered && this.hungry ? 'C' : 'B';
    if (wanted === this.#state) return;
    this.#s2 = setTimeout(() => this.#become(wanted), wanted === 'C' ? CLOSES_S2_AFTER_MS : OPENS_S2_AFTER_MS);
  }

  #become(state: CarState): void {
    this.#state = state;
    this.#machine.sysfs.control(...carPulls(state));
  }
}
