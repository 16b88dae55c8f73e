/** Plays patterns on the lamps and the buzzer of a connector. Timers run only while something blinks. */
import type {
  Blinking,
  Cancel,
  Indicator,
  IndicatorLine,
  IndicatorPattern,
  Surroundings,
  Timebase,
} from '../contract.ts';
import type { OutputLine } from './line.ts';

export interface OpenedIndicator extends Indicator {
  /** Everything off. The lines stay open. */
  close(): void;
}

export function indicatorOn(
  connectorId: number,
  lines: ReadonlyMap<IndicatorLine, Pick<OutputLine, 'write'>>,
  { clock, log }: Surroundings,
): OpenedIndicator {
  const stops: Cancel[] = [];
  const broken = new Set<IndicatorLine>();
  let standing: IndicatorPattern = {};
  let flashing: Cancel | undefined;
  let open = true;

  const write = (name: IndicatorLine, on: boolean): void => {
    try {
      lines.get(name)?.write(on);
      broken.delete(name);
    } catch (cause) {
      // Once: a lamp that blinks would fill the log.
      if (!broken.has(name))
        log.warn('an indicator cannot be written', { connectorId, line: name, cause: String(cause) });
      broken.add(name);
    }
  };
  const play = (pattern: IndicatorPattern, once: boolean): void => {
    for (const stop of stops.splice(0)) stop();
    for (const name of lines.keys()) {
      const turns = pattern[name];
      if (typeof turns !== 'object') write(name, turns === 'on');
      else stops.push(blink(turns, once || name === 'buzzer', clock, (on) => write(name, on)));
    }
  };
  return {
    connectorId,
    show(pattern) {
      if (!open || same(pattern, standing)) return;
      standing = pattern;
      if (flashing === undefined) play(standing, false);
    },
    flash(pattern) {
      if (!open) return;
      flashing?.();
      play(pattern, true);
      flashing = clock.after(lengthMs(pattern), () => {
        flashing = undefined;
        // The buzzer of what stands has sounded when it began.
        play({ ...standing, ...(Array.isArray(standing.buzzer) ? { buzzer: [] } : {}) }, false);
      });
    },
    close() {
      open = false;
      flashing?.();
      play({}, true);
    },
  };
}

/** On and off in turn, beginning with on; once through it ends off. Returns how to stop it, at whatever level. */
function blink(turns: readonly number[], once: boolean, clock: Timebase, write: (on: boolean) => void): Cancel {
  let next: Cancel = () => {};
  const turn = (index: number): void => {
    const ms = turns[index];
    write(ms !== undefined && index % 2 === 0);
    if (ms === undefined) return;
    const following = index + 1 === turns.length && !once ? 0 : index + 1;
    next = clock.after(ms, () => turn(following));
  };
  turn(0);
  return () => next();
}

const lengthMs = (pattern: IndicatorPattern): number =>
  Math.max(
    0,
    ...Object.values(pattern).map((turns: Blinking) => (turns === 'on' ? 0 : turns.reduce((a, b) => a + b, 0))),
  );

const same = (a: IndicatorPattern, b: IndicatorPattern): boolean => JSON.stringify(a) === JSON.stringify(b);
