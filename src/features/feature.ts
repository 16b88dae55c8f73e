/** What a room is, and what the house gives it. Rooms never import each other: what two share is on the context. */
import type * as v from 'valibot';
import type { Board, Reading } from '../../hal/contract.ts';
import type { AgentConfig } from '../config.ts';
import type { IdTagEntry, Known, Verdict } from '../core/authorization.ts';
import type { Transaction } from '../core/connector/state.ts';
import type { SampledValue } from '../core/metering/sampled-value.ts';
import type { Claim, Claimant, Reservation, ReservationStatus } from '../core/reservation.ts';
import type { ClearCriteria } from '../core/smart-charging/book.ts';
import type { CompositeRequest, CompositeSchedule } from '../core/smart-charging/composite-schedule.ts';
import type { ChargingProfile } from '../core/smart-charging/profile.ts';
import type { CallOptions } from '../ocpp/caller.ts';
import type { Profile } from '../ocpp/messages/all.ts';
import type { SendLocalList } from '../ocpp/messages/local-auth-list/send-local-list.ts';
import type { DeleteCertificate } from '../ocpp/messages/security/delete-certificate.ts';
import type { InstallCertificate } from '../ocpp/messages/security/install-certificate.ts';
import type { IdTagInfo } from '../ocpp/messages/types/authorization.ts';
import type { CertificateHashData, CertificateUse } from '../ocpp/messages/types/certificate.ts';
import type { FirmwareStatus, SignedFirmwareStatus } from '../ocpp/messages/types/firmware-status.ts';
import type { ExtendedMessageTrigger, MessageTrigger } from '../ocpp/messages/types/trigger.ts';
import type { ConfirmationOf, Handler, Operation, RequestOf } from '../ocpp/operation.ts';
import type { Outbox } from '../ocpp/outbox.ts';
import type { Registration } from '../ocpp/registration.ts';
import type { KeyRange, Ports, SavedRecording, StoreOperation, Unsubscribe } from '../ports.ts';
import type { LoadManager } from '../station/load-manager.ts';
import type { Change, Station } from '../station/station.ts';
import type { TagSignals } from '../station/tag-signals.ts';
import type { Accepts, Access, AnyKey, Key } from './keys.ts';
import type { SecurityEventType } from './security-event.ts';

/** Where the effective value of a key comes from. */
export type Source = 'default' | 'file' | 'centralSystem' | 'adopted';

export interface Effective {
  readonly name: string;
  readonly value: string;
  readonly source: Source;
  readonly access: Access;
  /** Epoch milliseconds: when the central system set it; absent for other sources. */
  readonly since?: number;
  /** What it wins over, the strongest first; the default comes last. */
  readonly overrides: readonly { readonly source: Source; readonly value: string; readonly since?: number }[];
}

/** Keys whose values of the central system are gone. */
export interface Forgotten {
  readonly names: readonly string[];
  /** Those of them whose next value takes effect only when the agent starts again. */
  readonly atNextStart: readonly string[];
}

export type ChangeResult = 'Accepted' | 'Rejected' | 'RebootRequired' | 'NotSupported';

/** The configuration keys with their values (OCPP 1.6 section 9). */
export interface Settings {
  /** The effective value. */
  get<T>(key: Key<T>): T;
  /** A value of our own that is in force until the next boot; the stored one stays. */
  adopt<T>(key: Key<T>, value: T): void;
  /** From now on a change that the room does not accept is Rejected. What is in force already is the room's to `adopt`. */
  narrow<T>(key: Key<T>, accepts: Accepts<T>): void;
  /** What this charge point is built like leaves no choice: the key has this value and is read-only, whatever was stored or preset. */
  fix<T>(key: Key<T>, value: T): void;
  /** ChangeConfiguration (section 5.3): durable before it takes effect, and in effect when this resolves. */
  change(name: string, text: string): Promise<ChangeResult>;
  /** What is stored along with a change of this key, in the same batch. */
  along<T>(key: Key<T>, more: (value: T) => readonly StoreOperation[]): void;
  /** A value of our own that stays, and that no room has to accept. Durable, and in effect, when it resolves. Rejects with StoreError. */
  put<T>(key: Key<T>, value: T, more: readonly StoreOperation[]): Promise<void>;
  /** Forgets durably what the central system has set, of one key or of all; the file or the default is in force again. Rejects with StoreError. */
  forget(name?: string): Promise<Forgotten>;
  /** Names are compared without regard to case. */
  find(name: string): Effective | undefined;
  /** All keys with their effective values, in the order of the rooms. */
  readonly effective: readonly Effective[];
  /** Called with the name of a key after its effective value has changed. */
  onChange(listener: (name: string) => void): Unsubscribe;
}

