/** A virtual charge point with car, driver, network and central system: ten minutes take milliseconds. */
import type { Board } from '../../hal/contract.ts';
import { createMockBoard, type MockBoard } from '../../hal/mock/mock-board.ts';
import type { ConnectorChange } from '../../hal/mock/mock-connector.ts';
import type { Rotation } from '../../hal/mock/mock-grid.ts';
import { type Agent, type AgentOptions, startAgent } from '../../src/agent.ts';
import { fakeInstaller } from '../../src/bench/fake-installer.ts';
import { type FirmwareInputs, inputsAtPowerUp } from '../../src/bench/inputs.ts';
import { DEFAULT_OPTIONS } from '../../src/config/options.ts';
import type { AgentConfig } from '../../src/config.ts';
import type { ControlRoute } from '../../src/features/feature.ts';
import type { OutboxPorts } from '../../src/ocpp/outbox.ts';
import { certificates } from '../../src/platform/x509/certificates.ts';
import type { ExitKind, Installation, Log } from '../../src/ports.ts';
import { MemoryArchives } from './memory-archives.ts';
import { MemoryKeyStore } from './memory-key-store.ts';
import { MemoryRecordings } from './memory-recordings.ts';
import { MemoryDisk } from './memory-store.ts';
import { SimCentralSystem, SimNetwork, type WireEntry } from './network.ts';
import { SimFirmwareFile } from './sim-firmware.ts';
import { SimTransfers } from './sim-transfers.ts';
import { VirtualClock } from './virtual-clock.ts';

interface SimConnector {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly phases?: 1 | 3;
  /** Default 32. */
  readonly maxA?: number;
  /** How the mock board is wired, whatever ConnectorPhaseRotation says. Default RST. */
  readonly rotation?: Rotation;
  /** How late its EV obeys where it may draw less. Default 0. */
  readonly followsMs?: number;
}

export interface WorldOptions {
  /** Default: one connector with an attached cable. */
  readonly connectors?: readonly SimConnector[];
  /** Gives the agent other hardware than the mock board alone, such as a main meter. */
  readonly furnish?: (board: MockBoard) => Board;
  readonly keys?: Readonly<Record<string, string>>;
  readonly faultGraceS?: number;
  /** Default: never. */
  readonly wakeUps?: number;
  readonly resumeWithinS?: number;
  /** The cars stay plugged in and the meters keep their registers when the power goes. */
  readonly lasting?: true;
  readonly freeVend?: AgentConfig['freeVend'];
  readonly firmwareConfig?: AgentConfig['firmware'];
  readonly chargePoint?: Partial<AgentConfig['chargePoint']>;
  readonly certificates?: AgentConfig['certificates'];
  readonly centralSystem?: Partial<AgentConfig['centralSystem']>;
  readonly options?: Partial<AgentConfig['options']>;
  readonly installation?: Partial<AgentConfig['installation']>;
  readonly protection?: AgentConfig['protection'];
  /** The meter keeps its serial number over a restart. */
  readonly meterSerial?: string;
  /** Called before the agent starts: what the central system should do from the first frame on. */
  readonly prepare?: (central: SimCentralSystem) => void;
  readonly trusted?: boolean;
  readonly vendorMessages?: AgentOptions['vendorMessages'];
  readonly incidents?: AgentOptions['incidents'];
  readonly reached?: OutboxPorts['reached'];
  /** Of the disk. Default: there is none. */
  readonly freeBytes?: () => number | undefined;
  /** Of the program. Default: nobody knows it. */
  readonly version?: string;
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
};

