/** What the lamps show of a session, and of a tag that was accepted or not, in a virtual world. */
import { describe, expect, it } from 'vitest';
import type { Indicator, IndicatorPattern } from '../../../hal/contract.ts';
import type { MockBoard } from '../../../hal/mock/mock-board.ts';
import { USUAL_PATTERNS } from '../../../src/features/indicator/patterns.ts';
import { seconds } from '../../sim/virtual-clock.ts';
import { World, type WorldOptions } from '../../sim/world.ts';

const nameOf = (pattern: IndicatorPattern): string =>
  Object.entries(USUAL_PATTERNS).find(([, usual]) => usual === pattern)?.[0] ?? 'unknown';

/** Notes what it is told, as a real one would play it: the same again changes nothing. */
class Lamps implements Indicator {
  readonly connectorId: number;
  readonly #told: string[] = [];
  #shown = '';

  constructor(connectorId: number) {
    this.connectorId = connectorId;
  }

  show(pattern: IndicatorPattern): void {
    if (this.#shown !== nameOf(pattern)) this.#told.push(nameOf(pattern));
    this.#shown = nameOf(pattern);
  }

  flash(pattern: IndicatorPattern): void {
    this.#told.push(`(${nameOf(pattern)})`);
  }

  /** Since the last call. */
  told(): string {
    return this.#told.splice(0).join(' ');
  }
}

async function start(options: WorldOptions = {}, ...connectors: readonly number[]) {
  const lamps = (connectors.length > 0 ? connectors : [1]).map((id) => new Lamps(id));
  const furnish = (board: MockBoard) => Object.assign(board, { indicators: lamps });
  const world = await World.start({ furnish, ...options });
  const [first] = lamps;
  if (first === undefined) throw new Error('no lamps');
  return { world, first, lamps };
}

describe('the indicator of a connector', () => {
  it('shows the session from the plug to the end', async () => {
    const { world, first } = await start();
    expect(first.told()).toBe('offline Available');
    world.plugIn();
    await world.clock.advance(seconds(1));
    world.present('A');
    await world.clock.advance(seconds(5));
    expect(first.told()).toBe('Preparing (accepted) Charging');
    world.present('A');
    await world.clock.advance(seconds(5));
    world.unplug();
    await world.clock.advance(seconds(5));
    expect(first.told()).toBe('Finishing (accepted) Available');
  });

  it('says that a tag was refused: by the central system, or because nothing can begin here', async () => {
    const { world, first } = await start();
    world.central.answer('Authorize', () => ({ idTagInfo: { status: 'Blocked' } }));
    world.plugIn();
    await world.clock.advance(seconds(1));
    first.told();
    world.present('A');
    await world.clock.advance(seconds(1));
    expect(first.told()).toBe('(refused)');
    world.board.inputs.setFault(1, 'groundFault', {});
    world.present('B');
    await world.clock.advance(seconds(1));
    expect(first.told()).toBe('Faulted (refused)');
  });

  it('says once what became of a tag that is held there twice while it is decided about', async () => {
    const { world, first } = await start();
    world.plugIn();
    await world.clock.advance(seconds(1));
    first.told();
    world.present('A');
    world.present('A');
    await world.clock.advance(seconds(5));
    expect(first.told()).toBe('(accepted) Charging');
  });

  it('says nothing of a tag that comes again while its session is on the way out', async () => {
    const { world, first } = await start({ connectors: [{ id: 1, cable: 'attached', followsMs: 3000 }] });
    world.plugIn();
    world.present('A');
    await world.clock.advance(seconds(5));
    first.told();
    world.present('A');
    await world.clock.advance(500);
    expect(world.board.connector(1).observe().contactor).toBe('closed');
    world.present('A');
    await world.clock.advance(seconds(10));
    expect(first.told()).toBe('Finishing (accepted)');
  });

  it('shows offline only where it would be free: who charges is not disturbed', async () => {
    const { world, first } = await start({}, 1);
    first.told();
    world.network.cut();
    await world.clock.advance(seconds(120));
    expect(first.told()).toBe('offline');
    world.network.restore();
    await world.clock.advance(seconds(120));
    expect(first.told()).toBe('Available');
    world.plugIn();
    world.present('A');
    await world.clock.advance(seconds(5));
    first.told();
    world.network.cut();
    await world.clock.advance(seconds(120));
    expect(first.told()).toBe('');
  });

  it('is that of the reader: with two connectors the other one does not flash, and 0 is the whole charge point', async () => {
    const connectors = [
      { id: 1, cable: 'attached' },
      { id: 2, cable: 'attached' },
    ] as const;
    const { world, lamps } = await start({ connectors }, 1, 2, 0);
    for (const each of lamps) each.told();
    world.plugIn(2);
    await world.clock.advance(seconds(1));
    world.present('A', [2]);
    await world.clock.advance(seconds(5));
    expect(lamps.map((each) => each.told())).toEqual(['', 'Preparing (accepted) Charging', '(accepted)']);
  });
});
