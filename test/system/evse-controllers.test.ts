/** Each EVSE controller of config/controllers through the real driver, bus and a pty, against a peer that was written from its manual. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { EvseState, Surroundings } from '../../hal/contract.ts';
import { FaultBook } from '../../hal/fault-book.ts';
import { type ModbusBus, modbusBus } from '../../hal/modbus/bus.ts';
import type { ControllerMap } from '../../hal/modbus/controller-map.ts';
import { type ControllerEvse, MISSED_POLLS, openController, POLL_MS } from '../../hal/modbus/evse-controller.ts';
import { nodeFiles } from '../../src/platform/files.ts';

const RIG = fileURLToPath(new URL('rigs/evse-controllers.py', import.meta.url));
const mapOf = (model: string) =>
  parse(
    nodeFiles.read(fileURLToPath(new URL(`../../config/controllers/${model}.yaml`, import.meta.url))),
  ) as ControllerMap;

interface Said {
  readonly contactor: boolean;
  readonly pwm: number | null;
  readonly requests: number;
  readonly value?: number;
}

const surroundings: Surroundings = {
  clock: {
    now: () => performance.now(),
    after: (delayMs, action) => {
      const timer = setTimeout(action, Math.ceil(delayMs));
      return () => clearTimeout(timer);
    },
  },
  log: { info: () => undefined, warn: () => undefined },
};

/** The controller at the far end, and our driver at this one. */
class Rig {
  readonly #folder = mkdtempSync(join(tmpdir(), 'evse-controller-'));
  readonly #port = join(this.#folder, 'port');
  readonly #peer: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  readonly book = new FaultBook();
  readonly seen: EvseState[] = [];
  #bus: ModbusBus | undefined;
  #evse: ControllerEvse | undefined;

  constructor(peer: string) {
    this.#peer = spawn('/usr/bin/python3', [RIG, this.#port, peer]);
    this.#peer.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#peer.stdout })[Symbol.asyncIterator]();
  }

  async #answer(): Promise<Said> {
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error('the peer has ended');
    return JSON.parse(value) as Said;
  }

  say(command: string): Promise<Said> {
    this.#peer.stdin.write(`${command}\n`);
    return this.#answer();
  }

  async open(model: string): Promise<ControllerEvse> {
    await this.#answer();
    const map = mapOf(model);
    this.#bus = modbusBus({ path: this.#port, ...map.serial }, surroundings);
    const site = { unit: 1, connectorId: 1, maxA: 32, ventilated: false, book: this.book, surroundings };
    this.#evse = await openController(this.#bus, map, site);
    // As the agent does: the permit goes with the wish of the EV.
    const { evse } = this;
    evse.onState((state) => {
      this.seen.push(state);
      evse.permit(state.pilot === 'C');
    });
    return evse;
  }

  get evse(): ControllerEvse {
    if (this.#evse === undefined) throw new Error('not open');
    return this.#evse;
  }

  get faults(): readonly string[] {
    return this.book.current.map(({ code }) => code).toSorted();
  }

  /** How long it took. */
  async until(what: string, condition: () => boolean, withinMs = 5_000): Promise<number> {
    const from = performance.now();
    while (!condition()) {
      if (performance.now() - from > withinMs)
        throw new Error(`not within ${withinMs} ms: ${what}; ${JSON.stringify([this.evse.state, this.faults])}`);
      await delay(5);
    }
    return performance.now() - from;
  }

  async untilPeer(what: string, condition: (said: Said) => boolean, withinMs = 5_000): Promise<number> {
    const from = performance.now();
    for (let said = await this.say('look'); !condition(said); said = await this.say('look')) {
      if (performance.now() - from > withinMs)
        throw new Error(`not within ${withinMs} ms: ${what}; ${JSON.stringify(said)}`);
      await delay(5);
    }
    return performance.now() - from;
  }

  async charge(amps: number): Promise<void> {
    await this.say('ev connected');
    await this.until('B', () => this.evse.state.pilot === 'B');
    this.evse.offer(amps);
    await this.untilPeer('PWM', ({ pwm }) => pwm === amps);
    await this.say('ev ready');
    await this.until('charging', () => this.evse.state.contactor === 'closed' && this.evse.state.pilot === 'C');
    expect(await this.say('look')).toMatchObject({ contactor: true, pwm: amps });
  }

  async end(): Promise<void> {
    this.#evse?.stop();
    await this.#bus?.close();
    this.#peer.kill('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const rigs: Rig[] = [];
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.end();
});

