/** Puts the rooms together from ports, a board and a configuration: the same agent on a Pi, on a bench or inside a virtual minute. */
import type { Board, WearCounts } from '../hal/contract.ts';
import { CentralSystemLine } from './central-system-line.ts';
import { settleSwitch } from './central-system-switch.ts';
import type { AgentConfig } from './config.ts';
import type { Connector, ConnectorStatus, StopReason } from './core/connector/state.ts';
import { transactionOf } from './core/connector/state.ts';
import { whyOf } from './core/why.ts';
import { FEATURES } from './features/all.ts';
import { readInoperative } from './features/availability/change-availability.ts';
import { Configuration } from './features/configuration/configuration.ts';
import { PROFILES, supportedFeatureProfiles } from './features/configuration/keys-room.ts';
import { disclosed } from './features/configuration/precedence.ts';
import type {
  Context,
  ControlRoute,
  ExtendedTrigger,
  Feature,
  Incident,
  Room,
  VendorMessage,
} from './features/feature.ts';
import { reservation } from './features/reservation/reservation.ts';
import { presetsOf } from './features/security/security.keys.ts';
import { settled } from './features/settled.ts';
import { smartCharging } from './features/smart-charging/smart-charging.ts';
import { furnish, type House } from './house.ts';
import { spoken } from './ocpp/connection-url.ts';
import type { RegistrationStatus } from './ocpp/messages/core/boot-notification.ts';
import { type ExtendedMessageTrigger, MESSAGE_TRIGGERS, type MessageTrigger } from './ocpp/messages/types/trigger.ts';
import type { Outbox, OutboxPorts } from './ocpp/outbox.ts';
import { FrameLog } from './ocpp/wire-log.ts';
import type { Ports, Unsubscribe } from './ports.ts';
import { FlightRecorder } from './recorder/flight-recorder.ts';
import { type RecordedBoard, recordedBoard } from './recorder/recorded-board.ts';
import type { Standing } from './recorder/tape.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly board: Board;
  /** The vendors whose DataTransfer is understood; default none. */
  readonly vendorMessages?: readonly VendorMessage[];
  /** What the start of the process found and the operator has to learn: SecurityEventNotification. */
  readonly incidents?: readonly Incident[];
  /** Of this program: for the flight recordings, and to notice an update that somebody has made by hand. */
  readonly version?: string;
  /** For kill tests; absent in production. */
  readonly reached?: OutboxPorts['reached'];
  /** Where a replay begins; absent in production. */
  readonly goOnFrom?: readonly Connector[];
}

export interface ConnectorView {
  readonly id: number;
  readonly status: ConnectorStatus;
  /** `offline`: its StartTransaction is not confirmed yet. */
  readonly transaction: 'none' | 'offline' | 'online';
  readonly transactionId: number | null;
  /** The limit in force, cable included, in ampere. */
  readonly limitA: number;
  readonly why: string;
  /** How often its contactor has opened; absent where nobody counts. */
  readonly wear?: WearCounts;
}

export interface AgentView {
  readonly connected: boolean;
  readonly boot: RegistrationStatus | null;
  /** Transaction messages not yet confirmed. */
  readonly queue: number;
  readonly connectors: readonly ConnectorView[];
}

/** The agent's public face: all that the control interface, the bench and other faces may touch. */
export interface Agent {
  view(): AgentView;
  /** Whom it dials now, as it is told, and what a person has to know about that. */
  readonly centralSystem: { readonly url: string; readonly notice?: string };
  /** Called after anything in the view may have changed. */
  onChange(listener: () => void): Unsubscribe;
  readonly outbox: Pick<Outbox, 'size' | 'pending' | 'deadLetters' | 'adopt'>;
  readonly wireLog: FrameLog;
  /** What the rooms answer on the local control interface. */
  readonly routes: readonly ControlRoute[];
  /** Opens every contactor before it returns. For what nobody caught. */
  trip(): void;
  /** After a trip, once the outputs are safe: saves what the flight recorder holds. Bounded in time, never rejects. */
  lastWords(): Promise<void>;
  /**
   * An orderly end within 3 s: contactors open at once, every running transaction gets a durable stop, which is sent if that goes
   * within 2 s.
   */
  stop(reason: Extract<StopReason, 'Reboot' | 'Other'>): Promise<void>;
}

const SENT_WITHIN_MS = 2000;

