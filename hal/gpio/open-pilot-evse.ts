/** Lines and channels of a board page -> an `Evse` with our own pilot, contactor and interlock. */
import {
  type ComparatorPilotEvseDescription,
  type ConverterEvseDescription,
  type DebouncedInputDescription,
  lookingMs,
  type OwnPilotEvseDescription,
  type PwmDescription,
} from '../board-description.ts';
import { MIRROR_WITHIN_MS, monitoredContactor } from '../contactor-monitor.ts';
import type { Surroundings } from '../contract.ts';
import type { FaultBook } from '../fault-book.ts';
import { HalError } from '../hal-error.ts';
import { type OwnPilotEvse, ownPilotEvse } from '../own-pilot-evse.ts';
import { watchPilot } from '../pilot-faults.ts';
import { type InputLine, type LineBackend, openInput, openOutput } from './line.ts';
import { FILTER_MOST_MS, SAMPLE_MS } from './pilot-filter.ts';
import type { ConverterSense, PilotSense } from './pilot-sense.ts';
import type { Pwm } from './pwm.ts';
import { relayContactor } from './relay-contactor.ts';
import { SampledPilot } from './sampled-pilot.ts';

/** IEC 61851-1 table A.6, sequences 2 and 8: from the pilot leaving C to the contacts being open. */
const OPENING_BUDGET_MS = 100;
const WRITE_MS = 10;

/** The slowest that a board opens, in ms; more than 100 is refused. */
const openingMs = (evse: OwnPilotEvseDescription): number =>
  SAMPLE_MS + lookingMs(evse) + FILTER_MOST_MS + WRITE_MS + evse.contactor.releaseMs;

export interface PilotEvseSite {
  readonly connectorId: number;
  readonly ventilated: boolean;
  readonly backend: LineBackend;
  openPwm(description: PwmDescription): Promise<Pwm>;
  openConverter(description: ConverterEvseDescription): Promise<ConverterSense>;
  readonly book: FaultBook;
  readonly surroundings: Surroundings;
  /** Takes what has to be closed; the board closes in reverse order, also if opening fails half-way. */
  keep(close: () => void | Promise<void>): void;
}

const input = async (site: PilotEvseSite, line: DebouncedInputDescription): Promise<InputLine> => {
  const opened = await openInput(site.backend, line);
  site.keep(() => opened.close());
  return opened;
};

async function comparators(
  { comparators: lines }: ComparatorPilotEvseDescription,
  site: PilotEvseSite,
): Promise<PilotSense> {
  const { comparatorSense } = await import('./comparator-sense.ts');
  const { belowMinus10V5 } = lines;
  const negative = belowMinus10V5 === undefined ? undefined : await input(site, belowMinus10V5);
  const above = [
    await input(site, lines.above10V5),
    await input(site, lines.above7V5),
    await input(site, lines.above4V5),
    await input(site, lines.above1V5),
  ] as const;
  return comparatorSense({ above, ...(negative === undefined ? {} : { belowMinus10V5: negative }) });
}

async function openSense(description: OwnPilotEvseDescription, site: PilotEvseSite): Promise<PilotSense> {
  if (description.driver === 'comparatorPilot') return comparators(description, site);
  const sense = await site.openConverter(description);
  site.keep(() => sense.close());
  return sense;
}

/** Coil off first, then the pilot at x1, then what is read. Rejects with a HalError; what was opened until then is kept for closing. */
export async function openPilotEvse(description: OwnPilotEvseDescription, site: PilotEvseSite): Promise<OwnPilotEvse> {
  const { pwm: channel, contactor, filterMs } = description;
  const slowestMs = openingMs(description);
  if (slowestMs > OPENING_BUDGET_MS) {
    throw new HalError(
      'badBoard',
      `a contactor that takes ${contactor.releaseMs} ms to release is too slow: ${slowestMs} of at most ${OPENING_BUDGET_MS} ms`,
    );
  }
  const { book, connectorId, surroundings, ventilated } = site;
  const { clock } = surroundings;
  const coil = await openOutput(site.backend, contactor.coil);
  site.keep(() => coil.close());
  const pwm = await site.openPwm(channel);
  site.keep(() => pwm.close());
  const mirror = await input(site, contactor.mirror);
  const sense = await openSense(description, site);
  if (!sense.checksDiode) surroundings.log.warn('this board cannot check the diode of the EV', { connectorId });

  const pilot = new SampledPilot({
    pwm,
    sense,
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
    onSense(ok) {
      if (ok) book.clear('pilotSilent', connectorId, 'pilot sense');
      else book.raise({ code: 'pilotSilent', connectorId }, 'pilot sense');
    },
  });
  site.keep(() => pilot.close());
  const watched = monitoredContactor(relayContactor(coil, mirror), {
    clock,
    mirrorWithinMs: contactor.mirrorWithinMs ?? MIRROR_WITHIN_MS,
    raise: (code) => book.raise({ code, connectorId }, 'mirror contact'),
    clear: (code) => book.clear(code, connectorId, 'mirror contact'),
  });
  const { pauseMs, pauseAfterErrorMs } = contactor;
  const evse = ownPilotEvse({
    pilot,
    contactor: watched,
    ventilated,
    clock,
    ...(pauseMs === undefined ? {} : { pauseMs }),
    ...(pauseAfterErrorMs === undefined ? {} : { pauseAfterErrorMs }),
  });
  book.attach(connectorId, evse);
  watchPilot(evse, { connectorId, ventilated, book });
  return evse;
}