describe.each([
  { model: 'evse-wb-din', peer: 'evse-wb' },
  { model: 'phoenix-ev-cc', peer: 'ev-cc' },
])('$model', ({ model, peer }) => {
  const open = async (before: readonly string[] = []): Promise<Rig> => {
    const rig = new Rig(peer);
    rigs.push(rig);
    const opening = rig.open(model);
    for (const command of before) await rig.say(command);
    await opening;
    return rig;
  };

  it('plug, charge, another current, stop, unplug', async () => {
    const rig = await open();
    // What it begins with by itself is taken away.
    await rig.untilPeer('no PWM', ({ pwm }) => pwm === null);
    expect(rig.evse.state).toEqual({ pilot: 'A', contactor: 'open' });
    await rig.charge(16);
    expect(rig.evse.proximity.cableA).toBe(32);
    rig.evse.offer(10);
    await rig.untilPeer('10 A', ({ pwm, contactor }) => pwm === 10 && contactor);
    rig.evse.offer('x1');
    const offMs = await rig.untilPeer('open', ({ contactor, pwm }) => !contactor && pwm === null);
    await rig.until('B', () => rig.evse.state.pilot === 'B' && rig.evse.state.contactor === 'open');
    expect(await rig.evse.hasOpened()).toBe(true);
    await rig.say('ev none');
    await rig.until('A', () => rig.evse.state.pilot === 'A');
    expect(rig.evse.proximity.cableA).toBeUndefined();
    expect(rig.faults).toEqual([]);
    console.info(model, { x1ToOpenMs: Math.round(offMs) });
  });

  it('an EV that pauses and comes back charges on', async () => {
    const rig = await open();
    await rig.charge(16);
    await rig.say('ev connected');
    await rig.until('B', () => rig.evse.state.pilot === 'B' && rig.evse.state.contactor === 'open');
    await rig.say('ev ready');
    await rig.until('C', () => rig.evse.state.pilot === 'C' && rig.evse.state.contactor === 'closed');
    expect(rig.faults).toEqual([]);
  });

  it.each([
    ['a missing diode', 'diode missing', 'diode there', 'diodeFault'],
    ['a tripped RCD', 'rcd tripped', 'rcd well', 'groundFault'],
  ])('%s is a fault, takes the current away, and nothing comes back by itself', async (_what, begins, ends, code) => {
    const rig = await open();
    await rig.charge(16);
    await rig.say(begins);
    await rig.until(code, () => rig.faults.includes(code));
    await rig.untilPeer('open', ({ contactor, pwm }) => !contactor && pwm === null);
    await rig.until('withdrawn', () => rig.evse.withdrawn);
    await rig.say(ends);
    await rig.say('ev none');
    await rig.until('A', () => rig.evse.state.pilot === 'A');
    rig.book.reset(1);
    expect(rig.faults).toEqual([]);
    await rig.charge(16);
  });

  it('a trip takes the current away at once, whatever is offered', async () => {
    const rig = await open();
    await rig.charge(16);
    const from = performance.now();
    rig.book.raise({ code: 'emergencyStop', connectorId: 0 }, 'test');
    await rig.untilPeer('open', ({ contactor }) => !contactor);
    console.info(model, { tripToOpenMs: Math.round(performance.now() - from) });
    rig.evse.offer(16);
    await delay(2 * POLL_MS);
    expect(await rig.say('look')).toMatchObject({ contactor: false, pwm: null });
  });

  it('three silent polls lose the permit; back on the bus it is off until there is a new offer', async () => {
    const rig = await open();
    await rig.charge(16);
    await rig.say('silent yes');
    const lostMs = await rig.until('silent', () => rig.faults.includes('controllerSilent'), 10_000);
    expect(lostMs).toBeGreaterThan((MISSED_POLLS - 1) * POLL_MS);
    expect(rig.evse.state.pilot).toBe('E');
    await rig.say('silent no');
    await rig.until('back', () => !rig.faults.includes('controllerSilent'));
    await rig.untilPeer('off', ({ contactor, pwm }) => !contactor && pwm === null);
    await rig.until('known', () => rig.evse.state.pilot === 'B');
    rig.evse.offer(10);
    await rig.untilPeer('charging again', ({ contactor, pwm }) => contactor && pwm === 10);
    console.info(model, { silentToFaultMs: Math.round(lostMs) });
  });

  it('a controller whose supply was cut is told again what it is to do', async () => {
    const rig = await open();
    await rig.charge(10);
    await rig.say('power');
    await rig.untilPeer('10 A again', ({ contactor, pwm }) => contactor && pwm === 10);
    rig.evse.offer('x1');
    await rig.untilPeer('off', ({ pwm }) => pwm === null);
    await rig.say('power');
    await delay(2 * POLL_MS);
    expect(await rig.say('look')).toMatchObject({ contactor: false, pwm: null });
  });
});

describe('evse-wb-din', () => {
  it('what the controller sees is answered after one poll at most: the current is taken away in the exchange after it', async () => {
    const rig = new Rig('evse-wb');
    rigs.push(rig);
    await rig.open('evse-wb-din');
    const holds = async (amps: number): Promise<number> => {
      const from = performance.now();
      while ((await rig.say('get 1000')).value !== amps) await delay(2);
      return performance.now() - from;
    };
    const exchangeMs: number[] = [];
    const answerMs: number[] = [];
    for (let round = 0; round < 4; round++) {
      await rig.charge(16);
      // Any moment of the polling.
      await delay((round * POLL_MS) / 4);
      await rig.say('rcd tripped');
      answerMs.push(await holds(0));
      await rig.say('rcd well');
      await rig.say('ev none');
      await rig.until('A', () => rig.evse.state.pilot === 'A');
      rig.book.reset(1);
      // The floor: the same write, asked for by us.
      rig.evse.offer(16);
      exchangeMs.push(await holds(16));
      rig.evse.offer('x1');
      exchangeMs.push(await holds(0));
    }
    const [answer, exchange] = [Math.max(...answerMs), Math.max(...exchangeMs)];
    // One exchange is the poll itself, one the write.
    const ratio = answer / (POLL_MS + 2 * exchange);
    console.info('controller sees a trip -> current taken away', { answerMs, exchangeMs, ratio });
    expect(ratio).toBeLessThanOrEqual(1.5);
  });
});

describe('phoenix-ev-cc', () => {
  it('is set up once so that it obeys the bus, and never again while it keeps that', async () => {
    const rig = new Rig('ev-cc');
    rigs.push(rig);
    await rig.open('phoenix-ev-cc');
    expect((await rig.say('get 4000')).value).toBe(3);
    // Somebody changes it: after the next silence it is looked at again.
    await rig.say('put 4000 0');
    await rig.say('silent yes');
    await rig.until('silent', () => rig.faults.includes('controllerSilent'), 10_000);
    await rig.say('silent no');
    await rig.until('back', () => rig.faults.length === 0);
    expect((await rig.say('get 4000')).value).toBe(3);
  });
});
