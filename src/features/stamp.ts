/** When something was, and how sure that is. */
import type { Clock, Stamp } from '../ports.ts';

export const stampAt = (at: number, clock: Clock): Stamp => ({
  bootId: clock.bootId,
  at,
  wall: clock.wall(at),
  trusted: clock.trusted,
});

export const stampNow = (clock: Clock): Stamp => stampAt(clock.now(), clock);

/** A guess says the true time, if the clock has become trusted in the same boot; else the same stamp. */
export const trueStamp = (stamp: Stamp, clock: Clock): Stamp =>
  !stamp.trusted && clock.trusted && stamp.bootId === clock.bootId ? stampAt(stamp.at, clock) : stamp;
