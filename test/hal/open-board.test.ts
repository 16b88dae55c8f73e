/** A whole board on lines in memory: opening order, stories of charging, and everything safe again however it ends. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type {
  BoardDescription,
  PhaseSwitchDescription,
  Protection,
  ThermometerDescription,
} from '../../hal/board-description.ts';
import type { EnergyMeter } from '../../hal/contract.ts';
import type { Drivers } from '../../hal/drivers.ts';
import type { Fitting, GridFitting } from '../../hal/fitting.ts';
import type { Level } from '../../hal/gpio/line.ts';
import { HalError } from '../../hal/hal-error.ts';
import type { ModbusBus } from '../../hal/modbus/bus.ts';
import type { MeterDriver, MeterPlace } from '../../hal/modbus/modbus-meter.ts';
import type { RegisterMap } from '../../hal/modbus/register-map.ts';
import { openBoard } from '../../hal/open-board.ts';
import { VirtualClock } from '../sim/virtual-clock.ts';
import { FakeController } from './fake-controller.ts';
import { FakeChip, FakePwm } from './gpio/fake-lines.ts';
import { controllerFile } from './modbus/controller-maps.ts';

const CONTROLLER = controllerFile('evse-wb-din');

const COIL = 17;
const MIRROR = 27;
const STOP = 6;
const MAINS = 7;
const LEVEL_LINES = [22, 23, 24, 25] as const;

const BOARD: BoardDescription = {
  name: 'test',
  gpio: { backend: 'onoff', chip: 'pinctrl-test' },
  connectors: [
    {
      id: 1,
      maxA: 32,
      phases: 3,
      evse: {
        driver: 'comparatorPilot',
        pwm: { device: '*.pwm', channel: 0 },
        comparators: {
          above10V5: { line: 22 },
          above7V5: { line: 23 },
          above4V5: { line: 24 },
          above1V5: { line: 25 },
          belowMinus10V5: { line: 5 },
        },
        contactor: { coil: { line: COIL }, mirror: { line: MIRROR }, releaseMs: 30 },
      },
      lock: { lock: { line: 8 }, unlock: { line: 9 }, locked: { line: 10 } },
      proximity: {
        present: { line: 11 },
        atLeast20A: { line: 12 },
        atLeast32A: { line: 13 },
        atLeast63A: { line: 14 },
      },
    },
  ],
  inputs: [{ fault: 'emergencyStop', connector: 0, line: STOP, activeLow: true }],
  mains: { line: MAINS },
};

/** The same connector twice; the lines of the second one are 100 higher. */
const twoConnectors = (): BoardDescription => {
  const lifted = JSON.parse(JSON.stringify(BOARD.connectors[0]), (key, value) =>
    key === 'line' ? value + 100 : key === 'channel' ? 1 : value,
  );
  return { ...BOARD, connectors: [...BOARD.connectors, { ...lifted, id: 2 }] };
};

const MAP = { model: 'm', serial: { baudRate: 9600, parity: 'none', stopBits: 1 } } as RegisterMap;

const FITTING: Fitting = {
  id: 1,
  cable: 'attached',
  maxA: 20,
  phases: 3,
  ventilated: false,
  meter: { map: MAP, bus: { port: '/dev/rs485' }, unit: 1 },
};

const LEVELS = { A: [1, 1, 1, 1], B: [0, 1, 1, 1], C: [0, 0, 1, 1] } as const;

class World {
  readonly clock = new VirtualClock();
  readonly chip = new FakeChip();
  readonly pwm = new FakePwm();
  readonly secondPwm = new FakePwm();
  readonly buses: { path: string; closed: boolean }[] = [];
  readonly closed: string[] = [];
  readonly warnings: string[] = [];
  readonly infos: string[] = [];
  readonly files = new Map<string, string>();
  /** How long the kernel takes for a file. */
  readMs = 0;
  readonly places: MeterPlace[] = [];
  welded = false;
  stuck = false;
  silent: (silent: boolean) => void = () => {};

  constructor() {
    for (const line of [...LEVEL_LINES, 5, STOP, ...LEVEL_LINES.map((above) => above + 100), 105])
      this.chip.levels.set(line, 1);
    this.chip.onWrite = (line, level) => {
      if (line === COIL && !(level === 0 ? this.welded : this.stuck)) this.chip.pull(MIRROR, level);
      if (line === COIL + 100) this.chip.pull(MIRROR + 100, level);
    };
  }

