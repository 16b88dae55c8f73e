/** A charge point as it stands on a wall: the release installed in the guest, its meter, its car, and a central system on this side. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CentralSystem } from '../../system/support/central-system.ts';
import { MeterWire } from '../../system/support/meter-wire.ts';
import { BOARD_YAML } from '../../system/support/wiring.ts';
import { Guest } from './guest.ts';

const CENTRAL_PORT = 9000;
const FILES_PORT = 9001;
const SEEN_WITHIN_MS = 60_000;

/** The fake /sys of the system tests and the guest are wired alike; the chips have other names. */
const boardYaml = (backend: string): string =>
  BOARD_YAML.replace(/gpio: .*/, `gpio: { backend: ${backend}, chip: pinctrl-bcm2711 }`).replace(
    '"*.pwm"',
    '"pwm-mock"',
  );

/** The same pilot behind peak detectors and an MCP3208 in place of the comparators. */
const withConverter = (board: string): string =>
  board.replace('driver: comparatorPilot', 'driver: peakHoldPilot').replace(
    / +comparators:\n(?: {8}.*\n)+/,
    `\
      adc: { device: mcp3208 }
      positive: { channel: 0, calibration: [{ adcV: 0, pilotV: 0 }, { adcV: 3, pilotV: 12 }] }
      negative: { channel: 1, calibration: [{ adcV: 0, pilotV: 0 }, { adcV: 3, pilotV: -12 }] }
      settleMs: 5
`,
  );

const CONFIG_YAML = `
chargePoint: { identity: cp-kernel, vendor: Acme, model: Pi }
centralSystem: { url: "ws://10.0.2.100:${CENTRAL_PORT}" }
board: ./board.yaml
connectors:
  - { id: 1, cable: attached, maxA: 32, phases: 3, meter: { model: eastron-sdm630, bus: rs485, unit: 1 } }
buses: { rs485: { port: /dev/ttyS1 } }
keys: { MeterValueSampleInterval: 2 }
options: { RetryBackoffWaitMinimum: 0, RetryBackoffRandomRange: 0 }
stateDir: /var/lib/chargepoint
control: { socket: /run/chargepoint/control.sock }
faultGraceS: 1
acknowledgeLabUse: true
`;

const SYSFS_DROP_IN = `[Service]
ExecStart=
ExecStart=/opt/rig/node /opt/chargepoint/current/dist/chargepoint.cjs run --config /etc/chargepoint/chargepoint.yaml
`;

/** One line of the log of the guest's world; `at` is its CLOCK_MONOTONIC in seconds. */
export interface Seen {
  readonly at: number;
  readonly what: string;
  readonly value: string;
}

export interface InstalledOptions {
  readonly backend?: string;
  /** Of a server on our side, for downloads. */
  readonly filesPort?: number;
  /** A file for the guest: /dev/vdb. */
  readonly disk?: string;
}

const here = (text: string): string => `base64 -d <<<${Buffer.from(text).toString('base64')}`;

export class Installed {
  readonly guest: Guest;
  readonly central: CentralSystem;
  readonly meter: MeterWire;
  readonly #folder: string;

  private constructor(guest: Guest, central: CentralSystem, meter: MeterWire, folder: string) {
    this.guest = guest;
    this.central = central;
    this.meter = meter;
    this.#folder = folder;
  }

  /** From power on to a running service. The release is in the image, put there by its own set-up. */
  static async open({ backend = 'auto', filesPort, disk }: InstalledOptions = {}): Promise<Installed> {
    const folder = await mkdtemp(join(tmpdir(), 'kernel-'));
    const central = await CentralSystem.start();
    const meter = await MeterWire.start(folder);
    const ports = { [CENTRAL_PORT]: central.port, ...(filesPort === undefined ? {} : { [FILES_PORT]: filesPort }) };
    const guest = new Guest({ meter: meter.port, ports, ...(disk === undefined ? {} : { disk }) });
    const installed = new Installed(guest, central, meter, folder);
    try {
      await guest.boot();
      await guest.run(`${here(boardYaml(backend))} >/etc/chargepoint/board.yaml`);
      await guest.run(`${here(CONFIG_YAML)} >/etc/chargepoint/chargepoint.yaml`);
      await installed.wireUp();
      await guest.run('systemctl enable --now chargepoint');
      await central.until('StatusNotification', ({ status }) => status === 'Available', { withinMs: 240_000 });
    } catch (error) {
      process.stderr.write(`${await installed.journal()}\n`);
      await installed.close();
      throw error;
    }
    return installed;
  }

  /** The car stands outside of the service; after a boot it has to be put there again, where it was. */
  async wireUp(at: 'A' | 'B' = 'A'): Promise<void> {
    await this.guest.run(
      `systemd-run -q --unit=rig-car /opt/chargepoint/current/bin/node /usr/local/lib/rig/car.cjs ${at}; until [ -e /run/rig/ready ]; do sleep 0.1; done`,
    );
  }

  /**
   * The same charge point with the other back end for its lines, in the Node and with the `onoff` of this machine, as the release has
   * none; and with a converter for its pilot.
   */
  async useSysfsAndConverter(): Promise<void> {
    const modules = '/opt/chargepoint/current/node_modules';
    await this.guest.run('systemctl stop chargepoint');
    await this.guest.run(
      `cp -r /opt/rig/node_modules/* ${modules}/ && ${here(withConverter(boardYaml('sysfs')))} >/etc/chargepoint/board.yaml`,
    );
    await this.guest.run(
      `mkdir -p /run/systemd/system/chargepoint.service.d && ${here(SYSFS_DROP_IN)} >/run/systemd/system/chargepoint.service.d/sysfs.conf`,
    );
    await this.guest.run('systemctl daemon-reload && systemctl start --no-block chargepoint');
  }

  plug(): Promise<string> {
    return this.#tell('plug');
  }

  unplug(): Promise<string> {
    return this.#tell('unplug');
  }

  /** The level of an input line. */
  pull(line: number, level: 0 | 1): Promise<string> {
    return this.#tell(`pull ${line} ${level}`);
  }

  /** What the guest's world has seen, once `isComplete` holds for it: it reads the kernel's tracepoints when it has time to. */
  async seen(what: string, isComplete: (seen: readonly Seen[]) => boolean): Promise<readonly Seen[]> {
    for (const end = performance.now() + SEEN_WITHIN_MS; ; await delay(500)) {
      const seen = await this.#log();
      if (isComplete(seen)) return seen;
      if (performance.now() > end)
        throw new Error(`not seen within ${SEEN_WITHIN_MS} ms: ${what}\n${JSON.stringify(seen)}`);
    }
  }

  async #log(): Promise<readonly Seen[]> {
    const log = await this.guest.run('cat /run/rig/log');
    return log.split('\n').flatMap((line) => {
      const [at = '', what = '', ...value] = line.split(' ');
      return what === '' ? [] : [{ at: Number(at), what, value: value.join(' ') }];
    });
  }

  /** Whether the coil is driven at this moment, as the kernel has it. */
  async coil(): Promise<'on' | 'off'> {
    const value = await this.guest.run('cat /sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio17/value');
    return value === '1' ? 'on' : 'off';
  }

  async journal(): Promise<string> {
    return (await this.guest.ask('journalctl -b --no-pager -u "chargepoint*" -n 60')).output;
  }

  async close(): Promise<void> {
    await this.guest.stop();
    await this.meter.stop();
    await this.central.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #tell(what: string): Promise<string> {
    return this.guest.run(`echo ${what} >/run/rig/told && mv /run/rig/told "/run/rig/do/$(date +%s%N)"`);
  }
}
