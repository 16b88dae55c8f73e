/** One row of the table: what was measured, beside its floor, and whether the goal is met. */
import { spread } from './statistics.mjs';

export const ms = (value) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
export const times = (ratio) => `${ratio.toFixed(2)} x`;
export const perSecond = (rate) => `${Math.round(rate).toLocaleString('en')}/s`;
export const mb = (value) => `${value.toFixed(1)} MB`;
export const percent = (value, digits = 3) => `${value.toFixed(digits)} %`;

export const spreadText = ({ p50, p99, max }) => `${p50.toFixed(2)} / ${p99.toFixed(2)} / ${max.toFixed(2)} ms`;

export const atMost = (what, is, limit) => ({ what, is, limit, relation: '<=', met: is <= limit });
export const atLeast = (what, is, limit) => ({ what, is, limit, relation: '>=', met: is >= limit });

/** Samples of the thing and of its floor, in milliseconds, taken in turn; limits that are absent are not checked. */
export function latency(samples, floorSamples, limits) {
  const value = spread(samples);
  const floor = floorSamples === undefined ? undefined : spread(floorSamples);
  const checks = [
    limits.p50Ratio && atMost('p50 ratio', value.p50 / floor.p50, limits.p50Ratio),
    limits.p99Ratio && atMost('p99 ratio', value.p99 / floor.p99, limits.p99Ratio),
    limits.p50Ms && atMost('p50 ms', value.p50, limits.p50Ms),
    limits.p99Ms && atMost('p99 ms', value.p99, limits.p99Ms),
    limits.maxMs && atMost('max ms', value.max, limits.maxMs),
  ].filter((check) => check !== undefined);
  return {
    value: spreadText(value),
    floor: floor === undefined ? '' : spreadText(floor),
    ratio: floor === undefined ? '' : `${times(value.p50 / floor.p50)} (p99 ${times(value.p99 / floor.p99)})`,
    checks,
    numbers: { value, ...(floor === undefined ? {} : { floor }) },
  };
}

/** A row that cannot exist before the thing is built. */
export const notBuilt = (where) => ({ value: `not built yet (${where})`, checks: [] });
/** A row that this machine cannot measure. */
export const notMeasured = (why) => ({ value: `not measured: ${why}`, checks: [] });
