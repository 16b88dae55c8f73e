/** The diode of the EV (IEC 61851-1 annex A): with PWM the negative half has to stay at -12 V. Pure. */
import type { Monotonic } from '../contract.ts';

/** So long in a row the negative half has to be right before it counts as checked, or wrong before it is a fault, in ms. */
const DIODE_MS = 100;

export interface DiodeCheck {
  /** Has been right for 100 ms in this session: the contactor may close. */
  readonly verified: boolean;
  /** Has been wrong for 100 ms. */
  readonly failed: boolean;
  readonly right: boolean;
  readonly since: Monotonic | undefined;
}

export const UNCHECKED: DiodeCheck = { verified: false, failed: false, right: false, since: undefined };

/** Nothing to look at (no PWM, no EV): what was found stays, the time starts anew. */
export const paused = (check: DiodeCheck): DiodeCheck => ({ ...check, since: undefined });

export function looked(check: DiodeCheck, right: boolean, at: Monotonic): DiodeCheck {
  const since = right === check.right ? (check.since ?? at) : at;
  const lasting = at - since >= DIODE_MS;
  return {
    right,
    since,
    verified: lasting ? right : check.verified,
    failed: check.failed || (lasting && !right),
  };
}
