/** Follows what is tried at a connector: shows each change, keeps it alive, and ends it whatever happens. */
import { ControlError } from '../errors.ts';
import { recordOf } from './format.ts';
import { pause, type Technician } from './technician.ts';

export interface Seen {
  /** Since it began. */
  readonly ms: number;
  readonly pilot: string;
  readonly contactor: string;
  readonly locked?: boolean;
}

export interface Witness {
  /** It was not refused. */
  begun(): void;
  changed(seen: Seen): void;
}

const LOOK_EVERY_MS = 250;
/** The agent may end it a little before we do. */
const GRACE_MS = 1_000;

/** Resolves to the changes, once its time is over or Ctrl-C was pressed. Rejects with ControlError. */
export async function followed(
  { ask, ended }: Technician,
  order: { readonly connectorId: number; readonly what: string; readonly offer?: unknown },
  forS: number,
  witness: Witness,
): Promise<readonly Seen[]> {
  const { connectorId } = order;
  const begun = performance.now();
  const first = recordOf(await ask('POST', '/service/begin', { ...order, seconds: forS }));
  const name = { connectorId, number: first['number'] };
  const changes: Seen[] = [];
  const look = (view: Readonly<Record<string, unknown>>): void => {
    const seen = seenOf(view, performance.now() - begun);
    const last = changes.at(-1);
    if (last?.pilot === seen.pilot && last.contactor === seen.contactor && last.locked === seen.locked) return;
    changes.push(seen);
    witness.changed(seen);
  };
  const isOver = (): boolean => performance.now() - begun >= forS * 1000 || ended.aborted;
  try {
    witness.begun();
    look(first);
    while (!isOver()) {
      await pause(Math.min(LOOK_EVERY_MS, forS * 1000 - (performance.now() - begun)), ended);
      if (!isOver()) look(recordOf(await ask('POST', '/service/renew', name)));
    }
    return changes;
  } catch (error) {
    const isNearlyOver = performance.now() - begun >= forS * 1000 - GRACE_MS;
    if (error instanceof ControlError && error.code === 'badRequest' && isNearlyOver) return changes;
    throw error;
  } finally {
    // If nobody hears it, it ends by itself.
    await ask('POST', '/service/end', name).catch(() => {});
  }
}

const seenOf = (view: Readonly<Record<string, unknown>>, ms: number): Seen => {
  const { pilot, contactor, locked } = view as { pilot?: unknown; contactor?: unknown; locked?: unknown };
  return {
    ms: Math.round(ms),
    pilot: String(pilot),
    contactor: String(contactor),
    ...(typeof locked === 'boolean' ? { locked } : {}),
  };
};

/** `  3.2 s`. */
export const timeText = ({ ms }: Seen): string => `${(ms / 1000).toFixed(1).padStart(5)} s`;