export class World {
  options: WorldOptions;
  readonly disk = new MemoryDisk();
  readonly central: SimCentralSystem;
  readonly network: SimNetwork;
  readonly keyStore = new MemoryKeyStore();
  readonly transfers = new SimTransfers();
  readonly firmwareFile = new SimFirmwareFile(this.transfers);
  /** What the installer does. */
  firmware: FirmwareInputs = inputsAtPowerUp([]).firmware;
  /** What was installed has not confirmed itself yet. */
  onTrial = false;
  /** How the installer goes on where the process has ended in the middle; without it that is a failure. */
  resume: (() => Promise<Installation>) | undefined;
  readonly archives = new MemoryArchives();
  readonly recordings = new MemoryRecordings();
  readonly exits: ExitKind[] = [];
  readonly logged: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
  clock: VirtualClock;
  #board: MockBoard | undefined;
  #agent: Agent | undefined;
  #boots = 0;
  /** What a loss of power leaves of the world around the charge point. */
  left: readonly { readonly connectorId: number; readonly change: ConnectorChange }[] = [];

  private constructor(options: WorldOptions) {
    this.options = options;
    this.clock = new VirtualClock({ bootId: 'boot-1', trusted: options.trusted ?? true });
    this.central = new SimCentralSystem(this.clock);
    this.network = new SimNetwork(this.central);
  }

