/** A route of the local control interface, as rooms declare it, and what routes share. */
import type { Agent } from '../agent.ts';
import { ControlError } from '../errors.ts';

export type Route = Agent['routes'][number];
export type ControlRequest = Parameters<Route['handle']>[0];

/** A whole number of the query within its bounds. Throws ControlError badRequest. */
export function countOf({ query }: ControlRequest, name: string, otherwise: number, most: number): number {
  const given = query[name];
  if (given === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(given) || Number(given) < 1 || Number(given) > most) {
    throw new ControlError(
      'badRequest',
      `${name} is ${JSON.stringify(given)}, expected a whole number from 1 to ${most}`,
    );
  }
  return Number(given);
}
