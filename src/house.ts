/** What the rooms share: journal, station, who may charge, what is reserved, what bounds the offers. Made here, put on the context by the agent. */
import type { Board } from '../hal/contract.ts';
import type { AgentConfig } from './config.ts';
import { type Connector, transactionOf } from './core/connector/state.ts';
import { CentralAuthority, type CentralAuthorityOptions } from './features/authorization/authority.ts';
import { AuthorizationCache } from './features/authorization/cache.ts';
import { TrustStore } from './features/certificates/trust-store.ts';
import type { Configuration } from './features/configuration/configuration.ts';
import { rotationOf } from './features/configuration/phase-rotation.ts';
import { FirmwareDesk } from './features/firmware/desk.ts';
import { LocalList } from './features/local-auth-list/local-list.ts';
import { stopDataFrom } from './features/metering/stop-data.ts';
import { ReservationBook } from './features/reservation/book.ts';
import { SecurityEventLog } from './features/security/security-events.ts';
import { ProfileShelf } from './features/smart-charging/shelf.ts';
import { Ledger } from './features/transactions/ledger.ts';
import { rulesFrom } from './features/transactions/rules.ts';
import {
  transactionMessageAttempts,
  transactionMessageRetryInterval,
} from './features/transactions/transactions.keys.ts';
import { StartTransaction } from './ocpp/messages/core/start-transaction.ts';
import type { StopTransaction } from './ocpp/messages/core/stop-transaction.ts';
import type { ConfirmationOf } from './ocpp/operation.ts';
import type { DeadLetter, Fact } from './ocpp/outbox/fact.ts';
import type { OutboxPorts } from './ocpp/outbox.ts';
import type { Ports } from './ports.ts';
import { LoadManager } from './station/load-manager.ts';
import { Station } from './station/station.ts';
import { TagSignals } from './station/tag-signals.ts';

export interface HouseOptions {
  readonly config: AgentConfig;
  readonly ports: Ports;
  readonly board: Board;
  readonly settings: Configuration;
  /** The connectors that ChangeAvailability has switched off, as it was stored. */
  readonly inoperative: ReadonlySet<number>;
  readonly send: OutboxPorts['send'];
  readonly isOnline: CentralAuthorityOptions['isOnline'];
  readonly call: CentralAuthorityOptions['call'];
  /** Of this program. */
  readonly version: string | undefined;
  readonly reached?: OutboxPorts['reached'];
  /** Where a replay begins. */
  readonly goOnFrom?: readonly Connector[];
}

export interface House {
  readonly ledger: Ledger;
  readonly station: Station;
  readonly reservations: ReservationBook;
  readonly localList: LocalList;
  readonly authority: CentralAuthority;
  readonly limits: LoadManager;
  readonly chargingProfiles: ProfileShelf;
  readonly securityEvents: SecurityEventLog;
  readonly trust: TrustStore;
  readonly firmware: FirmwareDesk;
  readonly tagSignals: TagSignals;
}

export function furnish({
  config,
  ports,
  board,
  settings,
  inoperative,
  send,
  isOnline,
  call,
  version,
  reached,
  goOnFrom = [],
}: HouseOptions): House {
  const { clock, log } = ports;
  const ledger = new Ledger({
    ...ports,
    meters: new Map(board.connectors.map(({ id, meter }) => [id, meter])),
    ratings: new Map(board.connectors.map(({ id, maxA, phases }) => [id, { maxA, phases }])),
    resumeWithinMs: config.resumeWithinS * 1000,
    goesOn: new Set(goOnFrom.flatMap((connector) => transactionOf(connector)?.id ?? [])),
    stopData: stopDataFrom(settings, board),
    send,
    attempts: () => settings.get(transactionMessageAttempts),
    retryIntervalS: () => settings.get(transactionMessageRetryInterval),
    delivered: (fact, confirmation) => learn(house, ports, fact, confirmation),
    gaveUp: ({ fact, attempts }: DeadLetter) =>
      log.error('a transaction message was given up: see `chargepoint outbox`', {
        action: fact.action,
        transaction: fact.transaction,
        attempts,
      }),
    ...(reached === undefined ? {} : { reached }),
  });
  const station = new Station({
    board,
    clock,
    log,
    journal: ledger,
    rules: rulesFrom(settings, config),
    inoperative,
    ventilated: new Set(config.connectors.filter(({ ventilated }) => ventilated).map(({ id }) => id)),
  });
  const localList = new LocalList({ ...ports, settings });
  const { installation } = config;
  const limits = new LoadManager({ ...ports, station, board, installation, rotation: rotationOf(settings) });
  const securityEvents = new SecurityEventLog(ports);
  const house: House = {
    ledger,
    station,
    reservations: new ReservationBook({ ...ports, station }),
    localList,
    authority: new CentralAuthority({
      ...ports,
      settings,
      cache: new AuthorizationCache(ports),
      localList,
      isOnline,
      call,
    }),
    limits,
    securityEvents,
    trust: new TrustStore({ ...ports, config, settings, securityEvents }),
    firmware: new FirmwareDesk({ ...ports, securityEvents, version }),
    tagSignals: new TagSignals(),
    chargingProfiles: new ProfileShelf({ ...ports, station, board, limits, transactions: ledger, settings, config }),
  };
  return house;
}

/** What the central system says of an idTag while it confirms a start or a stop. */
function learn(
  { authority, station }: House,
  { clock, log }: Ports,
  { action, transaction, content }: Fact,
  confirmation: unknown,
): void {
  const { idTagInfo } = confirmation as ConfirmationOf<typeof StartTransaction | typeof StopTransaction>;
  const { idTag } = content as { readonly idTag?: string };
  if (idTag === undefined || idTagInfo === undefined) return;
  authority.learn(idTag, idTagInfo);
  if (action !== StartTransaction.action) return;
  const { parentIdTag, status } = idTagInfo;
  if (parentIdTag !== undefined) station.dispatchAll({ type: 'grouped', transaction, parentIdTag, at: clock.now() });
  if (status === 'Accepted') return;
  log.warn('the central system does not accept the idTag of a running transaction', { status });
  station.dispatchAll({ type: 'deauthorized', transaction, at: clock.now() });
}
