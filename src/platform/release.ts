/** What root's side of an update (systemd/boot-count) and the running release tell each other: docs/release.md. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cancel, Clock, Log } from '../ports.ts';
import { replaceFile } from './files.ts';

/** Root's own; we may read there. */
const PENDING = 'var/lib/chargepoint-boot/pending';
/** Ours to write, root's to read; empty after a boot of the machine. */
const REQUESTS = 'run/chargepoint-requests';

const TICK_MS = 1_000;

export interface PendingRelease {
  readonly version: string;
  /** What root goes back to unless `version` confirms itself. */
  readonly previous: string;
}

/** The release that has been installed and has not confirmed itself; undefined if there is none. `root` is another one in tests only. */
export function pendingRelease(root = '/'): PendingRelease | undefined {
  try {
    const [version, previous] = readFileSync(join(root, PENDING), 'utf8').trim().split(' ');
    return version === undefined || previous === undefined ? undefined : { version, previous };
  } catch {
    // No file, nothing pending; one that cannot be read says nothing that we could act on.
    return undefined;
  }
}

export interface ConfirmationOptions {
  /** Of the running release. */
  readonly version: string;
  /** Accepted by the central system, and the hardware works. Asked once a second. */
  readonly isWell: () => boolean;
  /** So long it has to be well, without a break, in milliseconds of real time. */
  readonly forMs: number;
  readonly clock: Pick<Clock, 'afterReal'>;
  readonly log: Log;
  readonly root?: string;
}

/**
 * Asks root to keep the running release once it has been well for long enough; nothing happens if none is pending, or another one. A
 * release that hangs does not ask, one that ends does not either: then root goes back, without us.
 */
export function confirmRelease({ version, isWell, forMs, clock, log, root = '/' }: ConfirmationOptions): Cancel {
  const pending = pendingRelease(root);
  if (pending?.version !== version) return () => {};
  log.info(`release ${version} is on trial: without a confirmation ${pending.previous} returns`);
  let wellMs = 0;
  let cancel: Cancel = () => {};
  const watch = (): void => {
    cancel = clock.afterReal(TICK_MS, () => {
      wellMs = isWell() ? wellMs + TICK_MS : 0;
      if (wellMs < forMs || !asked(version, root, log)) watch();
    });
  };
  watch();
  return () => cancel();
}

function asked(version: string, root: string, log: Log): boolean {
  try {
    replaceFile(join(root, REQUESTS, 'confirm'), `${version}\n`);
    log.info(`release ${version} confirms itself`);
    return true;
  } catch (cause) {
    log.error(`release ${version} cannot confirm itself`, { cause });
    return false;
  }
}
