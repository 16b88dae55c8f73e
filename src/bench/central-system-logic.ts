/** A central system for the bench without its sockets: answers every call of a charge point, remembers, and calls back. Never for production. */
import { CallFailure } from '../errors.ts';
import { operationOf } from '../ocpp/messages/all.ts';
import { Authorize } from '../ocpp/messages/core/authorize.ts';
import { BootNotification } from '../ocpp/messages/core/boot-notification.ts';
import { DataTransfer } from '../ocpp/messages/core/data-transfer.ts';
import { Heartbeat } from '../ocpp/messages/core/heartbeat.ts';
import { MeterValues } from '../ocpp/messages/core/meter-values.ts';
import { StartTransaction } from '../ocpp/messages/core/start-transaction.ts';
import { StatusNotification } from '../ocpp/messages/core/status-notification.ts';
import { StopTransaction } from '../ocpp/messages/core/stop-transaction.ts';
import { DiagnosticsStatusNotification } from '../ocpp/messages/firmware-management/diagnostics-status-notification.ts';
import { FirmwareStatusNotification } from '../ocpp/messages/firmware-management/firmware-status-notification.ts';
import { LogStatusNotification } from '../ocpp/messages/security/log-status-notification.ts';
import { SecurityEventNotification } from '../ocpp/messages/security/security-event-notification.ts';
import { SignCertificate } from '../ocpp/messages/security/sign-certificate.ts';
import { SignedFirmwareStatusNotification } from '../ocpp/messages/security/signed-firmware-status-notification.ts';
import type { AuthorizationStatus, IdTagInfo } from '../ocpp/messages/types/authorization.ts';
import type { Handler } from '../ocpp/operation.ts';
import { Peer } from '../ocpp/peer.ts';
import { formatTimestamp } from '../ocpp/timestamp.ts';
import type { WireLog } from '../ocpp/wire-log.ts';
import type { Clock, Log, Random, Unsubscribe } from '../ports.ts';
import { StationRecord, type StationView } from './station-record.ts';

export interface CentralSystemParts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uuid'>;
  readonly log: Log;
  readonly wireLog: WireLog;
}

/** One connection of a charge point. */
export interface StationLink {
  receive(text: string): void;
  closed(): void;
}

export type CallResult =
  | { readonly result: unknown }
  /** `code`: that of a CALLERROR, or why nothing came of the call. */
  | { readonly error: string; readonly code: string };

/** What a charge point has told, as it is told. */
export interface Told {
  readonly identity: string;
  readonly action: string;
  readonly payload: unknown;
}

const HEARTBEAT_INTERVAL_S = 300;
const CALL_TIMEOUT_MS = 30_000;
const MOST_STATIONS = 50;

/** Everybody may charge, except tags whose name says otherwise. */
const TAGS: readonly (readonly [prefix: string, status: AuthorizationStatus])[] = [
  ['BLOCKED', 'Blocked'],
  ['EXPIRED', 'Expired'],
  ['INVALID', 'Invalid'],
];

const idTagInfoOf = (idTag: string): IdTagInfo => ({
  status: TAGS.find(([prefix]) => idTag.toUpperCase().startsWith(prefix))?.[1] ?? 'Accepted',
});

interface Connected {
  readonly record: StationRecord;
  peer: Peer | undefined;
}

export class CentralSystemLogic {
  readonly #parts: CentralSystemParts;
  readonly #stations = new Map<string, Connected>();
  readonly #listeners = new Set<(told: Told) => void>();
  #lastTransactionId = 0;

  constructor(parts: CentralSystemParts) {
    this.#parts = parts;
  }