  readonly drivers: Drivers = {
    lines: async () => this.chip,
    pwm: async ({ channel }) => (channel === 0 ? this.pwm : this.secondPwm),
    converter: () => Promise.reject(new HalError('noSuchAdc', 'test')),
    bus: async ({ path }) => {
      const bus = { path, closed: false };
      this.buses.push(bus);
      const close = async () => {
        bus.closed = true;
        this.closed.push('bus');
      };
      return { close } as Partial<ModbusBus> as ModbusBus;
    },
    readText: async (file) => {
      if (this.readMs > 0) await new Promise<void>((resolve) => this.clock.after(this.readMs, resolve));
      const text = this.files.get(file);
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
    meter: async (_bus, _map, place): Promise<MeterDriver> => {
      this.places.push(place);
      this.silent = place.onSilent;
      return {
        offers: {},
        read: () => Promise.reject(new HalError('meterSilent', 'test')),
        close: () => this.closed.push('meter'),
      };
    },
  };

  open(
    description = BOARD,
    fittings: readonly Fitting[] = [FITTING],
    gridConnection?: GridFitting,
    protection: Protection = {},
  ) {
    const log = {
      info: (message: string) => this.infos.push(message),
      warn: (message: string) => this.warnings.push(message),
    };
    const options = { drivers: this.drivers, protection, ...(gridConnection === undefined ? {} : { gridConnection }) };
    return openBoard(description, fittings, { clock: this.clock, log }, options);
  }

  /** One socket on an EVSE controller; the lock is ours. */
  openWithController(fake: FakeController, fitting: Partial<Fitting> = {}) {
    const [connector] = BOARD.connectors;
    if (connector === undefined) throw new Error('no connector');
    const evse = {
      driver: 'controller',
      model: 'evse-wb-din',
      map: CONTROLLER,
      bus: { port: '/dev/evse' },
      unit: 1,
    } as const;
    const drivers: Drivers = {
      ...this.drivers,
      bus: async () => Object.assign(fake, { openings: 1, close: async () => {} }),
    };
    return openBoard(
      { ...BOARD, connectors: [{ ...connector, evse }] },
      [{ ...FITTING, ...fitting }],
      { clock: this.clock, log: { info: () => {}, warn: () => {} } },
      { drivers },
    );
  }

  async ev(state: keyof typeof LEVELS) {
    for (const [index, line] of LEVEL_LINES.entries()) this.chip.pull(line, LEVELS[state][index] as Level);
    await this.clock.advance(600);
  }

  /** Lets time pass until this has happened; how soon a lazy import comes is not up to the clock. */
  async until<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.then(over, over);
    while (!isOver) await this.clock.advance(10);
    return work;
  }

  get coil() {
    return this.chip.levels.get(COIL);
  }
}

const charging = async (protection: Protection = {}) => {
  const world = new World();
  const board = await world.open(BOARD, [FITTING], undefined, protection);
  const evse = board.connectors[0]?.evse;
  if (evse === undefined) throw new Error('no connector');
  await world.ev('B');
  evse.offer(16);
  await world.clock.advance(200);
  await world.ev('C');
  evse.permit(true);
  expect([world.coil, evse.state]).toEqual([1, { pilot: 'C', contactor: 'closed' }]);
  return { world, board, evse };
};

const fail = async (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'opened',
    (error: unknown) => (error instanceof HalError ? error.code : String(error)),
  );

