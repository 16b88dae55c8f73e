/** The rig: what the configuration says of the installation becomes hardware and inputs of the bench. */
import { describe, expect, it } from 'vitest';
import { openRig } from '../../src/cli/rig.ts';
import { platformClock } from '../../src/platform/clock.ts';
import type { Ports } from '../../src/ports.ts';
import { bench, load } from '../config/support.ts';

const open = async (installation: object, protection?: object) => {
  const { bench: _, ...withoutBench } = bench;
  const { config } = load({ ...withoutBench, installation, ...(protection && { protection }) });
  if (config === undefined) throw new Error('no configuration');
  const clock = platformClock('boot');
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => log };
  // The mock board asks no port but these.
  const ports = { clock, log } as Partial<Ports> as Ports;
  const { board, close } = await openRig({ config, ports, clock });
  await close();
  clock.close();
  return board;
};

describe('the rig of a mock board', () => {
  it('has a grid meter and a dimming contact where the installation has them', async () => {
    const board = await open({ gridConnection: { fuseA: 35 }, dimming: { limitW: 4200 } });
    expect(board).toMatchObject({ gridMeter: expect.anything(), dimming: { active: false } });
  });

  it('has RCDs that are tested, and contactors that are counted, where somebody wants that', async () => {
    const board = await open({}, { rcdTest: 'day' });
    expect(board).toMatchObject({
      testsRcds: true,
      connectors: [{ wear: { counts: { operations: 0, underLoad: 0 } } }],
    });
    const plain = await open({});
    expect(plain).toMatchObject({ testsRcds: false });
    expect(plain.connectors[0]).not.toHaveProperty('wear');
  });

  it('has neither without them', async () => {
    const board = await open({});
    expect(board).not.toHaveProperty('gridMeter');
    expect(board).not.toHaveProperty('dimming');
  });
});
