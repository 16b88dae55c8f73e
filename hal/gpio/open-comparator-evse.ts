/** Lines and channels of a board page -> an `Evse` with our own pilot, contactor and interlock. */
import type { ComparatorPilotEvseDescription, PwmDescription } from '../board-description.ts';
import { MIRROR_WITHIN_MS, monitoredContactor } from '../contactor-monitor.ts';
import type { Surroundings } from '../contract.ts';
import type { FaultBook } from '../fault-book.ts';
import { HalError } from '../hal-error.ts';
import { type OwnPilotEvse, ownPilotEvse } from '../own-pilot-evse.ts';
import { watchPilot } from '../pilot-faults.ts';
import { ComparatorPilot } from './comparator-pilot.ts';
import { type InputLine, type LineBackend, openInput, openOutput } from './line.ts';
import { FILTER_MOST_MS, SAMPLE_MS } from './pilot-filter.ts';
import type { Pwm } from './pwm.ts';
import { relayContactor } from './relay-contactor.ts';

/** IEC 61851-1 table A.6, sequences 2 and 8: from the pilot leaving C to the contacts being open. */
export const OPENING_BUDGET_MS = 100;
const WRITE_MS = 10;

/** The slowest that a board opens, in ms; more than 100 is refused. */
export const openingMs = (releaseMs: number): number => SAMPLE_MS + FILTER_MOST_MS + WRITE_MS + releaseMs;

export interface ComparatorEvseSite {
  readonly connectorId: number;
  readonly ventilated: boolean;
  readonly backend: LineBackend;
  openPwm(description: PwmDescription): Promise<Pwm>;
  readonly book: FaultBook;
  readonly surroundings: Surroundings;
  /** Takes what has to be closed; the board closes in reverse order, also if opening fails half-way. */
  keep(close: () => void | Promise<void>): void;
}

const input = async (site: ComparatorEvseSite, line: { line: number; activeLow?: boolean }): Promise<InputLine> => {
  const opened = await openInput(site.backend, line);
  site.keep(() => opened.close());
  return opened;
};

/** Coil off first, then the pilot at x1, then the inputs. Rejects with a HalError; what was opened until then is kept for closing. */
export async function openComparatorEvse(
  { pwm: channel, comparators, contactor, filterMs }: ComparatorPilotEvseDescription,
  site: ComparatorEvseSite,
): Promise<OwnPilotEvse> {
  if (openingMs(contactor.releaseMs) > OPENING_BUDGET_MS) {
    throw new HalError(
      'badBoard',
      `a contactor that takes ${contactor.releaseMs} ms to release is too slow: ${openingMs(contactor.releaseMs)} of at most ${OPENING_BUDGET_MS} ms`,
    );
  }
  const { book, connectorId, surroundings, ventilated } = site;
  const { clock } = surroundings;
  const coil = await openOutput(site.backend, contactor.coil);
  site.keep(() => coil.close());
  const pwm = await site.openPwm(channel);
  site.keep(() => pwm.close());
  const mirror = await input(site, contactor.mirror);
  const { belowMinus10V5 } = comparators;
  const negative = belowMinus10V5 === undefined ? undefined : await input(site, belowMinus10V5);
  if (negative === undefined) {
    surroundings.log.warn('this board cannot check the diode of the EV', { connectorId });
  }
  const above = [
    await input(site, comparators.above10V5),
    await input(site, comparators.above7V5),
    await input(site, comparators.above4V5),
    await input(site, comparators.above1V5),
  ] as const;

  const pilot = new ComparatorPilot({
    pwm,
    above,
    ...(negative === undefined ? {} : { belowMinus10V5: negative }),
    ...(filterMs === undefined ? {} : { filterMs }),
    clock,
    onDiode(ok) {
      const fault = {
        code: 'diodeFault',
        connectorId,
        info: 'diode check failed',
        vendorErrorCode: 'DiodeFault',
      } as const;
      if (ok) book.clear(fault.code, connectorId, 'diode check');
      else book.raise(fault, 'diode check');
    },
  });
  site.keep(() => pilot.close());
  const watched = monitoredContactor(relayContactor(coil, mirror), {
    clock,
    mirrorWithinMs: contactor.mirrorWithinMs ?? MIRROR_WITHIN_MS,
    raise: (code) => book.raise({ code, connectorId }, 'mirror contact'),
    clear: (code) => book.clear(code, connectorId, 'mirror contact'),
  });
  const evse = ownPilotEvse({ pilot, contactor: watched, ventilated, clock });
  book.attach(connectorId, evse);
  watchPilot(evse, { connectorId, ventilated, book });
  return evse;
}
