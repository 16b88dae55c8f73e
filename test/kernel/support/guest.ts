/** A machine in QEMU: Debian's 6.12 kernel with simulated GPIO and PWM, systemd as PID 1, a serial meter, and a way to pull the plug. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** What `rig/build` leaves. */
export const RIG = join(import.meta.dirname, '../../../.cache/kernel-rig');

/** What QEMU plays. */
export interface Machine {
  /** The folder with its vmlinuz, initrd and root.img. */
  readonly rig: string;
  readonly qemu: string;
  readonly hardware: readonly string[];
  /** Of the kernel, besides the root. */
  readonly append: string;
  /** The UART on the chardev `meter`. */
  readonly meter: readonly string[];
  readonly bootWithinMs: number;
  readonly commandWithinMs: number;
}

/**
 * The guest's time is what its instructions take, 1 ns each, which is a machine of the speed of a Pi 3; while it is idle, time goes as
 * outside. However busy this host is, no time-out of the guest comes too early, and its milliseconds mean something. It has one processor.
 */
export const OWN_TIME = ['-icount', 'shift=0,sleep=on'];

const PC: Machine = {
  rig: RIG,
  qemu: 'qemu-system-x86_64',
  hardware: ['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '768', ...OWN_TIME],
  // A card that udev renames while rig-hardware sets it up would leave the guest without metal and network.
  append: 'console=ttyS0 mitigations=off random.trust_cpu=on audit=0 apparmor=0 net.ifnames=0',
  meter: ['-serial', 'chardev:meter'],
  bootWithinMs: 280_000,
  commandWithinMs: 280_000,
};

export interface GuestOptions {
  readonly machine?: Machine;
  /** Carried into the guest as a second disk, which holds exactly its bytes. */
  readonly disk?: string;
  /** The line of the meter: a pty on this side, a UART in the guest (ttyS1 of the PC). */
  readonly meter?: string;
  /** Ports of the guest's 10.0.2.100 that lead to ports of our loopback; nothing else is reached. */
  readonly ports?: Readonly<Record<number, number>>;
}

export interface Answer {
  readonly code: number;
  readonly output: string;
}

export class Guest {
  readonly folder = mkdtempSync(join(tmpdir(), 'guest-'));
  readonly #options: GuestOptions;
  readonly #machine: Machine;
  #qemu: ChildProcess | undefined;
  #channel: Socket | undefined;
  #lines: AsyncIterator<string> | undefined;
  /** Commands go one by one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: GuestOptions = {}) {
    this.#options = options;
    this.#machine = options.machine ?? PC;
    const image = join(this.#machine.rig, 'root.img');
    if (!existsSync(image)) throw new Error('there is no rig: npm run test:kernel builds it');
    execFileSync('cp', ['--reflink=auto', '--sparse=always', image, this.#image]);
  }

  get #image(): string {
    return join(this.folder, 'root.img');
  }

  /** Power on. Resolves once the guest takes commands. */
  async boot(): Promise<void> {
    const { disk, meter, ports = {} } = this.#options;
    const machine = this.#machine;
    const control = join(this.folder, 'commands');
    rmSync(control, { force: true });
    // QEMU calls, so that nobody has to guess from when on it listens.
    const switchboard = createServer().listen(control);
    await once(switchboard, 'listening');
    const forwards = Object.entries(ports).map(
      ([there, here]) => `,guestfwd=tcp:10.0.2.100:${there}-cmd:socat - TCP4:127.0.0.1:${here}`,
    );
    const arguments_ = [
      [...machine.hardware, '-nodefaults', '-display', 'none'],
      // A reboot is one: only the plug ends it.
      ['-kernel', join(machine.rig, 'vmlinuz'), '-initrd', join(machine.rig, 'initrd')],
      ['-append', `root=/dev/vda rw quiet ${machine.append}`],
      // What the guest has written survives a SIGKILL of QEMU in this machine's page cache; to sync that would only take time.
      ['-drive', `file=${this.#image},format=raw,if=virtio,cache=unsafe`],
      disk === undefined ? [] : ['-drive', `file=${disk},format=raw,if=virtio,readonly=on`],
      ['-serial', `file:${join(this.folder, 'console.log')}`],
      meter === undefined ? [] : ['-chardev', `serial,id=meter,path=${meter}`, ...machine.meter],
      ['-device', 'virtio-serial', '-chardev', `socket,id=commands,path=${control}`],
      ['-device', 'virtserialport,chardev=commands,name=rig'],
      ['-netdev', `user,id=net,restrict=on${forwards.join('')}`, '-device', 'virtio-net-pci,netdev=net'],
    ].flat();
    const qemu = spawn(machine.qemu, arguments_, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#qemu = qemu;
    // A test that is given up must not leave a machine running.
    process.once('exit', () => qemu.kill('SIGKILL'));
    const failed = Promise.race([once(qemu, 'exit'), delay(60_000, undefined, { ref: false })]).then(() => {
      throw new Error('QEMU did not come up');
    });
    const [channel] = await Promise.race([once(switchboard, 'connection'), failed]).finally(() => switchboard.close());
    channel.on('error', () => {});
    this.#channel = channel;
    this.#lines = createInterface({ input: channel })[Symbol.asyncIterator]();
    this.#last = this.#line(machine.bootWithinMs, 'the boot');
    await this.#last;
  }

  /** Bytes of the second disk. */
  get diskBytes(): number {
    return this.#options.disk === undefined ? 0 : statSync(this.#options.disk).size;
  }

  get console(): string {
    return readFileSync(join(this.folder, 'console.log'), 'utf8');
  }

  /** A bash script as root. */
  ask(script: string): Promise<Answer> {
    const answer = this.#last.then(async () => {
      this.#channel?.write(`${Buffer.from(script).toString('base64')}\n`);
      const [code = '', output = ''] = (await this.#line(this.#machine.commandWithinMs, script)).split(' ');
      return { code: Number(code), output: Buffer.from(output, 'base64').toString().trimEnd() };
    });
    this.#last = answer;
    return answer;
  }

  /** Rejects with the output unless the script ends with 0. */
  async run(script: string): Promise<string> {
    const { code, output } = await this.ask(script);
    if (code !== 0) throw new Error(`in the guest: ${script}\nended with ${code}: ${output}`);
    return output;
  }

  async until(what: string, script: string, withinMs = 60_000): Promise<string> {
    for (const end = performance.now() + withinMs; ; await delay(200)) {
      const { code, output } = await this.ask(script);
      if (code === 0) return output;
      if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}\n${output}`);
    }
  }

  /** What is not on the disk is gone. */
  async cutPower(): Promise<void> {
    const qemu = this.#qemu;
    this.#qemu = undefined;
    this.#channel?.destroy();
    if (qemu?.exitCode === null && qemu.kill('SIGKILL')) await once(qemu, 'exit');
  }

  async stop(): Promise<void> {
    await this.cutPower();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #line(withinMs: number, what: string): Promise<string> {
    const timeout = delay(withinMs, undefined, { ref: false }).then(() => {
      throw new Error(`no answer within ${withinMs} ms: ${what}\n${this.console.slice(-2000)}`);
    });
    const next = await Promise.race([this.#lines?.next(), timeout]);
    if (next === undefined || next.done === true) throw new Error(`the guest is gone: ${what}`);
    return next.value;
  }
}