describe('open board', () => {
  it('makes the coil an output that is off before it touches anything else', async () => {
    const world = new World();
    await world.open();
    expect(world.chip.log[0]).toBe(`out ${COIL}=0`);
  });

  it('takes the lesser of what board and configuration allow', async () => {
    const board = await new World().open();
    expect(board.connectors[0]).toMatchObject({ id: 1, maxA: 20, phases: 3 });
  });

  it('leaves the pilot at F while it is told to signal F, and withdraws an offer behind an F that is not its own', async () => {
    const world = new World();
    const board = await world.open();
    const evse = board.connectors[0]?.evse;
    await world.ev('B');
    evse?.offer('F');
    for (const line of LEVEL_LINES) world.chip.pull(line, 0);
    await world.clock.advance(4000);
    expect([evse?.state.pilot, world.pwm.percent]).toEqual(['F', 0]);
    evse?.offer('x1');
    await world.ev('B');
    expect([evse?.state.pilot, world.pwm.percent, board.faults]).toEqual(['B', 100, []]);
    await board.close();
  });

  it('lists every wire that it reads, by its member in the description and whichever level means on', async () => {
    const world = new World();
    const { wires = [] } = await world.open(BOARD, [{ ...FITTING, cable: 'socket' }]);
    const on = (name: string) => wires.find((wire) => wire.name === name)?.on;
    expect(wires.map(({ line }) => line).toSorted((a, b) => a - b)).toEqual([
      5, 6, 7, 10, 11, 12, 13, 14, 22, 23, 24, 25, 27,
    ]);
    expect(['inputs[0]', 'connectors[0].evse.contactor.mirror'].map(on)).toEqual([false, false]);
    world.chip.pull(STOP, 0);
    world.chip.pull(MIRROR, 1);
    expect(['inputs[0]', 'connectors[0].evse.contactor.mirror'].map(on)).toEqual([true, true]);
    expect(wires.map(({ name }) => name)).toContain('connectors[0].proximity.atLeast20A');
    expect(wires.find(({ line }) => line === STOP)?.fault).toBe('emergencyStop');
  });

  it('opens the coil within 50 ms when the EV is unplugged, and withdraws the offer', async () => {
    const { world, evse } = await charging();
    const from = world.clock.now();
    let took: number | undefined;
    evse.onState(() => {
      took ??= world.coil === 0 ? world.clock.now() - from : undefined;
    });
    await world.ev('A');
    expect(took).toBeLessThanOrEqual(50);
    expect(world.pwm.percent).toBe(100);
  });

  it('has opened the contactor before anybody hears of an emergency stop', async () => {
    const { world, board } = await charging();
    const seen: unknown[] = [];
    board.onFault(({ fault, raised }) => seen.push([fault.code, raised, world.coil, world.pwm.percent]));
    world.chip.pull(STOP, 0);
    expect(seen).toEqual([['emergencyStop', true, 0, 100]]);
  });

  it('has opened the contactor before anybody hears that the mains fail', async () => {
    const { world, board } = await charging();
    const seen: unknown[] = [];
    board.onMains((mains) => seen.push([mains, world.coil]));
    world.chip.pull(MAINS, 1);
    expect(seen).toEqual([['failing', 0]]);
  });

  it('trips for a silent meter until it is heard again', async () => {
    const { world, board } = await charging();
    world.silent(true);
    expect([world.coil, board.faults[0]?.code]).toEqual([0, 'meterSilent']);
    world.silent(false);
    expect(board.faults).toEqual([]);
  });

  it('goes on without a silent meter where the configuration says so, with a warning', async () => {
    const { world, board } = await charging({ meterSilent: 'warn' });
    world.silent(true);
    expect([world.coil, board.faults]).toEqual([1, [{ code: 'meterLost', connectorId: 1 }]]);
    world.silent(false);
    expect(board.faults).toEqual([]);
  });

  it('has opened the contactor at once, and raises the fault after 1 s, when its comparators contradict each other', async () => {
    const { world, board } = await charging();
    const codes = () => board.faults.map(({ code }) => code);
    world.chip.pull(LEVEL_LINES[0], 1);
    await world.clock.advance(50);
    expect([world.coil, codes()]).toEqual([0, ['evCommunication']]);
    await world.clock.advance(1000);
    expect(codes()).toEqual(['evCommunication', 'pilotSilent']);
    world.chip.pull(LEVEL_LINES[0], 0);
    await world.clock.advance(700);
    expect(codes()).toEqual(['pilotSilent']);
    await world.clock.advance(400);
    expect([world.coil, codes()]).toEqual([0, []]);
  });

  it('ends a missing diode with the EV that lacks it', async () => {
    const { world, board } = await charging();
    world.chip.pull(5, 0);
    await world.clock.advance(200);
    expect([world.coil, board.faults[0]?.vendorErrorCode]).toEqual([0, 'DiodeFault']);
    world.chip.pull(5, 1);
    await world.clock.advance(60_000);
    expect(board.faults).toHaveLength(1);
    await world.ev('A');
    expect(board.faults).toEqual([]);
  });

  it('finds a welded contactor', async () => {
    const { world, board, evse } = await charging();
    world.welded = true;
    evse.permit(false);
    await world.clock.advance(1000);
    expect(board.faults.map(({ code }) => code)).toEqual(['contactorWelded']);
    expect(evse.state.contactor).toBe('closed');
  });

  it('closes to open contactors, x1 and released lines, twice if asked twice', async () => {
    const { world, board } = await charging();
    const closing = board.close();
    expect([world.coil, world.pwm.percent]).toEqual([0, 100]);
    await Promise.all([closing, board.close()]);
    expect(world.chip.open.size).toBe(0);
    expect(world.pwm.closed).toBe(true);
    expect(world.buses).toEqual([{ path: '/dev/rs485', closed: true }]);
    expect(world.closed).toEqual(['meter', 'bus']);
    expect(world.clock.armed).toBe(0);
  });

  it('closes within a second even if a contactor stays closed', async () => {
    const { world, board } = await charging();
    world.welded = true;
    let closed = false;
    const closing = board.close().then(() => {
      closed = true;
    });
    await world.clock.advance(1000);
    expect(closed).toBe(true);
    await closing;
  });

  it('keeps the plug that an EVSE controller, asked again, has under load', async () => {
    const world = new World();
    const fake = new FakeController();
    const board = await world.openWithController(fake, { cable: 'socket' });
    const [connector] = board.connectors;
    world.chip.pull(10, 1);
    fake.ev(2);
    await world.clock.advance(1000);
    connector?.evse.offer(16);
    await world.clock.advance(0);
    const { play } = fake;
    fake.ev(3);
    fake.play = () => {};
    connector?.evse.offer('x1');
    expect(connector?.evse.state.contactor).toBe('open');
    expect(await connector?.lock?.unlock()).toBe(false);
    expect(world.chip.log).not.toContain('9=1');
    fake.play = play;
    fake.ev(2);
    const unlocking = connector?.lock?.unlock();
    await world.clock.advance(0);
    expect(world.chip.log).toContain('9=1');
    world.chip.pull(10, 0);
    await world.clock.advance(0);
    expect(await unlocking).toBe(true);
  });

  it.each([
    ['as soon as the controller has taken the off', 50, 50],
    ['after half a second if it does not take it', 60_000, 500],
  ])('closes a board with an EVSE controller %s', async (_when, writeMs, closedMs) => {
    const world = new World();
    const fake = new FakeController();
    const board = await world.openWithController(fake);
    fake.ev(2);
    await world.clock.advance(1000);
    board.connectors[0]?.evse.offer(16);
    await world.clock.advance(0);
    expect(fake.registers.get(1000)).toBe(16);
    fake.wait = () => new Promise<void>((resolve) => world.clock.after(writeMs, resolve));
    const from = world.clock.now();
    let took: number | undefined;
    const closing = board.close().then(() => {
      took = world.clock.now() - from;
    });
    await world.clock.advance(1000);
    await closing;
    expect(took).toBeGreaterThanOrEqual(closedMs);
    expect(took).toBeLessThan(closedMs + 20);
    expect(fake.registers.get(1000)).toBe(writeMs === 50 ? 0 : 16);
  });

  describe('with a coil that cannot be written, beside a sound connector that charges', () => {
    const setUp = async () => {
      const world = new World();
      const board = await world.open(twoConnectors(), [
        { ...FITTING, cable: 'socket' },
        { ...FITTING, id: 2 },
      ]);
      const [broken, sound] = board.connectors;
      if (broken === undefined || sound === undefined) throw new Error('no connectors');
      await world.ev('B');
      broken.evse.offer(16);
      for (const state of ['B', 'C'] as const) {
        for (const [index, line] of LEVEL_LINES.entries()) world.chip.pull(line + 100, LEVELS[state][index] as Level);
        sound.evse.offer(16);
        await world.clock.advance(600);
      }
      sound.evse.permit(true);
      expect(world.chip.levels.get(COIL + 100)).toBe(1);
      expect([world.pwm.percent, world.secondPwm.percent].every((percent) => percent < 100)).toBe(true);
      world.chip.broken.add(COIL);
      return { world, board };
    };
    const outputs = ({ chip, pwm, secondPwm }: World) => [chip.levels.get(COIL + 100), pwm.percent, secondPwm.percent];

    it.each<[string, (world: World) => void]>([
      ['an emergency stop', ({ chip }) => chip.pull(STOP, 0)],
      ['failing mains', ({ chip }) => chip.pull(MAINS, 1)],
    ])('opens the other one and withdraws every offer at %s, then throws', async (_what, happen) => {
      const { world } = await setUp();
      expect(() => happen(world)).toThrow(`EIO on line ${COIL}`);
      expect(outputs(world)).toEqual([0, 100, 100]);
    });

    it('lets nobody who has asked for a reading keep that it could not be opened when the meter fell silent', async () => {
      const { world } = await setUp();
      const [place] = world.places;
      const reading = Promise.reject(new HalError('meterSilent', 'test')).catch(() => place?.onSilent(true));
      await expect(reading).rejects.toThrow(`EIO on line ${COIL}`);
      await expect(world.clock.advance(0)).rejects.toThrow(`EIO on line ${COIL}`);
    });

    it('tells everybody of failing mains', async () => {
      const { world, board } = await setUp();
      const seen: string[] = [];
      board.onMains((mains) => seen.push(mains));
      expect(() => world.chip.pull(MAINS, 1)).toThrow('EIO');
      expect([seen, board.mains]).toEqual([['failing'], 'failing']);
    });

    it('makes everything else safe in the turn in which it is closed, releases every line, and rejects', async () => {
      const { world, board } = await setUp();
      void board.connectors[0]?.lock?.lock();
      await world.clock.advance(100);
      expect(world.chip.levels.get(8)).toBe(1);
      const closing = board.close().catch((error: unknown) => String(error));
      expect([...outputs(world), world.chip.levels.get(8)]).toEqual([0, 100, 100, 0]);
      await world.clock.advance(10_000);
      expect(await closing).toContain(`EIO on line ${COIL}`);
      expect(world.chip.open.size).toBe(0);
      expect([world.pwm.closed, world.secondPwm.closed]).toEqual([true, true]);
      expect(world.clock.armed).toBe(0);
    });
  });

  it('leaves nothing open and nothing driven when any one line fails to open', async () => {
    const complete = new World();
    await complete.open(BOARD, [{ ...FITTING, cable: 'socket' }]);
    const lines = [...complete.chip.open];
    expect(lines).toHaveLength(16);
    for (const line of lines) {
      const world = new World();
      world.chip.refuses = line;
      expect(await fail(world.open(BOARD, [{ ...FITTING, cable: 'socket' }]))).toContain('refused');
      expect(world.chip.open.size).toBe(0);
      expect([8, 9, COIL].map((output) => world.chip.levels.get(output) ?? 0)).toEqual([0, 0, 0]);
      expect(world.clock.armed).toBe(0);
    }
  });

  const [connector] = BOARD.connectors;
  if (connector?.evse.driver !== 'comparatorPilot') throw new Error('the tests want a comparator pilot');
  const slow = { ...connector.evse, contactor: { ...connector.evse.contactor, releaseMs: 41 } };
  const { lock: _, ...lockless } = connector;

  it.each<[string, BoardDescription, readonly Fitting[]]>([
    ['a contactor that is too slow', { ...BOARD, connectors: [{ ...connector, evse: slow }] }, [FITTING]],
    ['a connector that the board has not', BOARD, [{ ...FITTING, id: 2 }]],
    ['a socket without a lock', { ...BOARD, connectors: [lockless] }, [{ ...FITTING, cable: 'socket' }]],
    ['lines without a chip', { name: 'x', connectors: BOARD.connectors }, [FITTING]],
  ])('refuses %s', async (_name, description, fittings) => {
    expect(await fail(new World().open(description, fittings))).toBe('badBoard');
  });

  it('refuses a connector without a meter', async () => {
    const { meter: _meter, ...bare } = FITTING;
    expect(await fail(new World().open(BOARD, [bare]))).toBe('badBoard');
  });

  it('does not keep lockFailed against an EV that left while the motor tried', async () => {
    const world = new World();
    const board = await world.open(BOARD, [{ ...FITTING, cable: 'socket' }]);
    await world.ev('B');
    const locking = board.connectors[0]?.lock?.lock();
    await world.clock.advance(10_000);
    expect([await locking, board.faults[0]?.code]).toEqual([false, 'lockFailed']);
    await world.ev('A');
    expect(board.faults).toEqual([]);
    void board.connectors[0]?.lock?.lock();
    await world.clock.advance(10_000);
    expect(board.faults).toEqual([]);
  });

  it('lets meters share a port, and refuses two settings for one', async () => {
    const second = { ...connector, id: 2, evse: connector.evse };
    const two: BoardDescription = { ...BOARD, connectors: [connector, second] };
    const world = new World();
    const fittings = (baudRate: number): readonly Fitting[] => [
      FITTING,
      { ...FITTING, id: 2, meter: { map: MAP, bus: { port: '/dev/rs485', baudRate }, unit: 2 } },
    ];
    await world.open(two, fittings(9600));
    expect(world.buses).toHaveLength(1);
    expect(await fail(new World().open(two, fittings(19_200)))).toBe('badBoard');
  });

  describe('with a phase switch', () => {
    const ONE_PHASE = 40;
    const FEEDBACK = 41;
    const switching = (phaseSwitch: PhaseSwitchDescription): BoardDescription => ({
      ...BOARD,
      connectors: [{ ...connector, evse: connector.evse, phaseSwitch }],
    });
    const WITHOUT_FEEDBACK = switching({ onePhase: { line: ONE_PHASE, activeLow: true } });
    const WITH_FEEDBACK = switching({ onePhase: { line: ONE_PHASE }, feedback: { line: FEEDBACK } });
    const switchOf = async (world: World, description: BoardDescription) => {
      const board = await world.open(description);
      const phaseSwitch = board.connectors[0]?.phaseSwitch;
      if (phaseSwitch === undefined) throw new Error('no phase switch');
      return { board, phaseSwitch };
    };

    it('selects all three phases, but not before the coil is off', async () => {
      const world = new World();
      const { phaseSwitch } = await switchOf(world, WITHOUT_FEEDBACK);
      expect(world.chip.log[0]).toBe(`out ${COIL}=0`);
      expect(world.chip.log).toContain(`out ${ONE_PHASE}=1`);
      expect(phaseSwitch.phases).toBe(3);
    });

    it('is touched after the coils of all connectors are off', async () => {
      const { connectors, ...rest } = twoConnectors();
      const [first, second] = connectors;
      if (first === undefined || second === undefined) throw new Error('no connectors');
      const world = new World();
      const two = [{ ...first, phaseSwitch: { onePhase: { line: ONE_PHASE } } }, second];
      await world.open({ ...rest, connectors: two }, [FITTING, { ...FITTING, id: 2 }]);
      const { log } = world.chip;
      expect(log.indexOf(`out ${COIL + 100}=0`)).toBeLessThan(log.indexOf(`out ${ONE_PHASE}=0`));
      expect(log).toContain(`out ${COIL + 100}=0`);
    });

    it('waits for the contactor that a dead process has left closed before it touches the relay', async () => {
      const world = new World();
      world.chip.levels.set(MIRROR, 1);
      world.welded = true;
      const opening = world.open(WITHOUT_FEEDBACK);
      await world.clock.advance(400);
      expect(world.chip.log).not.toContain(`out ${ONE_PHASE}=1`);
      world.chip.pull(MIRROR, 0);
      expect((await world.until(opening)).connectors[0]?.phaseSwitch?.phases).toBe(3);
    });

    it('leaves the relay alone behind a contactor that does not open', async () => {
      const world = new World();
      world.chip.levels.set(MIRROR, 1);
      world.welded = true;
      const board = await world.until(world.open(WITHOUT_FEEDBACK));
      expect(board.connectors[0]).not.toHaveProperty('phaseSwitch');
      expect(world.chip.open.has(ONE_PHASE)).toBe(false);
      expect(world.warnings).toContain('the phase switch stays as it is: the contactor is not open');
    });

    it('drives the relay and believes its feedback', async () => {
      const world = new World();
      const { phaseSwitch } = await switchOf(world, WITH_FEEDBACK);
      const { onWrite } = world.chip;
      world.chip.onWrite = (line, level) => {
        onWrite(line, level);
        if (line === ONE_PHASE) world.clock.after(300, () => world.chip.pull(FEEDBACK, level));
      };
      const switching = phaseSwitch.switchTo(1);
      await world.clock.advance(350);
      expect([world.chip.levels.get(ONE_PHASE), phaseSwitch.phases]).toEqual([1, 3]);
      await world.clock.advance(100);
      expect([await switching, phaseSwitch.phases]).toEqual([1, 1]);
    });

    it('takes a wire of its feedback that is off for three phases, with the make contact of the lab board', async () => {
      const page = readFileSync(new URL('../../config/boards/raspberry-pi-lab.yaml', import.meta.url), 'utf8');
      expect(page).toContain('phaseSwitch: { onePhase: { line: 24 }, feedback: { line: 25, activeLow: true } }');
      const world = new World();
      // Its pull-up.
      world.chip.levels.set(FEEDBACK, 1);
      const { phaseSwitch } = await switchOf(
        world,
        switching({ onePhase: { line: ONE_PHASE }, feedback: { line: FEEDBACK, activeLow: true } }),
      );
      const { onWrite } = world.chip;
      let wire: 'on' | 'off' = 'on';
      world.chip.onWrite = (line, level) => {
        onWrite(line, level);
        if (line === ONE_PHASE) world.chip.pull(FEEDBACK, wire === 'on' && level === 1 ? 0 : 1);
      };
      expect([await world.until(phaseSwitch.switchTo(1)), phaseSwitch.phases]).toEqual([1, 1]);
      wire = 'off';
      world.chip.pull(FEEDBACK, 1);
      expect(phaseSwitch.phases).toBe(3);
      expect(await world.until(phaseSwitch.switchTo(1))).toBe(3);
    });

    it('refuses to close the contactor meanwhile', async () => {
      const world = new World();
      const { board, phaseSwitch } = await switchOf(world, WITHOUT_FEEDBACK);
      const evse = board.connectors[0]?.evse;
      await world.ev('B');
      evse?.offer(16);
      await world.clock.advance(200);
      await world.ev('C');
      void phaseSwitch.switchTo(1);
      for (let ms = 0; ms < 200; ms += 10) {
        evse?.offer(16);
        evse?.permit(true);
        expect(world.coil).toBe(0);
        await world.clock.advance(10);
      }
      evse?.permit(true);
      expect([world.coil, world.chip.levels.get(ONE_PHASE)]).toEqual([1, 0]);
    });

    it('does not move the relay of a board that is closed while it waits', async () => {
      const world = new World();
      const { board, phaseSwitch } = await switchOf(world, WITHOUT_FEEDBACK);
      const switching = phaseSwitch.switchTo(1);
      await board.close();
      await world.clock.advance(1000);
      await switching;
      expect(world.chip.log).not.toContain(`${ONE_PHASE}=0`);
      expect([world.chip.open.size, world.clock.armed]).toEqual([0, 0]);
    });

    it.each([
      ['goes back to three phases when the board is closed', false, 1],
      ['stays as it is when the board is closed under a welded contactor', true, 0],
    ])('%s', async (_what, welded, level) => {
      const world = new World();
      const { board, phaseSwitch } = await switchOf(world, WITHOUT_FEEDBACK);
      void phaseSwitch.switchTo(1);
      await world.clock.advance(200);
      world.welded = welded;
      if (welded) world.chip.pull(MIRROR, 1);
      void board.close();
      await world.clock.advance(1000);
      expect([world.chip.levels.get(ONE_PHASE), world.chip.open.size]).toEqual([level, 0]);
    });

    it('is not there where only one phase is installed, and is refused beside an EVSE controller', async () => {
      const world = new World();
      const board = await world.open(WITHOUT_FEEDBACK, [{ ...FITTING, phases: 1 }]);
      expect(board.connectors[0]).not.toHaveProperty('phaseSwitch');
      expect(world.chip.open.has(ONE_PHASE)).toBe(false);
      const evse = {
        driver: 'controller',
        model: 'evse-wb-din',
        map: CONTROLLER,
        bus: { port: '/dev/evse' },
        unit: 1,
      } as const;
      const foreign = { ...connector, evse, phaseSwitch: { onePhase: { line: ONE_PHASE } } };
      const fake = new FakeController();
      const other = new World();
      const drivers: Drivers = {
        ...other.drivers,
        bus: async () => Object.assign(fake, { openings: 1, close: async () => {} }),
      };
      const surroundings = { clock: other.clock, log: { info: () => {}, warn: () => {} } };
      const opening = openBoard({ ...BOARD, connectors: [foreign] }, [FITTING], surroundings, { drivers });
      expect(await other.until(fail(opening))).toBe('badBoard');
    });

    it('leaves nothing open when its lines fail to open', async () => {
      for (const line of [ONE_PHASE, FEEDBACK]) {
        const world = new World();
        world.chip.refuses = line;
        expect(await fail(world.open(WITH_FEEDBACK))).toContain('refused');
        expect([world.chip.open.size, world.clock.armed]).toEqual([0, 0]);
      }
    });
  });

  describe('with a thermometer', () => {
    const FILE = '/sys/bus/w1/devices/28-0/temperature';
    const warm = (limits: Partial<ThermometerDescription> = {}): BoardDescription => ({
      ...BOARD,
      connectors: [{ ...connector, evse: connector.evse, thermometer: { file: FILE, ...limits } }],
    });

    it('knows the temperature when it is open', async () => {
      const world = new World();
      world.files.set(FILE, '66000\n');
      world.readMs = 750;
      const board = await world.until(world.open(warm()));
      expect(board.connectors[0]?.derating).toMatchObject({ celsius: 66, factor: 0.5 });
      expect(board.faults).toEqual([{ code: 'derated', connectorId: 1, info: 'Enclosure at 66 C' }]);
      await board.close();
      expect(world.clock.armed).toBe(0);
    });

    it('takes its steps from the board file', async () => {
      const world = new World();
      world.files.set(FILE, '51000');
      const board = await world.open(warm({ steps: [{ fromC: 50, factor: 0.75 }], stopC: 60 }));
      expect(board.connectors[0]?.derating?.factor).toBe(0.75);
      world.files.set(FILE, '60000');
      await world.clock.advance(5000);
      expect(board.faults.map(({ code }) => code)).toEqual(['overTemperature']);
    });

    it('opens the contactor at the stop temperature', async () => {
      const world = new World();
      world.files.set(FILE, '30000');
      const board = await world.open(warm());
      const evse = board.connectors[0]?.evse;
      await world.ev('B');
      evse?.offer(16);
      await world.clock.advance(200);
      await world.ev('C');
      evse?.permit(true);
      expect(world.coil).toBe(1);
      world.files.set(FILE, '70000');
      await world.clock.advance(5000);
      expect([world.coil, board.faults[0]?.code]).toEqual([0, 'overTemperature']);
    });

    it('opens without one that does not answer, with less current', async () => {
      const world = new World();
      const board = await world.open(warm());
      expect(board.connectors[0]?.derating).toMatchObject({ celsius: undefined, factor: 0.25 });
      await world.clock.advance(10_000);
      expect(board.faults.map(({ info }) => info)).toEqual(['Thermometer does not answer']);
    });
  });

  it('has a dimming contact where the board names its line', async () => {
    const world = new World();
    world.chip.levels.set(42, 1);
    const board = await world.open({ ...BOARD, dimming: { line: 42, activeLow: true } });
    expect(board.dimming?.active).toBe(false);
    world.chip.pull(42, 0);
    await world.clock.advance(100);
    expect(board.dimming?.active).toBe(true);
    expect(await new World().open()).not.toHaveProperty('dimming');
  });

  describe('at the grid connection of a house', () => {
    const GRID: GridFitting = { fuseA: 35, meter: { map: MAP, bus: { port: '/dev/rs485' }, unit: 9 } };

    it('has its meter, on a bus that it may share, and believes what a fuse can carry for a while', async () => {
      const world = new World();
      const board = await world.open(BOARD, [FITTING], GRID);
      expect(board.gridMeter).toBeDefined();
      expect(world.buses).toHaveLength(1);
      expect(world.places).toMatchObject([
        { unit: 1, maxA: 20 },
        { unit: 9, maxA: 70, phases: 3 },
      ]);
      await board.close();
      expect(world.closed).toEqual(['meter', 'meter', 'bus']);
    });

    it('raises nothing when that meter is silent: whoever reads it has a safe current', async () => {
      const world = new World();
      const board = await world.open(BOARD, [FITTING], GRID);
      world.silent(true);
      expect([board.faults, world.warnings, world.infos]).toEqual([
        [],
        ['the meter of the grid connection does not answer'],
        [],
      ]);
      world.silent(false);
      expect(world.infos).toEqual(['the meter of the grid connection answers again']);
    });

    it('has none without one', async () => {
      expect(await new World().open()).not.toHaveProperty('gridMeter');
      expect(await new World().open(BOARD, [FITTING], { fuseA: 35 })).not.toHaveProperty('gridMeter');
    });
  });
});

