/** Puts the rooms together from ports, a board and a configuration: the same agent on a Pi, on a bench or inside a virtual minute. */
import type { Board } from '../hal/contract.ts';
import { settleSwitch } from './central-system-switch.ts';
import type { AgentConfig } from './config.ts';
import type { Connector, ConnectorStatus, StopReason } from './core/connector/state.ts';
import { transactionOf } from './core/connector/state.ts';
import { retryDelayMs } from './core/retry.ts';
import { whyOf } from './core/why.ts';
import { FEATURES } from './features/all.ts';
import { readInoperative } from './features/availability/change-availability.ts';
import { messageTimeout, webSocketPingInterval } from './features/boot/boot.ts';
import { Configuration } from './features/configuration/configuration.ts';
import { PROFILES, supportedFeatureProfiles } from './features/configuration/keys-room.ts';
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
import { Credentials } from './features/security/credentials.ts';
import { InvalidMessages } from './features/security/invalid-messages.ts';
import { presetsOf } from './features/security/security.keys.ts';
import { settled } from './features/settled.ts';
import { smartCharging } from './features/smart-charging/smart-charging.ts';
import { furnish, type House } from './house.ts';
import { Link } from './ocpp/link.ts';
import { operationOf } from './ocpp/messages/all.ts';
import type { RegistrationStatus } from './ocpp/messages/core/boot-notification.ts';
import { Heartbeat } from './ocpp/messages/core/heartbeat.ts';
import { type ExtendedMessageTrigger, MESSAGE_TRIGGERS, type MessageTrigger } from './ocpp/messages/types/trigger.ts';
import type { Fact } from './ocpp/outbox/fact.ts';
import type { Outbox, OutboxPorts } from './ocpp/outbox.ts';
import { Peer } from './ocpp/peer.ts';
import { Registration } from './ocpp/registration.ts';
import { FrameLog } from './ocpp/wire-log.ts';
import type { Ports, Unsubscribe } from './ports.ts';

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly board: Board;
  /** The vendors whose DataTransfer is understood; default none. */
  readonly vendorMessages?: readonly VendorMessage[];
  /** What the start of the process found and the operator has to learn: SecurityEventNotification. */
  readonly incidents?: readonly Incident[];
  /** For kill tests; absent in production. */
  readonly reached?: OutboxPorts['reached'];
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
  /** Called after anything in the view may have changed. */
  onChange(listener: () => void): Unsubscribe;
  readonly outbox: Pick<Outbox, 'size' | 'pending' | 'deadLetters' | 'adopt'>;
  readonly wireLog: FrameLog;
  /** What the rooms answer on the local control interface. */
  readonly routes: readonly ControlRoute[];
  /** Opens every contactor before it returns. For what nobody caught. */
  trip(): void;
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
  readonly #settings: Configuration;
  readonly #house: House;
  readonly #registration = new Registration();
  readonly #opened = new Set<() => void>();
  readonly #closed = new Set<() => void>();
  readonly #changed = new Set<() => void>();
  readonly #credentials: Credentials;
  #link: Link;
  #context: Context;
  #peer: Peer | undefined;
  #rooms: readonly Room[] = [];
  #ending: Promise<void> | undefined;

  constructor(options: AgentOptions, settings: Configuration, inoperative: ReadonlySet<number>) {
    const { config, ports, board, reached } = options;
    this.#options = options;
    this.#settings = settings;
    this.wireLog = new FrameLog(ports.log);
    this.#house = furnish({
      config,
      ports,
      board,
      settings,
      inoperative,
      send: (action, payload, onLate) => this.#send(action, payload, onLate),
      isOnline: () => this.#link.open && this.#registration.accepted,
      call: (operation, request, callOptions) => this.#called().call(operation, request, callOptions),
      ...(reached === undefined ? {} : { reached }),
    });
    this.#credentials = this.#makeCredentials();
    this.#link = this.#makeLink();
    this.#context = this.#makeContext();
  }

  async start(features: readonly Feature[]): Promise<void> {
    const { clock, random, log } = this.#options.ports;
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
      this.#credentials.open(),
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
    const invalid = new InvalidMessages(clock, securityEvents);
    this.#peer = new Peer({
      handlers: [...this.#rooms.flatMap(({ handlers }) => handlers ?? []), ...absent],
      known: operationOf,
      clock,
      random,
      log,
      wireLog: this.wireLog,
      callTimeoutMs: () => this.#settings.get(messageTimeout) * 1000,
      proveLink: () => this.#link.prove(),
      gate: { mayAnswer: () => (this.#registration.status === 'Rejected' ? 'silence' : 'answer') },
      onInvalid: (what) => invalid.notice(what),
    });
    const changed = (): void => this.#tellChanged();
    station.onChange(changed);
    ledger.outbox.onChange(changed);
    this.#registration.onChange((status) => {
      if (status === 'Accepted') this.#link.settled();
      changed();
    });
    this.#settings.onChange((name) => {
      if (name === webSocketPingInterval.name) this.#link.pingIntervalChanged();
    });
    limits.start();
    station.start();
    this.#link.start();
  }

  view(): AgentView {
    return {
      connected: this.#link.open,
      boot: this.#registration.status,
      queue: this.#house.ledger.outbox.size,
      connectors: this.#house.station.connectors.map((connector) => this.#viewOf(connector)),
    };
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

  stop(reason: 'Reboot' | 'Other'): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: 'Reboot' | 'Other'): Promise<void> {
    const { chargingProfiles, ledger, limits, reservations, station } = this.#house;
    station.shutDown({ reason, trip: true });
    await settled(this.#context, this.#link.open ? SENT_WITHIN_MS : 0);
    station.stop();
    limits.stop();
    for (const { stop } of this.#rooms) stop?.();
    reservations.stop();
    chargingProfiles.stop();
    this.#credentials.stop();
    await this.#link.stop();
    await ledger.outbox.close();
  }

  #viewOf(connector: Connector): ConnectorView {
    const { id, limitA, cableA } = connector;
    const transaction = transactionOf(connector);
    const transactionId = transaction && this.#house.ledger.transactionId(transaction.id);
    const standing = transactionId === undefined ? 'offline' : 'online';
    return {
      id,
      status: this.#house.station.report(id)?.status ?? 'Unavailable',
      transaction: transaction === undefined ? 'none' : standing,
      transactionId: transactionId ?? null,
      limitA: Math.min(limitA, cableA ?? limitA),
      why: whyOf(connector),
    };
  }

  #makeContext(): Context {
    const { config, ports, board } = this.#options;
    const link = this.#link;
    const { ledger, ...shared } = this.#house;
    return {
      ...ports,
      config,
      board,
      ...shared,
      settings: this.#settings,
      registration: this.#registration,
      transactions: ledger,
      vendorMessages: this.#options.vendorMessages ?? [],
      incidents: this.#options.incidents ?? [],
      connection: {
        get open() {
          return link.open;
        },
        onOpen: subscribeTo(this.#opened),
        onClose: subscribeTo(this.#closed),
      },
      call: (operation, request, callOptions) => this.#called().call(operation, request, callOptions),
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

  #makeLink(): Link {
    const { config, ports } = this.#options;
    const { clock, random, log, sockets } = ports;
    const { retryBackoffWaitMinimumS, retryBackoffRepeatTimes, retryBackoffRandomRangeS } = config.options;
    const backOff = {
      waitMinimumS: retryBackoffWaitMinimumS,
      repeatTimes: retryBackoffRepeatTimes,
      randomRangeS: retryBackoffRandomRangeS,
    };
    return new Link({
      sockets: this.#house.trust.watching(sockets),
      clock,
      log,
      onDial: () => this.#credentials.dialling(),
      settings: () => ({ ...this.#credentials.current, pingIntervalS: this.#settings.get(webSocketPingInterval) }),
      retryDelayMs: (retry) => retryDelayMs(backOff, retry, random.fraction()),
      onOpen: (send) => {
        this.#called().attach(send);
        for (const listener of this.#opened) listener();
        this.#credentials.opened();
        this.#tellChanged();
      },
      onText: (text) => {
        this.#called().receive(text);
        this.#credentials.heard();
        // On a mere reconnect anything that arrives shows that the central system is there again.
        if (this.#registration.accepted) this.#link.settled();
      },
      onClose: () => {
        this.#called().detach();
        this.#credentials.closed();
        for (const listener of this.#closed) listener();
        this.#tellChanged();
      },
      onFailure: (how) => this.#credentials.failed(how),
    });
  }

  #makeCredentials(): Credentials {
    const { config, ports } = this.#options;
    const { securityEvents, trust } = this.#house;
    return new Credentials({
      ...ports,
      identity: config.chargePoint.identity,
      centralSystem: config.centralSystem,
      switchWithinS: config.options.switchSecurityProfileConnectionTimeoutS,
      settings: this.#settings,
      trust,
      securityEvents,
      redial: (reason) => this.#link.redial(reason),
      probe: () => {
        // Without a registration a BootNotification is on its way already.
        if (this.#registration.accepted)
          this.#called()
            .call(Heartbeat, {})
            .catch(() => {});
      },
    });
  }

  #called(): Peer {
    if (this.#peer === undefined) throw new Error('the agent has not been started');
    return this.#peer;
  }

  #send(action: Fact['action'], payload: unknown, onLate: (confirmation: unknown) => void): Promise<unknown> {
    const operation = operationOf(action);
    if (operation === undefined) throw new Error(`${action} is no operation of OCPP 1.6`);
    return this.#called().call(operation, payload, { lane: 'fact', onLate });
  }

  #tellChanged(): void {
    for (const listener of this.#changed) listener();
  }
}

const isMessageTrigger = (message: ExtendedMessageTrigger): message is ExtendedMessageTrigger & MessageTrigger =>
  MESSAGE_TRIGGERS.some((other) => other === message);

const subscribeTo =
  (listeners: Set<() => void>) =>
  (listener: () => void): Unsubscribe => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
