/** A controller that is enabled by a coil (Phoenix EV-CC), in memory: what is written, and in which order. */
import { describe, expect, it } from 'vitest';
import { FaultBook } from '../../hal/fault-book.ts';
import { HalError } from '../../hal/hal-error.ts';
import type { Manners } from '../../hal/modbus/bus.ts';
import type { ControllerBus } from '../../hal/modbus/controller-link.ts';
import { openController, POLL_MS } from '../../hal/modbus/evse-controller.ts';
import { settle, VirtualClock } from '../sim/virtual-clock.ts';
import { controllerFile } from './modbus/controller-maps.ts';

const B2 = 0x4232;
const A1 = 0x4131;

class CoilController implements ControllerBus {
  readonly values = new Map<number, number>([
    [4000, 1],
    [20000, 0],
    [22000, 16],
    [24000, A1],
    [24001, 0],
    [24025, 0],
  ]);
  readonly writes: string[] = [];
  /** Its switches decide about register 4000. */
  stubborn = false;
  /** The next write of the coil is carried out, and its acknowledgement is lost. */
  losesAcknowledgement = false;

  /** How long a write of a register takes. */
  wait: () => Promise<void> = async () => {};
  /** Comes between two requests of a poll, before this register is read. */
  between: { readonly address: number; happens(): Promise<void> } | undefined;

  async readRegisters(_code: number, _unit: number, address: number, count: number) {
    if (this.between?.address === address) await this.between.happens();
    return Array.from({ length: count }, (_, index) => this.values.get(address + index) ?? 0);
  }

  async writeRegisters(): Promise<void> {
    throw new HalError('badReply', 'illegal function');
  }

  async writeSingle(what: 'coil' | 'register', _unit: number, address: number, value: number, manners: Manners) {
    if (what === 'register') await this.wait();
    this.writes.push(`${what} ${address}=${value}${manners.urgent === true ? ' urgent' : ''}`);
    if (!(this.stubborn && address === 4000)) this.values.set(address, value);
    if (what === 'coil' && this.losesAcknowledgement) {
      this.losesAcknowledgement = false;
      throw new HalError('meterSilent', 'test');
    }
  }
}

async function setUp(prepare: (fake: CoilController) => void = () => {}) {
  const clock = new VirtualClock();
  const fake = new CoilController();
  prepare(fake);
  const evse = await openController(fake, controllerFile('phoenix-ev-cc'), {
    unit: 1,
    connectorId: 1,
    maxA: 80,
    ventilated: false,
    book: new FaultBook(),
    surroundings: { clock, log: { info: () => {}, warn: () => {} } },
  });
  return { clock, fake, evse };
}

describe('a controller with a coil', () => {
  it('is set up so that the coil counts, unless it is already', async () => {
    expect((await setUp()).fake.writes).toEqual(['register 4000=3']);
    expect((await setUp((fake) => fake.values.set(4000, 3))).fake.writes).toEqual([]);
  });

  it('that does not take its setting is refused, with what is wrong', async () => {
    const opening = setUp((fake) => {
      fake.stubborn = true;
    });
    await expect(opening).rejects.toMatchObject({
      code: 'badBoard',
      message: expect.stringMatching(/keeps 1 in register 4000, expected 3: charging is enabled by coil 20000/),
    });
  });

  it('that was left enabled is switched off before anybody uses it', async () => {
    const { fake } = await setUp((left) => left.values.set(20000, 1));
    expect(fake.values.get(20000)).toBe(0);
  });

  it('gets the current before the coil, and only the coil to take it away', async () => {
    const { clock, fake, evse } = await setUp();
    fake.values.set(24000, B2);
    await clock.advance(POLL_MS);
    fake.writes.length = 0;
    evse.offer(13.7);
    await settle();
    evse.offer('x1');
    await settle();
    expect(fake.writes).toEqual(['register 22000=13 urgent', 'coil 20000=1 urgent', 'coil 20000=0 urgent']);
  });

  it('is never enabled for a current that was taken back while its register was being written', async () => {
    const { clock, fake, evse } = await setUp();
    fake.writes.length = 0;
    let written = () => {};
    fake.wait = () =>
      new Promise((resolve) => {
        written = resolve;
      });
    evse.offer(16);
    await settle();
    evse.permit(false);
    written();
    await clock.advance(2 * POLL_MS);
    expect(fake.writes).toEqual(['register 22000=16 urgent', 'coil 20000=0 urgent']);
  });

  it('is switched off by the fault of a poll that had read the coil before it was switched on', async () => {
    const { clock, fake, evse } = await setUp();
    fake.values.set(24000, B2);
    await clock.advance(POLL_MS);
    fake.between = {
      address: 24025,
      async happens() {
        fake.between = undefined;
        evse.offer(16);
        await settle();
        fake.values.set(24025, 1 << 15);
      },
    };
    await clock.advance(POLL_MS);
    expect(fake.writes.slice(-2)).toEqual(['coil 20000=1 urgent', 'coil 20000=0 urgent']);
    expect([evse.withdrawn, fake.values.get(20000)]).toEqual([true, 0]);
  });

  it('never gets more than it can signal', async () => {
    const { fake, evse } = await setUp();
    evse.offer(80);
    await settle();
    expect(fake.values.get(22000)).toBe(63);
  });

  it('whose acknowledgement was lost is told again, until what it says is what is wanted', async () => {
    const { clock, fake, evse } = await setUp();
    evse.offer(16);
    await settle();
    fake.losesAcknowledgement = true;
    evse.offer('x1');
    await settle();
    expect(evse.withdrawn).toBe(false);
    await clock.advance(POLL_MS);
    expect([evse.withdrawn, fake.values.get(20000)]).toEqual([true, 0]);
  });
});
