/** What people and energy managers ask and say of the offers, over the control interface. */
import { whyOf } from '../../core/why.ts';
import { ControlError } from '../../errors.ts';
import type { Context, ControlRequest, ControlRoute } from '../feature.ts';
import type { ExternalLimit, ExternalLimits } from './energy-manager.ts';

const DEFAULT_TTL_S = 60;
const MOST_TTL_S = 86_400;
const MOST_A = 1000;

export const loadRoutes = (context: Context, external: ExternalLimits): readonly ControlRoute[] => [
  { method: 'GET', path: '/why', handle: () => ({ connectors: why(context) }) },
  { method: 'GET', path: '/limits', handle: () => ({ limits: external.shown }) },
  {
    method: 'POST',
    path: '/limits',
    handle: async (request) => {
      await external.set(limitOf(context, request));
      return { limits: external.shown };
    },
  },
  {
    method: 'POST',
    path: '/limits/withdraw',
    handle: async (request) => {
      const given = memberOf(request);
      await external.withdraw(sourceOf(given), connectorOf(given) ?? 0);
      return { limits: external.shown };
    },
  },
  {
    method: 'POST',
    path: '/random-delay/cancel',
    handle: (request) => {
      const connectorId = connectorOf(request.body === undefined ? {} : memberOf(request));
      const cancelled = context.limits.cancelDelay(connectorId);
      if (cancelled.length > 0) context.log.info('the random delay was cancelled', { connectors: cancelled });
      return { cancelled };
    },
  },
];

function why({ limits, station }: Context) {
  return station.connectors.map((connector) => {
    const { id, offer, phases } = connector;
    const explanation = limits.explain(id);
    return {
      id,
      status: station.report(id)?.status,
      why: whyOf(connector),
      offerA: typeof offer === 'number' ? offer : 0,
      limitA: explanation?.limitA,
      phases: phases.connected,
      bounds: explanation?.bounds.map(({ source, connectorId, limitA, reason }) => ({
        source,
        connectorId,
        limitA,
        reason,
      })),
    };
  });
}

type Given = Readonly<Record<string, unknown>>;

function memberOf({ body }: ControlRequest): Given {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new ControlError(
      'badRequest',
      'the body is no object, expected one as in {"source":"ems","limitA":10,"ttlS":60}',
    );
  return body as Given;
}

const bad = (name: string, given: unknown, expected: string): ControlError =>
  new ControlError('badRequest', `${name} is ${JSON.stringify(given)}, expected ${expected}`);

function numberOf(given: Given, name: string, least: number, most: number): number | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw bad(name, value, `a number from ${least} to ${most}`);
}

function connectorOf(given: Given): number | undefined {
  const id = numberOf(given, 'connectorId', 0, 64);
  if (id !== undefined && !Number.isInteger(id)) throw bad('connectorId', id, 'the number of a connector, 0 for all');
  return id;
}

function sourceOf({ source }: Given): string {
  if (typeof source === 'string' && /^[\w.-]{1,20}$/.test(source)) return source;
  throw bad('source', source, 'a name of 1 to 20 letters, digits, ".", "_" and "-"');
}

function limitOf({ clock }: Context, request: ControlRequest): ExternalLimit {
  const given = memberOf(request);
  const limitA = numberOf(given, 'limitA', 0, MOST_A);
  if (limitA === undefined) throw bad('limitA', undefined, `a number from 0 to ${MOST_A}`);
  const ttlS = numberOf(given, 'ttlS', 1, MOST_TTL_S) ?? DEFAULT_TTL_S;
  const { phases } = given;
  if (phases !== undefined && phases !== 1 && phases !== 3) throw bad('phases', phases, '1 or 3');
  const connectorId = connectorOf(given) ?? 0;
  if (phases === 1 && connectorId === 0) throw bad('phases', phases, 'the number of one connector with it');
  return {
    source: sourceOf(given),
    connectorId,
    limitA,
    ...(phases === 1 ? { phases } : {}),
    until: clock.now() + ttlS * 1000,
  };
}