/** The link to the central system, as rooms see it. */
export interface Connection {
  readonly open: boolean;
  onOpen(listener: () => void): Unsubscribe;
  onClose(listener: () => void): Unsubscribe;
}

/** Calls to the central system; rejects with CallFailure. */
export type Call = <Req extends v.GenericSchema, Conf extends v.GenericSchema>(
  operation: Operation<Req, Conf>,
  request: v.InferInput<Req>,
  options?: CallOptions<v.InferOutput<Conf>>,
) => Promise<v.InferOutput<Conf>>;

/** What the journal of transactions tells the other rooms. */
export interface TransactionBook {
  readonly outbox: Outbox;
  /** The central system's id, -1 if its StartTransaction was given up, undefined while it is not confirmed. */
  transactionId(transaction: string): number | undefined;
  /** Monotonic time of this boot that belongs to the timestamp in StartTransaction; undefined for what does not run. */
  beganAt(transaction: string): number | undefined;
  /**
   * The reading with its import register on the scale of the transaction, which never goes back: a register that fell is not
   * believed, that of an exchanged meter goes on from where the old one stood.
   */
  believe(transaction: string, reading: Reading): Reading;
  /** What a loss of power has cut off, and what may go on; the others have ended already. */
  readonly interrupted: readonly Interrupted[];
  /** Whether clock and register let it go on: then it is journalled as running. False: it is to be stopped. Never rejects. */
  resume(transaction: string): Promise<boolean>;
  /** Queues MeterValues of a running transaction and journals what its stop will carry. Never rejects. */
  sample(sample: Sample): Promise<void>;
  /** A start or a stop would be durable now. */
  readonly canBegin: boolean;
}

export interface Interrupted {
  readonly connectorId: number;
  readonly transaction: Transaction;
}

/** One look at the meter within a transaction, ready to be sent but for its time. */
export interface Sample {
  readonly connectorId: number;
  readonly transaction: string;
  readonly series: 'periodic' | 'clock';
  /** Monotonic time that the values belong to. */
  readonly at: number;
  /** For MeterValues; none is sent if there are none. */
  readonly values: readonly SampledValue[];
  /** For the transactionData of StopTransaction. */
  readonly kept: readonly SampledValue[];
}

/** The reservations; a start at a reader or from afar looks into them. */
export interface Reservations {
  /** What this claimant may expect of a connector that is free. */
  claim(connectorId: number, claimant: Claimant): Claim;
  /** Durable when it resolves; the connector shows it after `show`. */
  reserve(reservation: Reservation): Promise<ReservationStatus>;
  /** False for a reservation that is not there, or that could not be taken off the disk. */
  cancel(reservationId: number): Promise<boolean>;
  /** Lets the connectors say what the book holds: what a call has changed is shown after its answer, or without it. */
  show(): void;
}

/** What a composite schedule is asked for. */
export type ScheduleRequest = Pick<CompositeRequest, 'connectorId' | 'durationS' | 'unit'>;

/** The charging profiles (OCPP 1.6 section 3.13); a remote start may bring one along. */
export interface ChargingProfiles {
  /** False while the SmartCharging profile is off: then there are none, and that of a remote start is ignored (section 5.11). */
  readonly isOpen: boolean;
  /** SetChargingProfile (section 5.16): durable when it resolves, in force after `apply`. The reason why not, if it was refused. */
  set(connectorId: number, profile: ChargingProfile): Promise<string | undefined>;
  /** ClearChargingProfile (section 5.5): false if there was none, or if it could not be taken off the disk. In force after `apply`. */
  clear(criteria: ClearCriteria): Promise<boolean>;
  /** GetCompositeSchedule (section 5.7), computed in slices. Undefined for an unknown connector. */
  schedule(request: ScheduleRequest): Promise<CompositeSchedule | undefined>;
  /** Tells the load manager what the profiles allow now; looks again by itself when that changes. */
  apply(): void;
  /** Why the profile of a remote start cannot be used (section 5.16.2); undefined: it can. */
  refusalOf(connectorId: number, profile: ChargingProfile): string | undefined;
  /** Keeps the profile of a remote start for the transaction of this idTag. Durable when it resolves to true. */
  await(connectorId: number, idTag: string, profile: ChargingProfile): Promise<boolean>;
  /** Whether it is still kept for it, or was cleared (section 5.5), so that the transaction begins without. */
  awaits(connectorId: number, idTag: string): boolean;
  /** The remote start has come to nothing. */
  forget(connectorId: number): void;
}

