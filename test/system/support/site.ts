/** One charge point on the fake machine: configuration, meter, car, central system, and the agents that live there one after another. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CentralSystem } from './central-system.ts';
import { ElectricVehicle } from './electric-vehicle.ts';
import { Machine } from './machine.ts';
import { MeterWire } from './meter-wire.ts';
import { BOARD_YAML, POWER_UP } from './wiring.ts';

export const CHARGEPOINT = join(import.meta.dirname, '../../../dist/chargepoint.cjs');
const SDM630 = join(import.meta.dirname, '../../../config/meters/eastron-sdm630.yaml');
const CHARGING_W = 11_000;

export interface SiteOptions {
  /** The meter stumbles over no haste: no silence is kept between two requests. */
  readonly hastyMeter?: boolean;
  readonly sampleIntervalS?: number;
  /** With one, the site has no central system of its own. */
  readonly centralPort?: number;
}

/** A process that runs, or ran. */
export class Life {
  readonly process: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  ended = false;
  readonly #outputFile: string;

  constructor(child: ChildProcess, outputFile: string) {
    this.process = child;
    this.#outputFile = outputFile;
    this.exit = once(child, 'close').then(([code, signal]) => {
      this.ended = true;
      return { code, signal };
    });
  }

  /** Both streams so far. A file, because a pipe that nobody empties in time would hold the process up. */
  get output(): string {
    return readFileSync(this.#outputFile, 'utf8');
  }
}

export class Site {
  readonly folder = mkdtempSync(join(tmpdir(), 'site-'));
  readonly config = join(this.folder, 'chargepoint.yaml');
  readonly controlSocket = join(this.folder, 'control.sock');
  readonly machine: Machine;
  readonly car: ElectricVehicle;
  readonly #options: SiteOptions;
  #meter: MeterWire | undefined;
  #central: CentralSystem | undefined;
  #lives = 0;

  private constructor(machine: Machine, options: SiteOptions) {
    this.machine = machine;
    this.#options = options;
    this.car = new ElectricVehicle(machine);
  }

  static async open(options: SiteOptions = {}): Promise<Site> {
    const site = new Site(await Machine.start(), options);
    try {
      await site.#furnish();
    } catch (error) {
      await site.close();
      throw error;
    }
    return site;
  }

  get central(): CentralSystem {
    if (this.#central === undefined) throw new Error('this site has no central system');
    return this.#central;
  }

  /** Another central system takes the place; it is stopped with the site. */
  adopt(central: CentralSystem): void {
    this.#central = central;
  }

  async #furnish(): Promise<void> {
    this.machine.sysfs.control(...POWER_UP);
    const meter = await MeterWire.start(this.folder);
    this.#meter = meter;
    this.car.onContacts = (closed) => void meter.load(closed ? CHARGING_W : 0);
    if (this.#options.centralPort === undefined) this.#central = await CentralSystem.start();
    writeFileSync(join(this.folder, 'board.yaml'), BOARD_YAML);
    writeFileSync(
      join(this.folder, 'meter.yaml'),
      readFileSync(SDM630, 'utf8').replace('silenceMs: 100', 'silenceMs: 2'),
    );
    writeFileSync(this.config, this.configText(meter.port));
  }

  configText(port = this.#meter?.port): string {
    const { hastyMeter = false, sampleIntervalS = 1, centralPort } = this.#options;
    const meter = hastyMeter ? './meter.yaml' : 'eastron-sdm630';
    return `
chargePoint: { identity: cp-system, vendor: Acme, model: Pi }
centralSystem: { url: "ws://127.0.0.1:${centralPort ?? this.central.port}" }
board: ./board.yaml
connectors:
  - { id: 1, cable: attached, maxA: 32, phases: 3, meter: { model: ${meter}, bus: rs485, unit: 1 } }
buses: { rs485: { port: ${port} } }
keys: { MeterValueSampleInterval: ${sampleIntervalS} }
options: { RetryBackoffWaitMinimum: 0, RetryBackoffRandomRange: 0 }
stateDir: ./state
control: { socket: ./control.sock }
faultGraceS: 1
acknowledgeLabUse: true
`;
  }

  /** `program` is the built agent unless another one is given. */
  run(program: readonly string[] = [CHARGEPOINT, 'run', '--config', this.config], withTells = false): Life {
    const outputFile = join(this.folder, `output-${++this.#lives}`);
    const output = openSync(outputFile, 'w');
    try {
      const stdio = ['ignore' as const, output, output, ...(withTells ? ['pipe' as const] : [])];
      return new Life(this.machine.spawn(process.execPath, program, { stdio }), outputFile);
    } finally {
      closeSync(output);
    }
  }

  async close(): Promise<void> {
    this.car.stop();
    await this.machine.stop();
    await this.#meter?.stop();
    await this.#central?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