/** Opens what is stored, starts the rooms, listens to the hardware and dials. Rejects with StoreError. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config, ports } = options;
  const { store, clock, log } = ports;
  await settleSwitch(store, { url: config.centralSystem.url, identity: config.chargePoint.identity }, log);
  const features = activeFeatures(config);
  const configuration = await Configuration.open({
    keys: features.flatMap(({ keys }) => keys),
    presets: presetsOf(config),
    store,
    clock,
    log,
  });
  if (config.keys['SupportedFeatureProfiles'] === undefined) {
    const active = new Set<string>(features.map(({ profile }) => profile));
    configuration.adopt(
      supportedFeatureProfiles,
      PROFILES.filter((profile) => active.has(profile)),
    );
  }
  const agent = new RunningAgent(options, configuration, await readInoperative(store));
  await agent.start(features);
  return agent;
}

/** A profile that the file's SupportedFeatureProfiles leaves out is off, with its keys; security is no profile and always on. */
function activeFeatures({ keys }: AgentConfig): readonly Feature[] {
  const preset = keys['SupportedFeatureProfiles'];
  const profiles = preset === undefined ? undefined : supportedFeatureProfiles.type.parse(preset);
  if (profiles === undefined) return FEATURES;
  const always: readonly string[] = ['Core', 'Security'];
  return FEATURES.filter(({ profile }) => always.includes(profile) || profiles.some((on) => on === profile));
}

class RunningAgent implements Agent {
  readonly wireLog: FrameLog;
  readonly #options: AgentOptions;
  readonly #recorder: FlightRecorder;
  readonly #recorded: RecordedBoard;
  readonly #settings: Configuration;
  readonly #house: House;
  readonly #changed = new Set<() => void>();
  readonly #line: CentralSystemLine;
  #context: Context;
  #rooms: readonly Room[] = [];
  #ending: Promise<void> | undefined;