/** Who may charge (OCPP 1.6 section 3.5). */
export interface Authority {
  /** What local list and cache hold about an idTag; nobody is asked. */
  known(idTag: string): Known;
  /** Asks whom the keys say: local list, cache, central system. Never rejects. */
  verdict(idTag: string): Promise<Verdict>;
  /** What Authorize.conf, StartTransaction.conf or StopTransaction.conf said of an idTag. */
  learn(idTag: string, info: IdTagInfo): void;
  /** Section 5.4: false if there is no cache, or it could not be cleared durably. */
  clearCache(): Promise<boolean>;
  /** The central system has said of an idTag on the local list the opposite of what the list says. */
  onConflict(listener: (idTag: string) => void): Unsubscribe;
}

/** The local authorization list (section 3.5.2). */
export interface LocalAuthList {
  /** 0: it is empty; -1: there is none. */
  readonly version: number;
  /** Undefined also while the list is disabled. */
  find(idTag: string): IdTagEntry | undefined;
  /** SendLocalList (section 5.15): durable when it says Accepted, unchanged when it says anything else. Never rejects. */
  update(update: RequestOf<typeof SendLocalList>): Promise<ConfirmationOf<typeof SendLocalList>['status']>;
  /** Called after an update. */
  onChange(listener: () => void): Unsubscribe;
}

/** What is answered to one kind of DataTransfer.req of a vendor (section 5.6). */
export interface VendorMessage {
  /** A reversed DNS name, as in `com.example`. */
  readonly vendorId: string;
  /** Absent: requests without one. */
  readonly messageId?: string;
  answer(data: string | undefined): VendorAnswer | Promise<VendorAnswer>;
}

export interface VendorAnswer {
  readonly status: 'Accepted' | 'Rejected';
  readonly data?: string;
}

/** An entry of the security log. */
export interface SecurityLogEntry {
  /** Epoch milliseconds. */
  readonly wall: number;
  readonly type: string;
  readonly techInfo?: string;
}

/** An entry that the central system has to be told. */
export interface WaitingEvent extends SecurityLogEntry {
  readonly number: number;
}

/** Security events (whitepaper A04 and section 8). */
export interface SecurityEvents {
  /**
   * Into the security log, durable; a critical one goes to the central system, too, queued and in order (A04.FR.02). Never throws. `type`
   * is a name of section 8 or our own, `techInfo` is cut at 255.
   */
  report(type: SecurityEventType, techInfo?: string): void;
  /** The newest 1000 of the log, oldest first; bounds in epoch milliseconds, both inclusive. Rejects with StoreError. */
  entries(from?: number, to?: number): Promise<readonly SecurityLogEntry[]>;
  /** The next one to be told, until `told` is called with its number. */
  readonly first: WaitingEvent | undefined;
  told(number: number): void;
  /** Called when one more waits to be told. */
  onWaiting(listener: (type: string) => void): Unsubscribe;
}

/** What the flight recorder has. */
export interface FlightRecordings {
  /** As it would be saved now: lines of JSON in pieces. */
  readonly content: readonly Uint8Array[];
  /** Saves what there is. Rejects with StoreError. */
  save(): Promise<SavedRecording>;
  /** Oldest first. Rejects with StoreError. */
  saved(): Promise<readonly SavedRecording[]>;
  /** Undefined if it has made room for another one. Rejects with StoreError. */
  read(name: string): Promise<Uint8Array | undefined>;
}

