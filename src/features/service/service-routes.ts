/** What the technician's tools ask and order. The same routes serve them in a running agent and, without one, on the board itself. */
import type { Board, Offer } from '../../../hal/contract.ts';
import { ControlError } from '../../errors.ts';
import type { ControlRequest, ControlRoute } from '../feature.ts';
import { faultsOf, inputsOf } from './inputs.ts';
import { MOST_TRIAL_S, type Trial, type TrialSite, type Trials } from './trials.ts';

export interface ServiceSite extends TrialSite {
  readonly board: Board;
  /** Gives the plug back; the answer is the lock's own. Undefined where there is no lock. */
  unlock(connectorId: number): Promise<boolean | undefined>;
}

export const serviceRoutes = (site: ServiceSite, trials: Trials): readonly ControlRoute[] => [
  { method: 'GET', path: '/inputs', handle: () => inputsOf(site.board) },
  { method: 'GET', path: '/faults', handle: () => ({ faults: faultsOf(site.board) }) },
  { method: 'POST', path: '/faults/reset', handle: (request) => reset(site, connectorOf(site, memberOf(request), 0)) },
  {
    method: 'POST',
    path: '/service/begin',
    handle: (request) => {
      const given = memberOf(request);
      return trials.begin(connectorOf(site, given, 1), trialOf(given), secondsOf(given) * 1000);
    },
  },
  {
    method: 'POST',
    path: '/service/renew',
    handle: (request) => {
      const given = memberOf(request);
      return trials.renew(connectorOf(site, given, 1), wholeOf(given, 'number', 1, Number.MAX_SAFE_INTEGER));
    },
  },
  {
    method: 'POST',
    path: '/service/end',
    handle: (request) => {
      const given = memberOf(request);
      trials.end(connectorOf(site, given, 1), wholeOf(given, 'number', 1, Number.MAX_SAFE_INTEGER));
      return {};
    },
  },
  {
    method: 'POST',
    path: '/service/click',
    handle: (request) => trials.click(connectorOf(site, memberOf(request), 1)),
  },
  {
    method: 'POST',
    path: '/service/unlock',
    handle: async (request) => {
      const connectorId = connectorOf(site, memberOf(request), 1);
      trials.mustBeFree(connectorId);
      const unlocked = await site.unlock(connectorId);
      if (unlocked === undefined)
        throw new ControlError('badRequest', `connector ${connectorId} has no lock: its cable is attached`);
      return { unlocked };
    },
  },
];

function reset({ board, log }: ServiceSite, connectorId: number) {
  const keyOf = ({ code, connectorId: id }: { readonly code: string; readonly connectorId: number }) => `${code}/${id}`;
  const before = faultsOf(board);
  log.info('a technician resets the latched faults', { connectorId, faults: before.map(keyOf) });
  board.resetFaults(connectorId);
  const faults = faultsOf(board);
  const left = new Set(faults.map(keyOf));
  return { reset: before.filter((fault) => !left.has(keyOf(fault))), faults };
}

type Given = Readonly<Record<string, unknown>>;

function memberOf({ body }: ControlRequest): Given {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ControlError('badRequest', 'the body is no object, expected one as in {"connectorId":1}');
  return body as Given;
}

const bad = (name: string, given: unknown, expected: string): ControlError =>
  new ControlError('badRequest', `${name} is ${JSON.stringify(given)}, expected ${expected}`);

function wholeOf(given: Given, name: string, least: number, most: number): number {
  const value = given[name];
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
  throw bad(name, value, `a whole number from ${least} to ${most}`);
}

function connectorOf({ board }: ServiceSite, given: Given, least: 0 | 1): number {
  const id = wholeOf(given, 'connectorId', least, 1000);
  if (id === 0 || board.connectors.some((connector) => connector.id === id)) return id;
  throw new ControlError('notFound', `there is no connector ${id}`);
}

const secondsOf = (given: Given): number => wholeOf(given, 'seconds', 1, MOST_TRIAL_S);

function trialOf({ what, offer }: Given): Trial {
  if (what === 'lock') return { what };
  if (what !== 'pilot') throw bad('what', what, '"pilot" or "lock"');
  return { what, offer: offerOf(offer) };
}

/** IEC 61851-1: 6 to 80 A can be said by the duty cycle. */
function offerOf(offer: unknown): Offer {
  if (offer === 'x1' || offer === 'F') return offer;
  if (typeof offer === 'number' && offer >= 6 && offer <= 80) return offer;
  throw bad('offer', offer, '"x1", "F" or a current from 6 to 80 A');
}
