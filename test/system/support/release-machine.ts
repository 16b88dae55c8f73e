/** A machine for releases: root's helpers set up below a temporary root, release archives that misbehave, and a systemd of thirty lines. */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { descendants, kill } from './server-process.ts';

const CHECKOUT = resolve(import.meta.dirname, '../../..');
const MACHINE_ARCH = process.arch === 'arm64' ? 'arm64' : 'x64';
const EXIT_CONFIG = 78;

const executable = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
};

/** Bodies of bin/chargepoint; each says that it has started. */
const SAYS =
  'echo "$(sed -n s/^version.//p "$(dirname "$(readlink -f "$0")")/../MANIFEST")" >>"$CHARGEPOINT_ROOT/started"';
export const PROGRAMS = {
  runs: `${SAYS}; exec sleep 60`,
  throws: `${SAYS}; exec ${process.execPath} -e 'throw new Error("at import")' 2>/dev/null`,
  exits78: `${SAYS}; exit 78`,
  /** Neither its event loop nor SIGTERM gets through. */
  hangs: `${SAYS}; trap '' TERM; while :; do sleep 1; done`,
  /** Alive, but no central system ever accepts it: it says nothing to root. */
  neverConnects: `${SAYS}; exec sleep 60`,
  confirms: `${SAYS}; sleep 0.2; echo 1.1.0 >"$CHARGEPOINT_ROOT/run/chargepoint-requests/confirm"; exec sleep 60`,
} as const;

export interface FakeRelease {
  readonly version?: string;
  readonly arch?: string;
  readonly program?: string;
  /** Runs in the release folder before the sums are made. */
  readonly before?: string;
  /** Runs there after that. */
  readonly after?: string;
  /** Further arguments of tar. */
  readonly tar?: readonly string[];
}

/** Writes an archive as scripts/release.mjs lays it out. Returns its path. */
export function archiveOf(folder: string, release: FakeRelease = {}): string {
  const {
    version = '1.1.0',
    arch = MACHINE_ARCH,
    program = PROGRAMS.runs,
    before = ':',
    after = ':',
    tar = [],
  } = release;
  const work = mkdtempSync(join(folder, 'archive-'));
  const tree = join(work, `chargepoint-${version}`);
  executable(join(tree, 'bin/chargepoint'), program);
  writeFileSync(join(tree, 'MANIFEST'), `version ${version}\narch ${arch}\nnode v24\n`);
  const sums = 'find . -type f ! -name SHA256SUMS -printf "%P\\n" | sort | xargs sha256sum >SHA256SUMS';
  execFileSync('sh', ['-c', `${before}; ${sums}; ${after}`], { cwd: tree });
  const file = join(work, 'release.tar.gz');
  execFileSync('tar', ['-czf', file, '-C', work, ...tar, `chargepoint-${version}`]);
  return file;
}

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Commands that change the disk: each is a moment at which the power may go. */
const STEPS = ['dd', 'ln', 'mkdir', 'mv', 'rm', 'sha256sum', 'sync', 'tar'];

export class Machine {
  readonly root: string;
  readonly #path: string;

  /** A copy of `from`, as a disk image would be. */
  constructor(from?: Machine) {
    this.root = mkdtempSync(join(tmpdir(), 'machine-'));
    chmodSync(this.root, 0o755);
    this.#path = `${join(this.root, 'stubs')}:/usr/bin:/bin`;
    if (from !== undefined) {
      cpSync(from.root, this.root, { recursive: true, verbatimSymlinks: true });
      return;
    }
    executable(join(this.root, 'stubs/systemctl'), 'echo "$*" >>"$CHARGEPOINT_ROOT/systemctl.log"');
    for (const name of STEPS) executable(join(this.root, 'faults', name), fault(name));
    execFileSync(join(CHECKOUT, 'systemd/set-up'), { env: this.environment });
    this.clearRequests();
  }