/** The certificates of the charge point and of those it trusts (whitepaper section 2.6). */
export interface Trust {
  /** PEM texts of the installed roots of this use. */
  roots(use: CertificateUse): readonly string[];
  /** What mutual TLS shows of us: PEM chain and private key, for the dial only. Undefined without a certificate. */
  readonly own: { readonly chain: string; readonly key: string } | undefined;
  /** Called after roots or our own certificate have changed; with `own` the link is to be made anew. */
  onChange(listener: (what: 'roots' | 'own') => void): Unsubscribe;
  /** InstallCertificate (M05): durable when it says Accepted; `fault` is what is wrong with the certificate itself. Never rejects. */
  install(
    use: CertificateUse,
    pem: string,
  ): Promise<{ readonly status: ConfirmationOf<typeof InstallCertificate>['status']; readonly fault?: string }>;
  /** DeleteCertificate (M04), of a root: durable when it says Accepted. Never rejects. */
  remove(hash: CertificateHashData): Promise<ConfirmationOf<typeof DeleteCertificate>['status']>;
  /** GetInstalledCertificateIds (M03): the hash data of each installed root of this use. */
  installed(use: CertificateUse): readonly CertificateHashData[];
  /** The certificates that the charge point has, or asks for, itself. */
  readonly ownCertificates: OwnCertificates;
}

/** The certificate of the charge point and how it comes by a new one (A02, A03). */
export interface OwnCertificates {
  /** Epoch milliseconds: the validity of the newest certificate; undefined without one. */
  readonly validity: { readonly notBefore: number; readonly notAfter: number } | undefined;
  /** The request that is under way; undefined if none is. */
  readonly request: CertificateRequest | undefined;
  /** Epoch milliseconds when a certificate was last wanted, whatever became of it. */
  readonly wantedAt: number | undefined;
  /** A new certificate is wanted, durably: from now on `request` is due. Rejects with StoreError. */
  want(asked: CertificateRequest['asked']): Promise<void>;
  /** SignCertificate.req as PEM; the key pair is generated if there is none for it yet. Rejects with StoreError. */
  signingRequest(): Promise<string>;
  /** What the central system said to it. Never rejects. */
  answered(status: 'Accepted' | 'Rejected'): Promise<void>;
  /** CertificateSigned (A02.FR.06): undefined if it was accepted, durably; `show` it after the answer. Never rejects. */
  accept(chain: string): Promise<CertificateRefusal | undefined>;
  /** Tells `onChange` if another certificate is to be shown by now: it was accepted, or its time has come (A02.FR.08). */
  show(): void;
  /** Takes away an old certificate whose successor has worked for a month (A02.FR.10). Never rejects. */
  discard(): Promise<void>;
}

export interface CertificateRequest {
  readonly asked: 'centralSystem' | 'expiry';
  /** `due`: to be sent; `sent`: Accepted, CertificateSigned comes when it pleases; `refused`: given up. */
  readonly state: 'due' | 'sent' | 'refused';
  /** How often the central system has refused it. */
  readonly refusals: number;
}

export interface CertificateRefusal {
  readonly text: string;
  /** It is the certificate's fault (A02.FR.07), not that of our disk. */
  readonly invalid: boolean;
}

/** An update that somebody wants. */
export interface FirmwareOrder {
  /** As the central system gave it: it may hold a password. */
  readonly location: string;
  /** Epoch milliseconds: not before. */
  readonly retrieveAt: number;
  /** Attempts to download after the first. */
  readonly retries: number;
  readonly retryIntervalS?: number;
  /** Absent for an update that nobody has signed. */
  readonly signed?: {
    readonly requestId: number;
    /** PEM. */
    readonly certificate: string;
    /** Base64. */
    readonly signature: string;
    /** Epoch milliseconds: not before. */
    readonly installAt?: number;
  };
}

export type FirmwareAnswer = 'Accepted' | 'AcceptedCanceled' | 'Rejected';

/** What the two notifications say now if they are asked for. */
export interface FirmwareStanding {
  readonly plain: FirmwareStatus;
  readonly signed: { readonly status: SignedFirmwareStatus; readonly requestId?: number };
}

