/** Reads the meters while connectors share a supply or an EV may draw unevenly, and the grid meter while somebody may charge behind it. */
import type { EnergyMeter, Lines, Reading } from '../../../hal/contract.ts';
import type { Connector } from '../../core/connector/state.ts';
import type { PerLine, PerPhase } from '../../core/load/grid.ts';
import { type HouseSample, leftOver, withSample } from '../../core/load/house.ts';
import type { Cancel, Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';
import type { AsymmetryWatch } from './asymmetry.ts';

/** IEC 61851-1 gives an EV 5 s to follow, and a circuit breaker bears a little too much for minutes. */
const LOOK_EVERY_MS = 2000;
/** A meter that takes longer is silent. */
const ANSWERS_WITHIN_MS = 2000;

export function watchDraws(context: Context, asymmetry: AsymmetryWatch): Unsubscribe {
  const { board, clock, config, limits, station } = context;
  const { gridConnection } = config.installation;
  let timer: Cancel | undefined;
  let samples: readonly HouseSample[] = [];
  /** The grid meter has been asked and has not said anything since. */
  let isSilent = false;
  /** They have not answered yet. */
  const asked = new Set<EnergyMeter>();

  /** Undefined if it does not answer in time. One that hangs must not hide what the others say; who owns it says that it is silent. */
  const read = async (meter: EnergyMeter): Promise<Reading | undefined> => {
    if (asked.has(meter)) return undefined;
    asked.add(meter);
    return new Promise((resolve) => {
      const silent = (): void => resolve(undefined);
      const cancel = clock.after(ANSWERS_WITHIN_MS, silent);
      const answered = meter.read().then(resolve, silent);
      void answered.finally(() => {
        cancel();
        asked.delete(meter);
      });
    });
  };

  const lookAtConnectors = async (): Promise<void> => {
    const busy = board.connectors.filter(({ id }) => isBusy(station.connector(id)));
    await Promise.all(
      busy.map(async ({ id, meter }) => {
        const reading = await read(meter);
        const amps = reading && linesOf(reading.values.current);
        if (reading !== undefined && amps !== undefined) limits.drawn(id, reading.at, amps);
        if (reading !== undefined) asymmetry.drawn(id, reading.at, reading.values.current);
      }),
    );
  };

  /** Our own is read before and after the house, and the greater one counts: an EV that begins in between is nobody else. */
  const lookAtAll = async (): Promise<void> => {
    const before = limits.ownDraw;
    const reading = board.gridMeter && (await read(board.gridMeter));
    await lookAtConnectors();
    const total = reading && linesOf(reading.values.current);
    isSilent = total === undefined;
    if (reading !== undefined && total !== undefined)
      samples = withSample(samples, { at: reading.at, total, own: mostOf(before, limits.ownDraw) });
    boundByHouse();
  };

  const boundByHouse = (): void => {
    if (gridConnection === undefined) return;
    const { safeA } = config.installation;
    const left = leftOver(samples, gridConnection.fuseA, clock.now());
    const perPhase = left ?? ([safeA, safeA, safeA] as const);
    const limitA = Math.min(...perPhase);
    const why = isSilent ? 'the grid meter is silent' : 'the house is not measured yet';
    const reason = left === undefined ? `${why}: ${safeA} A` : reasonOf(limitA);
    limits.bound('gridConnection', [
      { source: 'gridConnection', connectorId: 0, limitA, perPhase, reason, urgent: true },
    ]);
  };

  const isWanted = (): boolean => {
    const busy = station.connectors.filter(isBusy);
    if (busy.some(({ id }) => asymmetry.watches(id))) return true;
    return board.gridMeter !== undefined ? busy.length > 0 : limits.isShared && busy.length > 1;
  };

  /** What it throws nobody catches: a house that is not watched any more is a reason to open all contactors. */
  const look = async (): Promise<void> => {
    await lookAtAll();
    limits.look();
    looking = isWanted() && !stopped;
    if (looking) timer = clock.after(LOOK_EVERY_MS, () => void look());
  };

  let looking = false;
  let stopped = false;
  const wake = (): void => {
    if (looking || !isWanted()) return;
    looking = true;
    // What the house left when somebody was here last is of no use.
    boundByHouse();
    void look();
  };

  boundByHouse();
  const unsubscribe = station.onChange(wake);
  return () => {
    unsubscribe();
    stopped = true;
    timer?.();
  };
}

/** Somebody is there who draws, or is about to. */
const isBusy = (connector: Connector | undefined): boolean =>
  connector !== undefined && (connector.contactor === 'closed' || connector.phase.name !== 'idle');

/** Below 6 A the text stays the same, whatever the house does: each change of it would be a StatusNotification. */
const reasonOf = (limitA: number): string =>
  limitA < 6 ? 'the house leaves less than 6 A' : `the house leaves ${limitA} A`;

const mostOf = (a: PerPhase, b: PerPhase): PerPhase =>
  [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.max(a[2], b[2])] as const;

const linesOf = (current: Lines | undefined): PerLine | undefined =>
  current?.L1 === undefined ? undefined : [current.L1, current.L2 ?? 0, current.L3 ?? 0];