  constructor(options: AgentOptions, settings: Configuration, inoperative: ReadonlySet<number>) {
    const { config, ports, version, reached, goOnFrom } = options;
    this.#settings = settings;
    this.#recorder = makeRecorder(options, settings);
    this.#recorded = recordedBoard(options.board, this.#recorder);
    const { board } = this.#recorded;
    this.#options = { ...options, board };
    this.wireLog = new FrameLog(ports.log);
    this.wireLog.onFrame(({ direction, text }) => this.#recorder.frame(direction, text));
    this.#house = furnish({
      config,
      ports,
      board,
      settings,
      inoperative,
      send: (action, payload, onLate) => this.#line.send(action, payload, onLate),
      isOnline: () => this.#line.isOnline,
      call: (operation, request, callOptions) => this.#line.call(operation, request, callOptions),
      version,
      ...(reached === undefined ? {} : { reached }),
      ...(goOnFrom === undefined ? {} : { goOnFrom }),
    });
    const { securityEvents, trust } = this.#house;
    this.#line = new CentralSystemLine({
      config,
      ports,
      settings,
      securityEvents,
      trust,
      wireLog: this.wireLog,
      note: (open) => this.#recorder.note({ what: 'link', open }),
      changed: () => this.#tellChanged(),
    });
    this.#context = this.#makeContext();
  }

  async start(features: readonly Feature[]): Promise<void> {
    const {
      authority,
      chargingProfiles,
      firmware,
      ledger,
      limits,
      localList,
      reservations,
      securityEvents,
      station,
      trust,
    } = this.#house;
    // What the others find may be one.
    await securityEvents.open();
    // None of these waits for another: each look into the store costs the first dial a turn.
    await Promise.all([
      trust.open(),
      this.#line.dialling.open(),
      firmware.open(),
      ledger.open(),
      authority.open(),
      localList.open(),
      ...(features.includes(reservation) ? [reservations.open()] : []),
    ]);
    // Whose transactions have gone on, the ledger knows.
    if (features.includes(smartCharging)) await chargingProfiles.open();
    this.#rooms = features.map((feature) => feature.start(this.#context));
    const absent = FEATURES.filter((feature) => !features.includes(feature)).flatMap(({ absent }) => absent ?? []);
    this.#line.answerWith([...this.#rooms.flatMap(({ handlers }) => handlers ?? []), ...absent]);
    const changed = (): void => this.#tellChanged();
    station.onChange(changed);
    ledger.outbox.onChange(changed);
    station.goOn(this.#options.goOnFrom ?? []);
    this.#recorder.begin(() => this.#standing(), this.#recorded.begin);
    limits.start();
    station.start();
    this.#line.start();
  }

  view(): AgentView {
    return {
      connected: this.#line.open,
      boot: this.#line.registration.status,
      queue: this.#house.ledger.outbox.size,
      connectors: this.#house.station.connectors.map((connector) => this.#viewOf(connector)),
    };
  }

  get centralSystem(): Agent['centralSystem'] {
    const { url, notice } = this.#line.dialling;
    return { url: spoken(url), ...(notice === undefined ? {} : { notice }) };
  }

  onChange(listener: () => void): Unsubscribe {
    this.#changed.add(listener);
    return () => this.#changed.delete(listener);
  }

  get outbox(): Outbox {
    return this.#house.ledger.outbox;
  }

  get routes(): readonly ControlRoute[] {
    return this.#rooms.flatMap(({ routes }) => routes ?? []);
  }

  trip(): void {
    this.#house.station.trip();
  }

  lastWords(): Promise<void> {
    return this.#recorder.end('crash');
  }

  stop(reason: 'Reboot' | 'Other'): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: 'Reboot' | 'Other'): Promise<void> {
    const { chargingProfiles, ledger, limits, reservations, station } = this.#house;
    station.shutDown({ reason, trip: true });
    await settled(this.#context, this.#line.open ? SENT_WITHIN_MS : 0);
    station.stop();
    limits.stop();
    for (const { stop } of this.#rooms) stop?.();
    reservations.stop();
    chargingProfiles.stop();
    await Promise.all([this.#line.stop(), this.#recorder.end('orderly')]);
    await ledger.outbox.close();
  }

  #viewOf(connector: Connector): ConnectorView {
    const { id, limitA, cableA } = connector;
    const transaction = transactionOf(connector);
    const transactionId = transaction && this.#house.ledger.transactionId(transaction.id);
    const standing = transactionId === undefined ? 'offline' : 'online';
    const wear = this.#house.station.hardware(id)?.wear;
    return {
      id,
      status: this.#house.station.report(id)?.status ?? 'Unavailable',
      transaction: transaction === undefined ? 'none' : standing,
      transactionId: transactionId ?? null,
      limitA: Math.min(limitA, cableA ?? limitA),
      why: whyOf(connector),
      ...(wear === undefined ? {} : { wear: wear.counts }),
    };
  }

  #standing(): Standing {
    const { ledger, station } = this.#house;
    const { board } = this.#options;
    const connectors = board.connectors.flatMap(({ id, evse: { state } }) => {
      const connector = station.connector(id);
      if (connector === undefined) return [];
      const transaction = transactionOf(connector);
      if (transaction === undefined) return [{ connector, ...state }];
      return [{ connector, ...state, transactionId: ledger.transactionId(transaction.id) ?? null }];
    });
    return { connectors, mains: board.mains, linked: this.#line.open };
  }

  #makeContext(): Context {
    const { config, ports, board } = this.#options;
    const { ledger, ...shared } = this.#house;
    return {
      ...ports,
      config,
      board,
      ...shared,
      flightRecorder: this.#recorder,
      settings: this.#settings,
      registration: this.#line.registration,
      transactions: ledger,
      vendorMessages: this.#options.vendorMessages ?? [],
      incidents: this.#options.incidents ?? [],
      connection: this.#line,
      call: this.#line.call,
      trigger: (message) => this.#rooms.find(({ triggers }) => triggers?.[message] !== undefined)?.triggers?.[message],
      extendedTrigger: (message) => this.#extendedTrigger(message),
    };
  }

  /** What a room offers for ExtendedTriggerMessage only goes first: FirmwareStatusNotification means the signed one there. */
  #extendedTrigger(message: ExtendedMessageTrigger): ExtendedTrigger | undefined {
    for (const { extendedTriggers } of this.#rooms) {
      const special = extendedTriggers?.[message];
      if (special !== undefined) return special;
    }
    return isMessageTrigger(message) ? this.#context.trigger(message) : undefined;
  }

  #tellChanged(): void {
    for (const listener of this.#changed) listener();
  }
}

/** What only the central system may write is in no recording. */
function makeRecorder({ board, config, ports, version = 'unknown' }: AgentOptions, settings: Configuration) {
  return new FlightRecorder({
    ...ports,
    version,
    connectors: board.connectors.map(({ id, lock, maxA, phases }) => ({
      id,
      maxA,
      phases,
      cable: lock === undefined ? 'attached' : 'socket',
      ventilated: config.connectors.find((connector) => connector.id === id)?.ventilated ?? false,
    })),
    keys: () =>
      Object.fromEntries(
        settings.effective.map(disclosed).flatMap(({ name, value, access }) => (access === 'W' ? [] : [[name, value]])),
      ),
  });
}

const isMessageTrigger = (message: ExtendedMessageTrigger): message is ExtendedMessageTrigger & MessageTrigger =>
  MESSAGE_TRIGGERS.some((other) => other === message);