  get stations(): readonly StationView[] {
    return [...this.#stations.values()].map(({ record }) => record.view);
  }

  /** Called with each well-formed call of a charge point. */
  onTold(listener: (told: Told) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A charge point has connected; an earlier connection of the same one does not count any more. */
  connect(identity: string, send: (text: string) => void): StationLink {
    const station = this.#stationOf(identity);
    station.peer?.detach();
    const { clock, random, log, wireLog } = this.#parts;
    const peer = new Peer({
      handlers: this.#handlers(station.record),
      known: operationOf,
      clock,
      random,
      log,
      wireLog,
      callTimeoutMs: () => CALL_TIMEOUT_MS,
    });
    station.peer = peer;
    station.record.connected = true;
    peer.attach(send);
    return {
      receive: (text) => {
        station.record.lastSeen = this.#now();
        peer.receive(text);
      },
      closed: () => {
        peer.detach();
        if (station.peer !== peer) return;
        station.peer = undefined;
        station.record.connected = false;
      },
    };
  }

  /** Sends any call of the central system's side. Never rejects. */
  async call(identity: string, action: string, payload: unknown): Promise<CallResult> {
    const operation = operationOf(action);
    if (operation === undefined || operation.initiator === 'ChargePoint') {
      return { error: `${action} is no call of the central system`, code: 'badRequest' };
    }
    const peer = this.#stations.get(identity)?.peer;
    if (peer === undefined) return { error: `${identity} is not connected`, code: 'disconnected' };
    try {
      return { result: await peer.call(operation, payload) };
    } catch (failure) {
      if (!(failure instanceof CallFailure)) throw failure;
      return { error: failure.message, code: failure.remoteCode ?? failure.code };
    }
  }

  #handlers(record: StationRecord): readonly Handler[] {
    const told = (action: string, payload: unknown): void => {
      for (const listener of [...this.#listeners]) listener({ identity: record.identity, action, payload });
    };
    const noted = (action: string, payload: unknown): void => {
      record.notice({ at: this.#now(), action, payload });
      told(action, payload);
    };
    return [
      BootNotification.answeredBy((request) => {
        record.boot = request;
        told('BootNotification', request);
        return { status: 'Accepted', currentTime: this.#now(), interval: HEARTBEAT_INTERVAL_S };
      }),
      Heartbeat.answeredBy((request) => {
        told('Heartbeat', request);
        return { currentTime: this.#now() };
      }),
      Authorize.answeredBy((request) => {
        told('Authorize', request);
        return { idTagInfo: idTagInfoOf(request.idTag) };
      }),
      StartTransaction.answeredBy((request) => {
        const transactionId = record.start(request, () => ++this.#lastTransactionId);
        told('StartTransaction', request);
        return { transactionId, idTagInfo: idTagInfoOf(request.idTag) };
      }),
      StopTransaction.answeredBy((request) => {
        record.stop(request);
        told('StopTransaction', request);
        return request.idTag === undefined ? {} : { idTagInfo: idTagInfoOf(request.idTag) };
      }),
      MeterValues.answeredBy((request) => {
        record.metered(request);
        told('MeterValues', request);
        return {};
      }),
      StatusNotification.answeredBy((request) => {
        record.status(request);
        told('StatusNotification', request);
        return {};
      }),
      DataTransfer.answeredBy((request) => {
        noted('DataTransfer', request);
        return { status: 'UnknownVendorId' };
      }),
      SignCertificate.answeredBy((request) => {
        noted('SignCertificate', request);
        // There is no certificate authority on the bench.
        return { status: 'Rejected' };
      }),
      ...[
        FirmwareStatusNotification,
        DiagnosticsStatusNotification,
        LogStatusNotification,
        SecurityEventNotification,
        SignedFirmwareStatusNotification,
      ].map((operation) =>
        operation.answeredBy((request: unknown) => {
          noted(operation.action, request);
          return {};
        }),
      ),
    ];
  }

  /** Identities come from outside: the one that has been away longest makes room. */
  #stationOf(identity: string): Connected {
    const known = this.#stations.get(identity);
    if (known !== undefined) return known;
    if (this.#stations.size >= MOST_STATIONS) {
      const away = [...this.#stations].find(([, { peer }]) => peer === undefined) ?? [...this.#stations][0];
      if (away !== undefined) this.#stations.delete(away[0]);
    }
    const station: Connected = { record: new StationRecord(identity), peer: undefined };
    this.#stations.set(identity, station);
    return station;
  }

  #now(): string {
    const { clock } = this.#parts;
    return formatTimestamp(clock.wall(clock.now()));
  }
}
