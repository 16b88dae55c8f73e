/** The `Installer` port for Node: what the configuration names is run, and loaded by the first installation. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallerConfig } from '../config.ts';
import type { Installation, Installer, Log } from '../ports.ts';

export interface InstallerSurroundings {
  /** The folder of the version that runs, symbolic links followed: each release has its own. */
  readonly installation: string;
  readonly log: Log;
  /** Default /proc/cmdline: the boot loader names the slot there. */
  readonly commandLine?: string;
  /** Another one in tests only. */
  readonly root?: string;
}

/** Without a configuration there is none, and nothing can be installed. */
export function installerFor(config: InstallerConfig | undefined, surroundings: InstallerSurroundings): Installer {
  if (config === undefined) return NONE;
  const { log, installation, commandLine = '/proc/cmdline', root = '/' } = surroundings;
  const { kind, command, reboot, restart, timeoutS } = config;
  const load = () => import('./installers/command.ts');
  const [executable, ...words] = command;
  // The helper of the release lies where root has put it, below the other root.
  const installing = kind === 'release' ? [join(root, executable), ...words] : command;
  const install = async (argument: string): Promise<Installation> => {
    const { runBounded, SAYS_NO } = await load();
    const ran = await runBounded([...installing, argument], { timeoutMs: timeoutS * 1000, log });
    if (ran.ok) return { ok: true, reboot };
    const { reason } = ran;
    return ran.code === SAYS_NO ? { ok: false, reason, refused: true } : { ok: false, reason };
  };
  return {
    available: true,
    keepsAvailable: false,
    install: ({ file }) => install(file),
    // Root goes on with what it has taken, whatever becomes of us.
    ...(kind === 'release' ? { resume: () => install('--wait') } : {}),
    running: async () => {
      if (kind === 'release') return installation;
      return kind === 'rauc' ? slotOf(commandLine) : undefined;
    },
    onTrial: async () => kind === 'release' && (await import('./release.ts')).pendingRelease(root) !== undefined,
    restart: async () => {
      if (restart === undefined) return;
      const ran = await (await load()).runBounded(restart, { timeoutMs: RESTARTS_WITHIN_MS, log });
      if (!ran.ok) log.error('the machine could not be restarted', { reason: ran.reason });
    },
  };
}

const RESTARTS_WITHIN_MS = 10_000;

const NONE: Installer = {
  available: false,
  keepsAvailable: false,
  install: async () => ({ ok: false, reason: 'no installer is configured' }),
  running: async () => undefined,
  onTrial: async () => false,
  restart: async () => {},
};

/** RAUC tells the slot that was booted on the command line of the kernel. */
function slotOf(commandLine: string): string | undefined {
  try {
    return /(?:^|\s)rauc\.slot=(\S+)/.exec(readFileSync(commandLine, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
