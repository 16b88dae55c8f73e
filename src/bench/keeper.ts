/** Keeps the agent running as systemd would: again at once after a Reset, later after a crash, not at all after a refused configuration. */
import type { Cancel, Clock } from '../ports.ts';

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface AgentProcess {
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
  /** Called once. */
  onExit(listener: (ended: Ended) => void): void;
}

export interface KeeperParts {
  /** Throws if the process cannot be started. */
  readonly spawn: () => AgentProcess;
  readonly clock: Pick<Clock, 'now' | 'afterReal'>;
  readonly print: (line: string) => void;
  /** The last lines that the agent wrote, to explain a crash. */
  readonly lastWords: () => readonly string[];
}

export interface Keeper {
  /** Resolves with the exit code that says that another start is no use. */
  readonly gaveUp: Promise<number>;
  /** SIGTERM, and SIGKILL if that does not help in time. Resolves when the process is gone. */
  stop(): Promise<void>;
}

/** As in sysexits.h (EX_CONFIG). */
const REFUSED_CONFIGURATION = 78;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Who ran for so long did not crash because of its start. */
const SETTLED_MS = 60_000;
const ENDS_WITHIN_MS = 2700;

export function keepRunning(parts: KeeperParts): Keeper {
  const { clock, print, lastWords } = parts;
  let running: AgentProcess | undefined;
  let cancelRestart: Cancel = () => {};
  let pauseMs = FIRST_PAUSE_MS;
  let isStopping = false;
  let onGone = (): void => {};
  let giveUp: (code: number) => void = () => {};
  const gaveUp = new Promise<number>((resolve) => {
    giveUp = resolve;
  });

  const start = (): void => {
    const startedAt = clock.now();
    running = parts.spawn();
    running.onExit((ended) => {
      running = undefined;
      if (isStopping) onGone();
      else next(ended, clock.now() - startedAt);
    });
  };

  const next = ({ code, signal }: Ended, ranMs: number): void => {
    if (code === 0) {
      print('The agent has ended with status 0, as after a Reset, and is started again.');
      start();
    } else if (code === REFUSED_CONFIGURATION) {
      print('The agent refuses its configuration:');
      for (const line of lastWords()) print(`    ${line}`);
      giveUp(code);
    } else {
      if (ranMs >= SETTLED_MS) pauseMs = FIRST_PAUSE_MS;
      const how = signal === null ? `status ${code}` : signal;
      print(`The agent has ended with ${how} and is started again in ${pauseMs / 1000} s. Its last words:`);
      for (const line of lastWords()) print(`    ${line}`);
      cancelRestart = clock.afterReal(pauseMs, start);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  };

  start();
  return {
    gaveUp,
    stop: () => {
      isStopping = true;
      cancelRestart();
      const child = running;
      if (child === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        const cancelKill = clock.afterReal(ENDS_WITHIN_MS, () => child.kill('SIGKILL'));
        onGone = () => {
          cancelKill();
          resolve();
        };
        child.kill('SIGTERM');
      });
    },
  };
}
