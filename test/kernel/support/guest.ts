/** A machine in QEMU: Debian's 6.12 kernel with simulated GPIO and PWM, systemd as PID 1, a serial meter, and a way to pull the plug. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** What `rig/build` leaves. */
export const RIG = join(import.meta.dirname, '../../../.cache/kernel-rig');
const BOOT_WITHIN_MS = 150_000;
const COMMAND_WITHIN_MS = 150_000;

export interface GuestOptions {
  /** Carried into the guest as a second disk, which holds exactly its bytes. */
  readonly disk?: string;
  /** The line of the meter: a pty on this side, ttyS1 in the guest. */
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
  #qemu: ChildProcess | undefined;
  #channel: Socket | undefined;
  #lines: AsyncIterator<string> | undefined;
  /** Commands go one by one. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: GuestOptions = {}) {
    if (!existsSync(join(RIG, 'root.img'))) throw new Error('there is no rig: npm run test:kernel builds it');
    this.#options = options;
    copyFileSync(join(RIG, 'root.img'), this.#image, constants.COPYFILE_FICLONE);
  }

  get #image(): string {
    return join(this.folder, 'root.img');
  }

  /** Power on. Resolves once the guest takes commands. */
  async boot(): Promise<void> {
    const { disk, meter, ports = {} } = this.#options;
    const control = join(this.folder, 'commands');
    rmSync(control, { force: true });
    const forwards = Object.entries(ports).map(
      ([there, here]) => `,guestfwd=tcp:10.0.2.100:${there}-cmd:socat - TCP4:127.0.0.1:${here}`,
    );
    // One processor: with two, QEMU 7.2 loses the race when the kernel patches its own code, and the guest dies at boot, one time in five.
    const arguments_ = [
      ['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '768', '-nodefaults', '-display', 'none'],
      // A reboot is one: only the plug ends it.
      ['-kernel', join(RIG, 'vmlinuz'), '-initrd', join(RIG, 'initrd')],
      ['-append', 'console=ttyS0 root=/dev/vda rw quiet mitigations=off random.trust_cpu=on'],
      ['-drive', `file=${this.#image},format=raw,if=virtio`],
      disk === undefined ? [] : ['-drive', `file=${disk},format=raw,if=virtio,readonly=on`],
      ['-serial', `file:${join(this.folder, 'console.log')}`],
      meter === undefined ? [] : ['-chardev', `serial,id=meter,path=${meter}`, '-serial', 'chardev:meter'],
      ['-device', 'virtio-serial', '-chardev', `socket,id=commands,path=${control},server=on,wait=off`],
      ['-device', 'virtserialport,chardev=commands,name=rig', '-device', 'i6300esb'],
      ['-netdev', `user,id=net,restrict=on${forwards.join('')}`, '-device', 'virtio-net-pci,netdev=net'],
    ].flat();
    const qemu = spawn('qemu-system-x86_64', arguments_, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#qemu = qemu;
    // A test that is given up must not leave a machine running.
    process.once('exit', () => qemu.kill('SIGKILL'));
    for (const end = performance.now() + 10_000; !existsSync(control); await delay(50)) {
      if (performance.now() > end) throw new Error('QEMU did not come up');
    }
    const channel = connect(control);
    channel.on('error', () => {});
    this.#channel = channel;
    this.#lines = createInterface({ input: channel })[Symbol.asyncIterator]();
    this.#last = this.#line(BOOT_WITHIN_MS, 'the boot');
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
      const [code = '', output = ''] = (await this.#line(COMMAND_WITHIN_MS, script)).split(' ');
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