describe('whether the board is watched', () => {
  /** Of these timers none goes off any more, as if whatever set them stood still. */
  const without = (clock: VirtualClock, delayMs: number) => {
    const stuck = { now: false };
    const timebase = {
      now: () => clock.now(),
      after: (afterMs: number, action: () => void) =>
        clock.after(afterMs, () => (stuck.now && afterMs === delayMs ? undefined : action())),
    };
    return { stuck, timebase };
  };
  const SAMPLE_MS = 10;
  const log = { info: () => {}, warn: () => {} };

  it('is true while the pilot is sampled, whatever its comparators say, and false 100 ms after the last sample', async () => {
    const world = new World();
    const { stuck, timebase } = without(world.clock, SAMPLE_MS);
    const board = await openBoard(BOARD, [FITTING], { clock: timebase, log }, { drivers: world.drivers });
    await world.ev('C');
    for (const line of LEVEL_LINES) world.chip.pull(line, 0);
    await world.clock.advance(2_000);
    expect(board.watched).toBe(true);
    stuck.now = true;
    await world.clock.advance(100);
    expect(board.watched).toBe(true);
    await world.clock.advance(1);
    expect(board.watched).toBe(false);
  });

  it('stops the dead man within 300 ms of the last sample, though timers still go off', async () => {
    const world = new World();
    const { stuck, timebase } = without(world.clock, SAMPLE_MS);
    const description = { ...BOARD, deadMan: { line: 20, activeLow: true } };
    const board = await openBoard(description, [FITTING], { clock: timebase, log }, { drivers: world.drivers });
    const edges = () => world.chip.log.filter((entry) => entry.startsWith('20=')).length;
    await world.clock.advance(1_000);
    expect(edges()).toBe(21);
    stuck.now = true;
    await world.clock.advance(300);
    const last = edges();
    expect(last).toBeLessThan(21 + 4);
    await world.clock.advance(5_000);
    expect([edges(), board.watched]).toEqual([last, false]);
  });

  it('ends the dead man before anything else is closed, with its line off', async () => {
    const world = new World();
    const board = await world.open({ ...BOARD, deadMan: { line: 20, activeLow: true } });
    expect(world.chip.log).toContain('out 20=1');
    await world.clock.advance(1_000);
    await world.until(board.close());
    const edges = world.chip.log.length;
    await world.clock.advance(1_000);
    expect([world.chip.levels.get(20), world.chip.log.length]).toEqual([1, edges]);
  });

  it('is true of a controller that gives no answer, which is a fault, and false of one whose poll never ends', async () => {
    const world = new World();
    const fake = new FakeController();
    const board = await world.openWithController(fake);
    fake.silent = true;
    await world.clock.advance(60_000);
    expect([board.watched, board.faults[0]?.code]).toEqual([true, 'controllerSilent']);
    fake.silent = false;
    await world.clock.advance(2_000);
    fake.readRegisters = () => new Promise(() => {});
    await world.clock.advance(9_000);
    expect(board.watched).toBe(true);
    await world.clock.advance(2_000);
    expect(board.watched).toBe(false);
  });
});

