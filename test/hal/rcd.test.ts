/** The residual current device and its self test: tested before each session, and nothing charges on one that failed. */
import { describe, expect, it } from 'vitest';
import type { ControlPilot, PilotState } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { PAUSE_MS } from '../../hal/interlock.ts';
import { MockContactor } from '../../hal/mock/mock-contactor.ts';
import { ownPilotEvse } from '../../hal/own-pilot-evse.ts';
import { CLEARS_AFTER_MS, RECOVERED_FOR_MS, TEST_EVERY_MS, TRIPS_WITHIN_MS, watchRcd } from '../../hal/rcd.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';

const TESTED_MS = 600 + RECOVERED_FOR_MS;

class Device {
  readonly listeners = new Set<(tripped: boolean) => void>();
  readonly buttons: boolean[] = [];
  tripped = false;
  deaf = false;
  stays = false;
  broken = false;
  readonly clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  onTripped(listener: (tripped: boolean) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  test(on: boolean): void {
    if (this.broken && on) throw new Error('EIO');
    this.buttons.push(on);
    this.clock.after(on ? 100 : 500, () => {
      if (on ? !this.deaf : !this.stays) this.become(on);
    });
  }

  become(tripped: boolean): void {
    if (this.tripped === tripped) return;
    this.tripped = tripped;
    for (const listener of [...this.listeners]) listener(tripped);
  }
}

interface Options {
  readonly every?: 'session' | 'day';
  readonly testable?: boolean;
  readonly pilot?: PilotState;
  readonly reclosesOnUnplug?: true;
  /** The contactor does not open, so that no test can begin. */
  readonly welded?: true;
  readonly prepare?: (device: Device) => void;
}

const setUp = ({
  every = 'session',
  testable = true,
  pilot = 'A',
  reclosesOnUnplug,
  welded,
  prepare,
}: Options = {}) => {
  const clock = new VirtualClock();
  const book = new FaultBook(reclosesOnUnplug === undefined ? {} : { groundFault: 'unplug' });
  const contactor = new MockContactor();
  contactor.jam = welded === undefined ? undefined : 'welded';
  const listeners = new Set<(state: PilotState) => void>();
  const now = { pilot };
  const cp: ControlPilot = {
    get state() {
      return now.pilot;
    },
    get lookedAt() {
      return clock.now();
    },
    signal: () => {},
    onState: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const evse = ownPilotEvse({ pilot: cp, contactor, ventilated: false, clock });
  book.attach(1, evse);
  const told: string[] = [];
  book.onChange(({ fault, raised }) => told.push(`${raised ? '+' : '-'}${fault.code}`));
  const device = new Device(clock);
  prepare?.(device);
  const shown = testable
    ? device
    : {
        onTripped: device.onTripped.bind(device),
        get tripped() {
          return device.tripped;
        },
      };
  const watch = watchRcd({ connectorId: 1, device: shown, evse, book, clock, every });
  const become = (state: PilotState) => {
    now.pilot = state;
    for (const listener of [...listeners]) listener(state);
    if (state === 'A') book.unplugged(1);
  };
  const faults = () => book.current.map(({ code }) => code);
  /** Whether an EV that asks for it gets the contactor now. */
  const charges = () => {
    become('C');
    evse.offer(16);
    evse.permit(true);
    return contactor.feedback === 'closed';
  };
  return { clock, book, evse, contactor, device, watch, become, faults, told, charges };
};

describe('the self test of the RCD', () => {
  it('comes at power-up, and nothing charges before it has passed', async () => {
    const { clock, device, charges, become, faults, told } = setUp();
    expect(charges()).toBe(false);
    expect(faults()).toEqual(['rcdTesting']);
    become('B');
    await clock.advance(TESTED_MS);
    expect([device.buttons, told]).toEqual([
      [true, false],
      ['+rcdTesting', '-rcdTesting'],
    ]);
    expect(charges()).toBe(true);
  });

  it('waits for the contactor to open, and nothing closes its coil meanwhile', async () => {
    const { clock, device, contactor, evse, charges, become } = setUp({ welded: true });
    charges();
    expect([evse.commanded, device.buttons]).toEqual(['open', []]);
    contactor.jam = undefined;
    await clock.advance(TESTED_MS);
    expect(device.buttons).toEqual([true, false]);
    become('B');
    expect(charges()).toBe(true);
  });

  it('has not passed while the contact of the device bounces, and that is no fault', async () => {
    const { clock, device, faults, told, become, charges } = setUp();
    await clock.advance(100);
    // It has just tripped.
    for (const tripped of [false, true]) {
      device.become(tripped);
      await clock.advance(2);
    }
    expect(charges()).toBe(false);
    expect([device.buttons, faults()]).toEqual([[true, false], ['rcdTesting']]);
    become('B');
    await clock.advance(TESTED_MS);
    expect(told).toEqual(['+rcdTesting', '-rcdTesting']);
    expect(charges()).toBe(true);
  });

  it('is told to nobody while no EV is there', async () => {
    const { clock, told } = setUp();
    await clock.advance(TESTED_MS);
    expect(told).toEqual([]);
  });

  it('comes at power-up although an EV is there already', async () => {
    const { clock, device, faults } = setUp({ pilot: 'B' });
    expect(faults()).toEqual(['rcdTesting']);
    await clock.advance(TESTED_MS);
    expect([device.buttons, faults()]).toEqual([[true, false], []]);
  });

  it('comes again after each session, with the contactor open', async () => {
    const { clock, device, charges, become, contactor } = setUp();
    await clock.advance(TESTED_MS);
    expect(charges()).toBe(true);
    await clock.advance(TEST_EVERY_MS + 1);
    expect(device.buttons).toHaveLength(2);
    device.test = function (this: Device, on: boolean) {
      expect(contactor.feedback).toBe('open');
      Device.prototype.test.call(this, on);
    };
    become('A');
    await clock.advance(TESTED_MS);
    expect(device.buttons).toEqual([true, false, true, false]);
  });

  it('comes once a day where that is enough', async () => {
    const { clock, device, charges, become } = setUp({ every: 'day' });
    await clock.advance(TESTED_MS);
    expect(charges()).toBe(true);
    become('A');
    await clock.advance(TESTED_MS);
    expect(device.buttons).toHaveLength(2);
    await clock.advance(TEST_EVERY_MS);
    expect(device.buttons).toHaveLength(4);
  });

  it('is not put off by an EV that stays: it comes with the contactor open, and the EV is offered its current again', async () => {
    const { clock, device, evse, faults, charges, become } = setUp({ every: 'day' });
    await clock.advance(TESTED_MS);
    become('B');
    evse.offer(16);
    await clock.advance(TEST_EVERY_MS - 1);
    expect(device.buttons).toHaveLength(2);
    await clock.advance(100);
    expect([faults(), evse.signalled, evse.state]).toEqual([['rcdTesting'], 'x1', { pilot: 'B', contactor: 'open' }]);
    // It asks in the middle of it.
    become('C');
    expect(charges()).toBe(false);
    await clock.advance(TESTED_MS);
    expect([faults(), device.buttons]).toEqual([[], [true, false, true, false]]);
    expect(charges()).toBe(true);
  });

  it('waits for an EV that charges for more than a day to pause', async () => {
    const { clock, device, contactor, charges, become } = setUp({ every: 'day' });
    await clock.advance(TESTED_MS);
    expect(charges()).toBe(true);
    await clock.advance(2 * TEST_EVERY_MS);
    expect([device.buttons.length, contactor.feedback]).toEqual([2, 'closed']);
    become('B');
    await clock.advance(TESTED_MS + 500);
    expect(device.buttons).toHaveLength(4);
  });

  it.each<[string, (device: Device) => void, readonly string[]]>([
    [
      'does not trip',
      (device) => {
        device.deaf = true;
      },
      ['rcdTestFailed'],
    ],
    [
      'cannot be told to',
      (device) => {
        device.broken = true;
      },
      ['rcdTestFailed'],
    ],
    [
      'does not recover',
      (device) => {
        device.stays = true;
      },
      ['rcdTestFailed', 'groundFault'],
    ],
  ])('has failed when the device %s, and stays so until it is reset', async (_what, prepare, expected) => {
    const { clock, faults, charges, become } = setUp({ prepare });
    await clock.advance(10_000);
    expect(faults()).toEqual(expected);
    expect(charges()).toBe(false);
    become('A');
    await clock.advance(60_000);
    expect(faults()).toEqual(expected);
  });

  it('is repeated after the reset before anything charges', async () => {
    const { clock, book, device, faults, charges, become } = setUp({
      prepare: (device) => {
        device.deaf = true;
      },
    });
    await clock.advance(TRIPS_WITHIN_MS);
    book.reset(1);
    expect(charges()).toBe(false);
    become('A');
    await clock.advance(TRIPS_WITHIN_MS);
    expect(faults()).toEqual(['rcdTestFailed']);
    device.deaf = false;
    book.reset(1);
    await clock.advance(TESTED_MS);
    expect(faults()).toEqual([]);
    expect(charges()).toBe(true);
  });

  it('lets the button go when the board is closed in the middle of it', () => {
    const { device, watch } = setUp();
    watch.close();
    expect(device.buttons).toEqual([true, false]);
  });
});

describe('a trip of the RCD', () => {
  it('opens the contactor at once and waits for a reset, although the EV leaves', async () => {
    const { clock, book, device, contactor, charges, become, faults } = setUp();
    await clock.advance(TESTED_MS);
    expect(charges()).toBe(true);
    device.become(true);
    expect([contactor.feedback, faults()]).toEqual(['open', ['groundFault']]);
    device.become(false);
    await clock.advance(CLEARS_AFTER_MS);
    become('A');
    expect(faults()).toEqual(['groundFault']);
    book.reset(1);
    await clock.advance(Math.max(TESTED_MS, PAUSE_MS));
    expect(charges()).toBe(true);
  });

  it('is forgotten when the EV leaves where the country allows it', async () => {
    const { clock, device, become, faults } = setUp({ reclosesOnUnplug: true, testable: false });
    become('B');
    device.become(true);
    device.become(false);
    await clock.advance(CLEARS_AFTER_MS);
    expect(faults()).toEqual(['groundFault']);
    become('A');
    expect(faults()).toEqual([]);
  });

  it('is seen where nothing can be tested', async () => {
    const { charges, device, contactor, faults } = setUp({ testable: false });
    expect(charges()).toBe(true);
    device.become(true);
    expect([contactor.feedback, faults()]).toEqual(['open', ['groundFault']]);
  });
});