  /** A world whose agent runs and has been accepted, unless the central system was prepared to do otherwise. */
  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    options.prepare?.(world.central);
    await world.boot();
    await world.clock.advance(100);
    return world;
  }

  get board(): MockBoard {
    if (this.#board === undefined) throw new Error('the charge point is off');
    return this.#board;
  }

  get agent(): Agent {
    if (this.#agent === undefined) throw new Error('the charge point is off');
    return this.#agent;
  }

  /** Another central system, at this host. */
  place(host: string): SimCentralSystem {
    const central = new SimCentralSystem(this.clock);
    this.network.place(host, central);
    return central;
  }

  get wire(): readonly WireEntry[] {
    return this.central.wire;
  }

  /** A technician edits the configuration file; the next `boot` reads it. */
  edit(change: Partial<WorldOptions>): void {
    this.options = { ...this.options, ...change };
  }

  async boot(): Promise<void> {
    this.#boots++;
    const {
      connectors = [{ id: 1, cable: 'attached' as const }],
      meterSerial,
      installation,
      protection,
      vendorMessages,
      incidents,
      reached,
      version,
      freeBytes,
    } = this.options;
    const log = this.#log();
    this.#board = createMockBoard({
      connectors,
      clock: this.clock,
      log,
      meterSerial: meterSerial ?? `METER-${this.#boots}`,
      ...(installation?.gridConnection === undefined ? {} : { gridConnection: true }),
      ...(installation?.dimming === undefined ? {} : { dimming: true }),
      ...(protection === undefined ? {} : { protection }),
    });
    if (this.options.lasting)
      for (const { connectorId, change } of this.left) this.board.inputs.patchConnector(connectorId, change);
    let id = 0;
    const boot = this.#boots;
    const store = this.disk.open();
    this.#agent = await startAgent({
      config: this.#config(connectors),
      board: this.options.furnish?.(this.#board) ?? this.#board,
      ports: {
        clock: this.clock,
        store,
        random: { fraction: () => 0.5, uuid: () => `${boot}-${String(++id).padStart(4, '0')}` },
        log,
        sockets: this.network,
        system: {
          exit: (kind) => void this.exits.push(kind),
          ...(freeBytes === undefined ? {} : { freeBytes: async () => freeBytes() }),
        },
        certificates,
        keyStore: this.keyStore,
        transfers: this.transfers,
        installer: Object.assign(fakeInstaller({ inputs: () => this.firmware, clock: this.clock, store }), {
          onTrial: async () => this.onTrial,
          ...(this.resume === undefined ? {} : { resume: this.resume }),
        }),
        firmwareFile: this.firmwareFile,
        archives: this.archives,
        recordings: this.recordings,
      },
      ...(vendorMessages === undefined ? {} : { vendorMessages }),
      ...(incidents === undefined ? {} : { incidents }),
      ...(reached === undefined ? {} : { reached }),
      ...(version === undefined ? {} : { version }),
    });
  }

  /** SIGKILL or a power cut: nothing of the process is left, the car stays where it is and has to be plugged in again by the test. */
  async powerCut(): Promise<void> {
    for (const central of this.network.centrals) central.close();
    this.network.reachable = true;
    await this.disk.powerCut();
    this.#forget();
  }

  async kill(): Promise<void> {
    for (const central of this.network.centrals) central.close();
    await this.disk.kill();
    this.#forget();
  }

  plugIn(connectorId = 1): void {
    this.board.inputs.patchConnector(connectorId, { ev: { plugged: true } });
  }

  /** A route of the local control interface, without the socket. Throws, or rejects, as the room does. */
  async control(method: ControlRoute['method'], path: string, body?: unknown): Promise<unknown> {
    const route = this.agent.routes.find((each) => each.method === method && each.path === path);
    if (route === undefined) throw new Error(`there is no route ${method} ${path}`);
    return route.handle({ query: {}, body });
  }

  unplug(connectorId = 1): void {
    this.board.inputs.patchConnector(connectorId, { ev: { plugged: false } });
  }

  present(idTag: string, connectors?: readonly number[]): void {
    this.board.inputs.present(idTag, connectors);
  }

  /** `Action` of each call of ours since `from`, statuses as `StatusNotification(1 Charging)`. */
  story(from = 0): readonly string[] {
    return this.central
      .calls()
      .filter(({ t }) => t >= from)
      .map(({ frame }) => {
        const payload = frame[3] as Record<string, unknown>;
        const action = String(frame[2]);
        return action === 'StatusNotification' ? `${action}(${payload['connectorId']} ${payload['status']})` : action;
      });
  }

  #forget(): void {
    const { clock } = this;
    this.left = this.board.connectors.map(({ id: connectorId }) => {
      const { pilot, energyWh, meterSerial } = this.board.connector(connectorId).observe();
      return { connectorId, change: { ev: { plugged: pilot !== 'A' }, meter: { wh: energyWh, serial: meterSerial } } };
    });
    // A new process: its timers and its monotonic time begin anew, wall time goes on.
    this.clock = new VirtualClock({
      bootId: `boot-${this.#boots + 1}`,
      start: clock.now(),
      wallStart: clock.wall(clock.now()),
      trusted: clock.trusted,
    });
    for (const central of this.network.centrals) central.clock = this.clock;
    this.network.forget();
    this.#board = undefined;
    this.#agent = undefined;
  }

  #config(connectors: readonly SimConnector[]): AgentConfig {
    return {
      file: '/virtual/chargepoint.yaml',
      chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi', ...this.options.chargePoint },
      centralSystem: {
        url: 'ws://central.example',
        securityProfile: 0,
        certificateAuthorities: [],
        verifyHostname: true,
        ...this.options.centralSystem,
      },
      board: 'mock',
      connectors: connectors.map(({ id, cable, phases = 3, maxA = 32 }) => ({
        id,
        cable,
        phases,
        maxA,
        ventilated: false,
      })),
      keys: this.options.keys ?? {},
      options: { ...DEFAULT_OPTIONS, ...this.options.options },
      installation: {
        nominalV: 230,
        phases: 3,
        safeA: 6,
        randomDelayS: 0,
        phaseSwitchEveryS: 60,
        ...this.options.installation,
      },
      stateDir: '/virtual/state',
      log: { level: 'info' },
      control: {},
      faultGraceS: this.options.faultGraceS ?? 300,
      resumeWithinS: this.options.resumeWithinS ?? 0,
      ...(this.options.wakeUps === undefined ? {} : { wakeUps: this.options.wakeUps }),
      acknowledgeLabUse: false,
      ...(this.options.firmwareConfig === undefined ? {} : { firmware: this.options.firmwareConfig }),
      ...(this.options.certificates === undefined ? {} : { certificates: this.options.certificates }),
      ...(this.options.freeVend === undefined ? {} : { freeVend: this.options.freeVend }),
    };
  }

  #log(): Log {
    const keep = (level: string) => (message: string, fields?: unknown) => {
      this.logged.push({ level, message, fields });
    };
    const log: Log = {
      debug: keep('debug'),
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
      child: () => log,
    };
    return log;
  }
}