describe('a protected connector', () => {
  const RCD = 40;
  const TEST = 41;
  const CLOSED_LINES = {
    rcd: { tripped: { line: RCD }, test: { line: TEST, tripsWithinMs: 200, recoversWithinMs: 200 } },
  };

  const open = async (protection: Protection, offers: EnergyMeter['offers'] = { current: ['L1', 'L2', 'L3'] }) => {
    const world = new World();
    const { onWrite } = world.chip;
    world.chip.onWrite = (line, level) => {
      onWrite(line, level);
      if (line === TEST) world.clock.after(50, () => world.chip.pull(RCD, level));
    };
    const values = { current: { L1: 16, L2: 16, L3: 16 } };
    const meter = { read: 0, values };
    const drivers: Drivers = {
      ...world.drivers,
      meter: async () => ({
        offers,
        read: async () => {
          meter.read++;
          return { at: world.clock.now(), serialNumber: undefined, values: meter.values };
        },
        close: () => {},
      }),
    };
    const [connector] = BOARD.connectors;
    if (connector === undefined) throw new Error('no connector');
    const board = await openBoard(
      { ...BOARD, connectors: [{ ...connector, ...CLOSED_LINES }] },
      [FITTING],
      { clock: world.clock, log: { info: () => {}, warn: () => {} } },
      { drivers, protection },
    );
    const evse = board.connectors[0]?.evse;
    if (evse === undefined) throw new Error('no connector');
    const charge = async () => {
      await world.ev('B');
      evse.offer(16);
      await world.clock.advance(200);
      await world.ev('C');
      evse.permit(true);
      return world.coil;
    };
    const faults = () => board.faults.map(({ code }) => code);
    return { world, board, meter, charge, faults };
  };
  const OVER_CURRENT = { factor: 1.1, marginA: 0.5, forS: 7 };

  it('tests its RCD over the two lines before anything charges, and counts its contactor', async () => {
    const { world, board, charge, faults } = await open({});
    expect(world.chip.levels.get(TEST)).toBe(1);
    await world.clock.advance(60);
    expect([world.chip.levels.get(TEST), faults()]).toEqual([0, []]);
    await world.clock.advance(100);
    expect(await charge()).toBe(1);
    world.chip.pull(RCD, 1);
    expect([world.coil, faults()]).toEqual([0, ['groundFault']]);
    expect(board.connectors[0]?.wear?.counts).toEqual({ operations: 1, underLoad: 1 });
    await board.close();
    // The wires of this test.
    await world.clock.advance(50);
    expect([world.clock.armed, world.chip.open.size]).toEqual([0, 0]);
  });

  it('reads its meter each second while it charges, and opens at an over-current', async () => {
    const { world, board, meter, charge, faults } = await open({ overCurrent: OVER_CURRENT });
    await world.clock.advance(1000);
    expect([await charge(), meter.read]).toEqual([1, 0]);
    await world.clock.advance(5500);
    expect(meter.read).toBe(6);
    meter.values = { current: { L1: 16, L2: 16, L3: 25 } };
    await world.clock.advance(7000);
    expect([world.coil, faults()]).toEqual([1, []]);
    await world.clock.advance(1000);
    expect([world.coil, faults()]).toEqual([0, ['overCurrent']]);
    await board.close();
    // The wires of this test.
    await world.clock.advance(50);
    expect(world.clock.armed).toBe(0);
  });

  it.each<[string, Protection, EnergyMeter['offers']]>([
    ['where nothing is watched', {}, { current: ['L1'] }],
    ['for what it does not measure', { overCurrent: OVER_CURRENT }, { voltage: ['L1'] }],
  ])('does not ask its meter of its own accord %s', async (_what, protection, offers) => {
    const { world, meter, charge } = await open(protection, offers);
    await world.clock.advance(1000);
    expect(await charge()).toBe(1);
    await world.clock.advance(60_000);
    expect(meter.read).toBe(0);
  });

  it('says that its proximity pilot makes no sense', async () => {
    const world = new World();
    const board = await world.open(BOARD, [{ ...FITTING, cable: 'socket' }]);
    world.chip.pull(13, 1);
    await world.clock.advance(100);
    expect(board.faults).toEqual([{ code: 'proximityFault', connectorId: 1 }]);
    world.chip.pull(13, 0);
    await world.clock.advance(100);
    expect(board.faults).toEqual([]);
  });
});
