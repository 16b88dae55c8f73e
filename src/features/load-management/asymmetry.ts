/** What the phases of a connector may differ by (OVE R 37, VDE-AR-N 4100): on one phase that is all there is to offer. */
import type { ConnectorHardware, Lines } from '../../../hal/contract.ts';
import type { Connector } from '../../core/connector/state.ts';
import { type Asymmetry, judgeAsymmetry, SYMMETRIC } from '../../core/load/asymmetry.ts';
import type { Bound } from '../../core/load/bound.ts';
import type { PerLine } from '../../core/load/grid.ts';
import type { Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

export interface AsymmetryWatch {
  /** The meter of this connector has to be read: an EV may be drawing unevenly. */
  watches(connectorId: number): boolean;
  /** What the meter of a connector shows. */
  drawn(connectorId: number, at: number, current: Lines | undefined): void;
  readonly stop: Unsubscribe;
}

const UNWATCHED: AsymmetryWatch = { watches: () => false, drawn: () => {}, stop: () => {} };

/** A connector that is wired to one phase is known to be uneven; on three phases the meter tells what the EV takes. */
export function boundByAsymmetry({ board, config, limits, log, station }: Context): AsymmetryWatch {
  const { asymmetryA } = config.installation;
  if (asymmetryA === undefined) return UNWATCHED;
  const concerned = board.connectors.filter(({ maxA }) => maxA > asymmetryA);
  const seen = new Map<number, Asymmetry>();
  let bounded: readonly number[] = [];

  const seenOf = (id: number): Asymmetry => seen.get(id) ?? SYMMETRIC;
  const isBounded = ({ id }: ConnectorHardware): boolean =>
    station.connector(id)?.phases.connected === 1 || seenOf(id).bounded;
  const boundOf = (connectorId: number): Bound => ({
    source: 'asymmetry',
    connectorId,
    limitA: asymmetryA,
    reason: `the phases may differ by ${asymmetryA} A`,
    urgent: true,
  });
  const tell = (): void => {
    const now = concerned.filter(isBounded).map(({ id }) => id);
    if (now.join() === bounded.join()) return;
    bounded = now;
    limits.bound('asymmetry', bounded.map(boundOf));
  };
  const watches = (connectorId: number): boolean => {
    const hardware = concerned.find(({ id }) => id === connectorId);
    return hardware !== undefined && canTell(hardware) && isOnAllPhases(station.connector(connectorId));
  };

  tell();
  const unsubscribe = station.onChange(({ after }) => {
    // Whoever comes next may be another EV.
    if (after.pilot === 'A') seen.delete(after.id);
    tell();
  });
  return {
    watches,
    drawn: (connectorId, at, current) => {
      const amps = linesOf(current);
      if (amps === undefined || !watches(connectorId)) return;
      const before = seenOf(connectorId);
      const after = judgeAsymmetry(before, { at, amps }, asymmetryA);
      seen.set(connectorId, after);
      if (after.bounded && !before.bounded) log.info('an EV takes its phases unevenly', { connectorId, amps });
      tell();
    },
    stop: unsubscribe,
  };
}

const canTell = ({ meter }: ConnectorHardware): boolean =>
  (['L1', 'L2', 'L3'] as const).every((line) => meter.offers.current?.includes(line));

const isOnAllPhases = (connector: Connector | undefined): boolean =>
  connector !== undefined && connector.contactor === 'closed' && connector.phases.connected === 3;

const linesOf = ({ L1, L2, L3 }: Lines = {}): PerLine | undefined =>
  L1 === undefined || L2 === undefined || L3 === undefined ? undefined : [L1, L2, L3];
