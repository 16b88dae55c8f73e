/** Lamps and a buzzer in virtual time: each level that was written, and when. */
import { describe, expect, it } from 'vitest';
import type { IndicatorLine } from '../../../hal/contract.ts';
import { indicatorOn } from '../../../hal/gpio/indicator.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';

class Panel {
  readonly clock = new VirtualClock();
  readonly warnings: unknown[] = [];
  broken = false;
  readonly #changes: string[] = [];
  readonly #on = new Map<IndicatorLine, boolean>();
  readonly indicator;

  constructor(...names: readonly IndicatorLine[]) {
    const lines = names.map((name) => [name, { write: (on: boolean) => this.#write(name, on) }] as const);
    const log = { info: () => {}, warn: (_: string, fields?: unknown) => void this.warnings.push(fields) };
    this.indicator = indicatorOn(1, new Map(lines), { clock: this.clock, log });
  }

  #write(name: IndicatorLine, on: boolean): void {
    if (this.broken) throw new Error('ENODEV');
    if ((this.#on.get(name) ?? false) === on) return;
    this.#on.set(name, on);
    this.#changes.push(`${this.clock.now()} ${name} ${on ? 'on' : 'off'}`);
  }

  /** What has changed since the last call. */
  changes(): readonly string[] {
    return this.#changes.splice(0);
  }
}

describe('an indicator', () => {
  it('that only shines arms no timer', async () => {
    const panel = new Panel('red', 'green');
    panel.indicator.show({ green: 'on' });
    await panel.clock.advance(60_000);
    expect(panel.changes()).toEqual(['0 green on']);
    panel.indicator.show({ red: 'on' });
    expect(panel.changes()).toEqual(['60000 green off', '60000 red on'].toSorted((a, b) => b.localeCompare(a)));
  });

  it('blinks in its turns until something else is shown', async () => {
    const panel = new Panel('green', 'blue');
    panel.indicator.show({ green: [500, 250] });
    await panel.clock.advance(1300);
    expect(panel.changes()).toEqual(['0 green on', '500 green off', '750 green on', '1250 green off']);
    panel.indicator.show({ blue: 'on' });
    await panel.clock.advance(5000);
    expect(panel.changes()).toEqual(['1300 blue on']);
  });

  it('does not begin anew when the same is shown again', async () => {
    const panel = new Panel('green');
    panel.indicator.show({ green: [500, 500] });
    await panel.clock.advance(400);
    panel.indicator.show({ green: [500, 500] });
    await panel.clock.advance(300);
    expect(panel.changes()).toEqual(['0 green on', '500 green off']);
  });

  it('sounds its buzzer once, however long the pattern stands', async () => {
    const panel = new Panel('red', 'buzzer');
    panel.indicator.show({ red: 'on', buzzer: [100, 50, 100] });
    await panel.clock.advance(10_000);
    expect(panel.changes()).toEqual(['0 red on', '0 buzzer on', '100 buzzer off', '150 buzzer on', '250 buzzer off']);
  });

  it('flashes, and goes back to what stands, or was asked for meanwhile, without sounding again', async () => {
    const panel = new Panel('green', 'blue', 'buzzer');
    panel.indicator.show({ green: 'on', buzzer: [100] });
    await panel.clock.advance(1000);
    panel.changes();
    panel.indicator.flash({ green: [50, 50, 50], buzzer: [20] });
    await panel.clock.advance(60);
    panel.indicator.show({ blue: 'on', buzzer: [30] });
    await panel.clock.advance(1000);
    expect(panel.changes()).toEqual([
      '1000 buzzer on',
      '1020 buzzer off',
      '1050 green off',
      '1100 green on',
      '1150 green off',
      '1150 blue on',
    ]);
  });

  it('warns once when a line is lost, throws nothing, and works again when the line is back', async () => {
    const panel = new Panel('red');
    panel.broken = true;
    panel.indicator.show({ red: [100, 100] });
    await panel.clock.advance(1000);
    expect(panel.warnings).toEqual([{ connectorId: 1, line: 'red', cause: 'Error: ENODEV' }]);
    panel.broken = false;
    await panel.clock.advance(300);
    expect(panel.changes()).toEqual(['1200 red on', '1300 red off']);
  });

  it('is dark after close, for ever', async () => {
    const panel = new Panel('red', 'buzzer');
    panel.indicator.show({ red: [100, 100] });
    panel.indicator.flash({ buzzer: [500] });
    panel.indicator.close();
    panel.changes();
    panel.indicator.show({ red: 'on' });
    panel.indicator.flash({ red: 'on' });
    await panel.clock.advance(2000);
    expect(panel.changes()).toEqual([]);
  });
});
