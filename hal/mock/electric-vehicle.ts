/** The car on the other end of the cable: obeys the control pilot, or is forced into one state. */
import type { Cancel, Monotonic, Offer, PilotState, Timebase, Unsubscribe } from '../contract.ts';
import { currentOf, dutyOf } from '../duty.ts';

/** `auto`: B on plugging, C once PWM has been offered for `delayMs`, back to B when it is withdrawn. Else: the pilot forced to that state. */
export type VehicleMode = 'auto' | 'B' | 'C' | 'D' | 'E' | 'F';

export interface VehicleInputs {
  /** The cable is in both ends. */
  readonly plugged: boolean;
  readonly mode: VehicleMode;
  readonly delayMs: number;
  /** What it would like to draw, per phase, in ampere. */
  readonly amps: number;
  readonly phases: 1 | 2 | 3;
  /** Asks for ventilation: D instead of C. */
  readonly vent: boolean;
  /** False: the -12 V half of the pilot is missing. */
  readonly diode: boolean;
  /** Where an unplugged cable was pulled: `car` leaves our end in a socket. */
  readonly end: 'cable' | 'car';
  /** Rating of the cable by its proximity resistor, in ampere. */
  readonly cableA: 13 | 20 | 32 | 63;
}

export const VEHICLE_AT_POWER_UP: VehicleInputs = {
  plugged: false,
  mode: 'auto',
  delayMs: 1000,
  amps: 32,
  phases: 1,
  vent: false,
  diode: true,
  end: 'cable',
  cableA: 32,
};

/** Inputs act within the call; the car's own reactions to the pilot come a little later, as those of a real one. */
export class ElectricVehicle {
  readonly #clock: Timebase;
  /** How late it obeys where it may draw less: IEC 61851-1 gives it 5 s. */
  readonly #followsMs: number;
  readonly #listeners = new Set<(state: PilotState) => void>();
  readonly #onDraw = new Set<() => void>();
  #inputs = VEHICLE_AT_POWER_UP;
  #signalledA = 0;
  /** What it has been told lately and still takes for true. */
  #lingering: readonly { readonly amps: number }[] = [];
  #offeredSince: Monotonic | undefined;
  #wakeUp: Cancel | undefined;
  /** S2 in IEC 61851-1: the car asks for power. */
  #asks = false;
  #state: PilotState = 'A';

  constructor(clock: Timebase, followsMs = 0) {
    this.#clock = clock;
    this.#followsMs = followsMs;
  }

  get inputs(): VehicleInputs {
    return this.#inputs;
  }

  get state(): PilotState {
    return this.#state;
  }

  /** What it draws on each of its phases while the contactor is closed, in ampere. */
  get drawA(): number {
    const charging = this.#state === 'C' || this.#state === 'D';
    return charging ? Math.min(this.#inputs.amps, this.#obeyedA) : 0;
  }

  patch(change: Partial<VehicleInputs>): void {
    this.#inputs = { ...this.#inputs, ...change };
    if (!this.#inputs.plugged) this.#forget();
    this.#review();
  }

  /** What the EVSE signals from now on. */
  signal(offer: Offer): void {
    if (this.#followsMs > 0 && this.#inputs.plugged) this.#linger(this.#signalledA);
    this.#signalledA = currentOf(dutyOf(offer));
    this.#obey();
  }

  onState(listener: (state: PilotState) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when it draws something else although nobody has signalled anything. */
  onDraw(listener: () => void): Unsubscribe {
    this.#onDraw.add(listener);
    return () => this.#onDraw.delete(listener);
  }

  get #obeyedA(): number {
    return Math.max(this.#signalledA, ...this.#lingering.map(({ amps }) => amps));
  }

  #linger(amps: number): void {
    const told = { amps };
    this.#lingering = [...this.#lingering, told];
    this.#clock.after(this.#followsMs, () => {
      this.#lingering = this.#lingering.filter((each) => each !== told);
      this.#obey();
      for (const listener of [...this.#onDraw]) listener();
    });
  }

  #forget(): void {
    this.#lingering = [];
    if (this.#signalledA === 0) this.#offeredSince = undefined;
  }

  #obey(): void {
    this.#offeredSince = this.#obeyedA > 0 ? (this.#offeredSince ?? this.#clock.now()) : undefined;
    // Never within the call: no car is faster than the EVSE that is still signalling.
    queueMicrotask(() => this.#review());
  }

  #review(): void {
    this.#wakeUp?.();
    this.#wakeUp = undefined;
    const follows = this.#inputs.plugged && this.#inputs.mode === 'auto' && this.#offeredSince !== undefined;
    if (!follows) this.#asks = false;
    else if (!this.#asks) this.#wakeLater();
    this.#show();
  }

  #wakeLater(): void {
    const since = this.#offeredSince ?? this.#clock.now();
    const inMs = Math.max(0, since + this.#inputs.delayMs - this.#clock.now());
    this.#wakeUp = this.#clock.after(inMs, () => {
      this.#wakeUp = undefined;
      this.#asks = true;
      this.#show();
    });
  }

  #show(): void {
    const state = this.#shown();
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  #shown(): PilotState {
    const { plugged, mode, vent } = this.#inputs;
    if (!plugged) return 'A';
    if (mode !== 'auto') return mode;
    if (!this.#asks) return 'B';
    return vent ? 'D' : 'C';
  }
}