  get environment(): NodeJS.ProcessEnv {
    return { PATH: this.#path, CHARGEPOINT_ROOT: this.root };
  }

  /** From now on a command of the system answers this. */
  stub(name: string, script: string): void {
    executable(join(this.root, 'stubs', name), script);
  }

  helper(name: string): string {
    return join(this.root, 'usr/lib/chargepoint', name);
  }

  run(name: string, ...args: readonly string[]): Outcome {
    return spawnSync(this.helper(name), args, { env: this.environment, encoding: 'utf8' });
  }

  /** As the service does. */
  runAs(uid: number, name: string, ...args: readonly string[]): Outcome {
    return spawnSync(this.helper(name), args, { env: this.environment, encoding: 'utf8', uid });
  }

  /** The same, but the power goes just before its `at`-th change of the disk (from 1). Returns whether it came so far. */
  runUntilPowerCut(at: number, name: string, ...args: readonly string[]): boolean {
    const count = join(this.root, 'count');
    writeFileSync(count, '0\n');
    const env = {
      ...this.environment,
      PATH: `${join(this.root, 'faults')}:${this.#path}`,
      FAULT_AT: String(at),
      FAULT_COUNT: count,
    };
    const { signal } = spawnSync(this.helper(name), args, { env, encoding: 'utf8' });
    return signal === 'SIGKILL';
  }

  /** What a boot of the machine does to /run. */
  clearRequests(): void {
    const folder = join(this.root, 'run/chargepoint-requests');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
  }

  read(path: string): string | undefined {
    const file = join(this.root, path);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
  }

  /** Of the release that `current` leads to; undefined if nothing could be started. */
  get current(): string | undefined {
    return existsSync(join(this.root, 'opt/chargepoint/current/bin/chargepoint'))
      ? /^version (.*)$/m.exec(this.read('opt/chargepoint/current/MANIFEST') ?? '')?.[1]
      : undefined;
  }

  get pending(): string | undefined {
    return this.read('var/lib/chargepoint-boot/pending');
  }

  get failed(): string | undefined {
    return this.read('var/lib/chargepoint-boot/failed');
  }

  /** What systemctl was asked for since the last time. */
  systemctl(): readonly string[] {
    const asked = (this.read('systemctl.log') ?? '').split('\n').map((line) => line.replace('--no-block ', ''));
    rmSync(join(this.root, 'systemctl.log'), { force: true });
    return asked;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const fault = (name: string): string => `n=$(($(/bin/cat "$FAULT_COUNT") + 1))
echo "$n" >"$FAULT_COUNT"
echo "${name} $*" >>"$CHARGEPOINT_ROOT/steps"
if [ "$n" = "$FAULT_AT" ]; then kill -9 "$PPID"; exit 1; fi
exec /usr/bin/${name} "$@"`;

export interface SupervisorOptions {
  readonly machine: Machine;
  /** As OnActiveSec= of chargepoint-deadline.timer. */
  readonly deadlineMs?: number;
  readonly config?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** As User= of the service; root's own rules are then what it meets. */
  readonly uid?: number;
}

/** Plays systemd for chargepoint.service and the units beside it: Restart=always, RestartPreventExitStatus=78, OnFailure, timer, path. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #restart = false;
  #stopped = false;
  #life: Promise<void> = Promise.resolve();
  output = '';

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#life = Promise.all([this.#serve(), this.#path()]).then(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#deadline);
    this.kill();
    await this.#life;
  }

  /** As an out-of-memory killer or a crash: the agent ends at once, and what it has started with it (KillMode=control-group). */
  kill(): void {
    const { pid } = this.#child ?? {};
    if (pid !== undefined) for (const one of [pid, ...descendants(pid)]) kill(one);
  }

  /** An orderly end of the agent, which is then started again. */
  end(): void {
    this.#child?.kill('SIGTERM');
  }

  /** As `systemctl restart` and the end of the agent for an update do. */
  restart(): void {
    this.#restart = true;
    const child = this.#child;
    child?.kill('SIGTERM');
    setTimeout(() => child?.kill('SIGKILL'), 4_000).unref();
    if (this.#options.deadlineMs !== undefined) setTimeout(() => child?.kill('SIGKILL'), 100).unref();
  }

  /** Polled; rejects with what the machine looks like. */
  async until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
    const { machine } = this.#options;
    for (const end = performance.now() + withinMs; !holds(); await delay(20))
      if (performance.now() > end)
        throw new Error(
          `not within ${withinMs} ms: ${what}; current ${machine.current}, pending ${machine.pending}, failed ${machine.failed}\n${this.output}`,
        );
  }

  async #serve(): Promise<void> {
    const { machine, config = '/etc/chargepoint/chargepoint.yaml', environment = {}, uid } = this.#options;
    while (!this.#stopped) {
      this.#restart = false;
      await this.#helper('boot-count', 'start');
      const child = spawn(join(machine.root, 'opt/chargepoint/current/bin/chargepoint'), ['run', '--config', config], {
        env: { ...machine.environment, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(uid === undefined ? {} : { uid }),
      });
      this.#child = child;
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => {
          this.output += chunk.toString();
        });
      const [code] = await once(child, 'exit');
      if (code === EXIT_CONFIG && !this.#restart) {
        await this.#helper('boot-count', 'failed');
        if (!this.#restart) return;
      }
      await delay(10);
    }
  }

  /** chargepoint-requests.path */
  async #path(): Promise<void> {
    const { machine } = this.#options;
    for (; !this.#stopped; await delay(20))
      if (
        ['install', 'confirm', 'reboot'].some((name) => machine.read(`run/chargepoint-requests/${name}`) !== undefined)
      )
        await this.#helper('unpack-release');
  }

  async #helper(name: string, ...args: readonly string[]): Promise<void> {
    const { machine, deadlineMs } = this.#options;
    await new Promise<void>((done) => {
      execFile(machine.helper(name), args, { env: machine.environment }, (_, stdout, stderr) => {
        this.output += stdout + stderr;
        done();
      });
    });
    const asked = machine.systemctl();
    if (asked.includes('restart chargepoint-deadline.timer') && deadlineMs !== undefined) {
      clearTimeout(this.#deadline);
      this.#deadline = setTimeout(() => void this.#helper('boot-count', 'expired'), deadlineMs);
    }
    if (asked.includes('restart chargepoint.service')) this.restart();
  }
}
