/** An ARM machine, and a technician in front of it: the release archive is a file that he has brought, the car is played over the bench. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Guest, type Machine, OWN_TIME, RIG } from './guest.ts';

/** What `rig/build-arm64` leaves, and the archive that `scripts/kernel.mjs` has made. */
const FOLDER = join(RIG, 'arm64');

/**
 * The oldest core that we support, that of a Pi 3 and a Zero 2 W (ARMv8.0: a later instruction ends the process), with the memory of the
 * smallest. All of it takes two minutes of a processor of the host; the limits are for a host that has six other things to do, on which to
 * install takes two minutes. In the guest no time-out is longer than that of a Pi: its clock is its own.
 */
const MACHINE: Machine = {
  rig: FOLDER,
  qemu: 'qemu-system-aarch64',
  hardware: ['-machine', 'virt', '-accel', 'tcg,tb-size=256', '-cpu', 'cortex-a53', '-m', '512', ...OWN_TIME],
  append: 'console=ttyAMA0 net.ifnames=0',
  meter: ['-device', 'pci-serial,chardev=meter'],
  bootWithinMs: 280_000,
  commandWithinMs: 400_000,
};

const BENCH = 'http://127.0.0.1:9001/bench';

export interface ArmOptions {
  /** A pty on this side, /dev/ttyS0 in the guest. */
  readonly meter: string;
  /** Of the central system on our loopback; in the guest it is 10.0.2.100:9000. */
  readonly centralPort: number;
}

export class ArmMachine {
  readonly guest: Guest;
  /** Of the archive. */
  readonly version: string;
  readonly #archive: string;

  constructor({ meter, centralPort }: ArmOptions) {
    const folder = join(FOLDER, 'release');
    const name = readdirSync(folder).find((file) => file.endsWith('-linux-arm64.tar.gz'));
    if (name === undefined) throw new Error('there is no release for arm64: npm run test:kernel makes it');
    this.#archive = name;
    this.version = name.replace('chargepoint-', '').replace('-linux-arm64.tar.gz', '');
    this.guest = new Guest({ machine: MACHINE, disk: join(folder, name), meter, ports: { 9000: centralPort } });
  }

  /** docs/release.md, first installation, as it is typed there; resolves before the service is enabled. */
  async install(): Promise<void> {
    await this.guest.run(`head -c ${this.guest.diskBytes} /dev/vdb >/root/${this.#archive}`);
    await this.guest.run(`cd /root && tar -xzf ${this.#archive}`);
    await this.guest.run(`cd /root && chargepoint-${this.version}/systemd/set-up ${this.#archive}`);
    await this.guest.run('rm -r /root/chargepoint-*');
  }

  /** What the release's own Node says to a script. */
  node(script: string): Promise<string> {
    return this.guest.run(`cd /opt/chargepoint/current && bin/node -p '${script}'`);
  }

  /** What the car of connector 1 does, as the README has it. */
  ev(change: Readonly<Record<string, unknown>>): Promise<string> {
    const body = JSON.stringify({ connectors: { 1: { ev: change } } });
    return this.guest.run(`curl -sS --fail -X PATCH ${BENCH} -H 'content-type: application/json' -d '${body}'`);
  }

  /** Resident memory of the running service, in MB. */
  async residentMb(): Promise<number> {
    const status = '/proc/$(systemctl show --property MainPID --value chargepoint)/status';
    return Number(await this.guest.run(`awk '$1 == "VmRSS:" { print $2 }' ${status}`)) / 1000;
  }

  async journal(): Promise<string> {
    return (await this.guest.ask('journalctl -b --no-pager -u "chargepoint*" -n 60')).output;
  }
}