/** The one firmware update that there is at a time (OCPP 1.6 section 5.19; whitepaper L01). */
export interface FirmwareUpdates {
  /** Goes on with what an earlier process has left, and tells the central system; called once. */
  attend(context: Context): Unsubscribe;
  /** Durable unless it is Rejected. It takes the place of another one that is not being installed yet. Never rejects. */
  order(order: FirmwareOrder): Promise<FirmwareAnswer>;
  /** What was ordered begins: to be called after the answer, or without it. */
  begin(): void;
  readonly standing: FirmwareStanding;
}

/** A security event that the start of the process has found (whitepaper, section 5.15). */
export interface Incident {
  readonly type: SecurityEventType;
  /** At most 255 characters. */
  readonly techInfo: string;
}

export interface Context extends Ports {
  readonly config: AgentConfig;
  readonly board: Board;
  readonly station: Station;
  readonly settings: Settings;
  readonly registration: Registration;
  readonly connection: Connection;
  readonly transactions: TransactionBook;
  readonly reservations: Reservations;
  readonly chargingProfiles: ChargingProfiles;
  /** What bounds the offers, and how one supply is shared. */
  readonly limits: LoadManager;
  readonly securityEvents: SecurityEvents;
  readonly trust: Trust;
  readonly firmware: FirmwareUpdates;
  readonly flightRecorder: FlightRecordings;
  readonly authority: Authority;
  readonly localList: LocalAuthList;
  readonly tagSignals: TagSignals;
  readonly vendorMessages: readonly VendorMessage[];
  /** What the start of the process found and the operator has to learn. */
  readonly incidents: readonly Incident[];
  readonly call: Call;
  /** Looks for the room that sends a message on request; undefined if none does. */
  trigger(message: MessageTrigger): Trigger | undefined;
  /** The same for ExtendedTriggerMessage (whitepaper, section 6.16). */
  extendedTrigger(message: ExtendedMessageTrigger): ExtendedTrigger | undefined;
}

/** Gives the sending to be done after the answer, or undefined if this cannot be sent (an unknown connector). */
export type Trigger = (connectorId: number | undefined) => (() => void) | undefined;
/** One that may have to be durable before the answer. */
export type ExtendedTrigger = (connectorId: number | undefined) => ReturnType<Trigger> | Promise<ReturnType<Trigger>>;

/** What somebody asks over the local control interface. */
export interface ControlRequest {
  readonly query: Readonly<Record<string, string>>;
  /** The JSON of the body; undefined if there is none. */
  readonly body: unknown;
}

/** A question or an order of the local control interface. */
export interface ControlRoute {
  readonly method: 'GET' | 'POST';
  /** As in `/outbox/dead`; no parameters. */
  readonly path: string;
  /** What it returns becomes the JSON of the answer. Throws ControlError for 400 and 404. */
  handle(request: ControlRequest): unknown;
}

/** A running room. */
export interface Room {
  readonly handlers?: readonly Handler[];
  readonly routes?: readonly ControlRoute[];
  readonly triggers?: { readonly [message in MessageTrigger]?: Trigger };
  /** For ExtendedTriggerMessage only; of the others those in `triggers` are sent. */
  readonly extendedTriggers?: { readonly [message in ExtendedMessageTrigger]?: ExtendedTrigger };
  readonly stop?: () => void;
}

export interface Feature {
  readonly name: string;
  readonly profile: Profile;
  readonly keys: readonly AnyKey[];
  /** What is answered while the profile is off, where a plain status can say so; without it CALLERROR NotSupported. */
  readonly absent?: readonly Handler[];
  /** What the room stores that is of no use to another central system: a switch clears it. */
  readonly ofCentralSystem?: readonly KeyRange[];
  /** What a switch leaves there, so that the next start takes the rest from the disk. */
  readonly afterSwitch?: readonly StoreOperation[];
  start(context: Context): Room;
}

/** A transaction has just begun (its start is durable), or goes on after a loss of power, on the connector of this change. */
export const hasBegun = ({ before, after }: Change): boolean =>
  (before.phase.name === 'beginning' && after.phase.name !== 'beginning' && 'transaction' in after.phase) ||
  (before.phase.name === 'interrupted' && after.phase.name === 'transaction');

/** Whether the central system can be called on our own initiative now. */
export const isOnline = ({ connection, registration }: Context): boolean => connection.open && registration.accepted;
