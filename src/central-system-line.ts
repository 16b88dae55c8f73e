/** The line to the central system, as one: whom the link dials and how, whether we are accepted, and who speaks over it. */
import type { AgentConfig } from './config.ts';
import { retryDelayMs } from './core/retry.ts';
import { messageTimeout, webSocketPingInterval } from './features/boot/boot.ts';
import type { Call, Connection, Settings } from './features/feature.ts';
import { Dialling } from './features/security/dialling.ts';
import { InvalidMessages } from './features/security/invalid-messages.ts';
import type { House } from './house.ts';
import { Link } from './ocpp/link.ts';
import { operationOf } from './ocpp/messages/all.ts';
import type { Handler } from './ocpp/operation.ts';
import type { Fact } from './ocpp/outbox/fact.ts';
import { Peer } from './ocpp/peer.ts';
import { Registration } from './ocpp/registration.ts';
import type { WireLog } from './ocpp/wire-log.ts';
import type { Ports, Unsubscribe } from './ports.ts';

export interface CentralSystemLineOptions extends Pick<House, 'securityEvents' | 'trust'> {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly settings: Settings;
  readonly wireLog: WireLog;
  /** Told of each opening and end before anybody acts on it. */
  readonly note: (isOpen: boolean) => void;
  /** It stands otherwise now. */
  readonly changed: () => void;
}

export class CentralSystemLine implements Connection {
  readonly registration = new Registration();
  readonly dialling: Pick<Dialling, 'open' | 'url' | 'notice'>;
  /** Over the link that is open; rejects with CallFailure. */
  readonly call: Call = (operation, request, options) => this.#called().call(operation, request, options);
  readonly #options: CentralSystemLineOptions;
  readonly #opened = new Set<() => void>();
  readonly #closed = new Set<() => void>();
  readonly #dialling: Dialling;
  readonly #link: Link;
  #peer: Peer | undefined;

  constructor(options: CentralSystemLineOptions) {
    this.#options = options;
    this.#dialling = this.#makeDialling();
    this.dialling = this.#dialling;
    this.#link = this.#makeLink();
  }

  /** From here on it may be dialled: these answer. */
  answerWith(handlers: readonly Handler[]): void {
    const { ports, securityEvents, settings, wireLog, changed } = this.#options;
    const invalid = new InvalidMessages(ports.clock, securityEvents);
    this.#peer = new Peer({
      ...ports,
      handlers,
      known: operationOf,
      wireLog,
      callTimeoutMs: () => settings.get(messageTimeout) * 1000,
      proveLink: () => this.#link.prove(),
      gate: { mayAnswer: () => (this.registration.status === 'Rejected' ? 'silence' : 'answer') },
      onInvalid: (what) => invalid.notice(what),
    });
    this.registration.onChange((status) => {
      if (status === 'Accepted') this.#link.settled();
      changed();
    });
    settings.onChange((name) => {
      if (name === webSocketPingInterval.name) this.#link.pingIntervalChanged();
    });
  }

  /** Dials. */
  start(): void {
    this.#link.start();
  }

  stop(): Promise<void> {
    this.#dialling.stop();
    return this.#link.stop();
  }

  get open(): boolean {
    return this.#link.open;
  }

  get isOnline(): boolean {
    return this.open && this.registration.accepted;
  }

  onOpen(listener: () => void): Unsubscribe {
    this.#opened.add(listener);
    return () => this.#opened.delete(listener);
  }

  onClose(listener: () => void): Unsubscribe {
    this.#closed.add(listener);
    return () => this.#closed.delete(listener);
  }

  send(action: Fact['action'], payload: unknown, onLate: (confirmation: unknown) => void): Promise<unknown> {
    const operation = operationOf(action);
    if (operation === undefined) throw new Error(`${action} is no operation of OCPP 1.6`);
    return this.#called().call(operation, payload, { lane: 'fact', onLate });
  }

  #makeLink(): Link {
    const { config, ports, settings, trust, note, changed } = this.#options;
    const { retryBackoffWaitMinimumS, retryBackoffRepeatTimes, retryBackoffRandomRangeS } = config.options;
    const backOff = {
      waitMinimumS: retryBackoffWaitMinimumS,
      repeatTimes: retryBackoffRepeatTimes,
      randomRangeS: retryBackoffRandomRangeS,
    };
    return new Link({
      ...ports,
      sockets: trust.watching(ports.sockets),
      onDial: () => this.#dialling.dialling(),
      settings: () => ({ ...this.#dialling.current, pingIntervalS: settings.get(webSocketPingInterval) }),
      retryDelayMs: (retry) => retryDelayMs(backOff, retry, ports.random.fraction()),
      onOpen: (send) => {
        note(true);
        this.#called().attach(send);
        for (const listener of this.#opened) listener();
        this.#dialling.opened();
        changed();
      },
      onText: (text) => {
        this.#called().receive(text);
        this.#dialling.heard();
        // On a mere reconnect anything that arrives shows that the central system is there again.
        if (this.registration.accepted) this.#link.settled();
      },
      onClose: () => {
        note(false);
        this.#called().detach();
        this.#dialling.closed();
        for (const listener of this.#closed) listener();
        changed();
      },
      onFailure: (how) => this.#dialling.failed(how),
    });
  }

  #makeDialling(): Dialling {
    const { ports, config, settings, securityEvents, trust } = this.#options;
    return new Dialling({
      ...ports,
      config,
      networkKeys: [webSocketPingInterval, messageTimeout],
      settings,
      trust,
      securityEvents,
      registration: this.registration,
      isOpen: () => this.#link.open,
      call: this.call,
      redial: (reason) => this.#link.redial(reason),
    });
  }

  #called(): Peer {
    if (this.#peer === undefined) throw new Error('the agent has not been started');
    return this.#peer;
  }
}
