/** What is known about one connector, as plain data. */
import type { ContactorState, FaultCode, Mains, Offer, PilotState } from '../../../hal/contract.ts';

/** OCPP 1.6 section 7.7. */
export type ConnectorStatus =
  | 'Available'
  | 'Preparing'
  | 'Charging'
  | 'SuspendedEVSE'
  | 'SuspendedEV'
  | 'Finishing'
  | 'Reserved'
  | 'Unavailable'
  | 'Faulted';

/** OCPP 1.6 section 7.6. */
export type ErrorCode =
  | 'ConnectorLockFailure'
  | 'EVCommunicationError'
  | 'GroundFailure'
  | 'HighTemperature'
  | 'InternalError'
  | 'LocalListConflict'
  | 'NoError'
  | 'OtherError'
  | 'OverCurrentFailure'
  | 'OverVoltage'
  | 'PowerMeterFailure'
  | 'PowerSwitchFailure'
  | 'ReaderFailure'
  | 'ResetFailure'
  | 'UnderVoltage'
  | 'WeakSignal';

/** OCPP 1.6 section 7.36. */
export type StopReason =
  | 'DeAuthorized'
  | 'EmergencyStop'
  | 'EVDisconnected'
  | 'HardReset'
  | 'Local'
  | 'Other'
  | 'PowerLoss'
  | 'Reboot'
  | 'Remote'
  | 'SoftReset'
  | 'UnlockCommand';

/** A raised fault as it concerns this connector. */
export interface ConnectorFault {
  readonly code: FaultCode;
  /** `charging`: Faulted. `offer`: the offer is withdrawn, never Faulted; `moment`: for a few seconds. `nothing`: a warning. */
  readonly blocks: 'charging' | 'offer' | 'moment' | 'nothing';
  readonly errorCode: ErrorCode;
  readonly info?: string;
  readonly vendorErrorCode?: string;
  readonly vendorId?: string;
}

/** Somebody may charge here. */
export interface Authorization {
  readonly idTag: string;
  readonly parentIdTag?: string;
  /** The reservation that this authorisation uses up. */
  readonly reservationId?: number;
}

/** From StartTransaction to StopTransaction. */
export interface Transaction {
  /** Our own id, known before the central system has given its one. */
  readonly id: string;
  readonly idTag: string;
  readonly parentIdTag?: string;
}

/** What the configuration keys say about the course of a session. */
export interface Rules {
  /** StopTransactionOnEVSideDisconnect */
  readonly stopOnEvSideDisconnect: boolean;
  /** UnlockConnectorOnEVSideDisconnect */
  readonly unlockOnEvSideDisconnect: boolean;
  /** StopTransactionOnInvalidId */
  readonly stopOnInvalidId: boolean;
  /** MaxEnergyOnInvalidId, in Wh; 0: none. Counts only where such a transaction is not stopped. */
  readonly maxEnergyOnInvalidIdWh: number;
  /** ConnectionTimeOut, in milliseconds */
  readonly connectionTimeoutMs: number;
  /** A plug that nobody authorises in time is not kept for the next tag (errata 3.20): for readers with several connectors. */
  readonly plugTimesOut: boolean;
  /** How long a fault may last before the transaction ends with Other, in milliseconds. */
  readonly faultGraceMs: number;
  /** How often an EV that does not answer an offer is woken up; absent: never. */
  readonly wakeUps?: number;
}

/** Where the session stands. */
export type Phase =
  | { readonly name: 'idle' }
  /** Authorised first: waits for the plug until the connection time-out. */
  | { readonly name: 'authorized'; readonly authorization: Authorization; readonly until: number }
  /** Plugged in first: waits for an authorisation. */
  | { readonly name: 'occupied'; readonly until?: number }
  /** Authorised and plugged in: the plug is being locked. */
  | { readonly name: 'locking'; readonly authorization: Authorization }
  /** The start is being made durable; nothing is offered before that. */
  | { readonly name: 'beginning'; readonly authorization: Authorization; readonly stop?: Stop }
  /** A loss of power has cut it off, and whether it goes on is not known yet: nothing is offered before that. */
  | { readonly name: 'interrupted'; readonly transaction: Transaction; readonly until: number }
  | RunningTransaction
  /** x1 is signalled, or the contactor has been tripped: the register is read once the contactor is open. */
  | { readonly name: 'ending'; readonly transaction: Transaction; readonly stop: Stop; readonly until: number }
  /** The stop is being made durable. */
  | { readonly name: 'closing'; readonly transaction: Transaction; readonly stop: Stop }
  /** The transaction is over, or never came; the plug is still in. `held`: it stays locked. */
  | { readonly name: 'finishing'; readonly held: boolean; readonly last?: Last };

/** What the transaction was that is over. */
export interface Last {
  readonly idTag: string;
  readonly parentIdTag?: string;
  readonly reason: StopReason;
}

export interface RunningTransaction {
  readonly name: 'transaction';
  readonly transaction: Transaction;
  /** The contactor has been closed at least once. */
  readonly charged: boolean;
  /** The pilot has offered a current at least once. */
  readonly offered?: true;
  /** For a time nothing could be offered, or the EV has not answered in time: after that it is never Preparing again. */
  readonly suspended?: boolean;
  /** What its status said meanwhile: said on until the EV has answered the next offer. */
  readonly suspendedInfo?: string;
  /** The idTag is not accepted any more, but the EV may have this much to drive away (MaxEnergyOnInvalidId). */
  readonly allowance?: Allowance;
  /** The central system does not accept the idTag, but the transaction goes on without energy. */
  readonly deauthorized: boolean;
  /** The EV has been offered a current and may take its time to answer until then. */
  readonly evAnswersUntil?: number;
  /** It does not answer, and is being woken up, or has been. */
  readonly wakeUp?: WakeUp;
  /** A fault that lasts longer than this ends the transaction. */
  readonly faultedUntil?: number;
}

export interface WakeUp {
  /** How often, this time included, since it last charged. */
  readonly times: number;
  /** `offer`: whatever there is to offer. */
  readonly signal: 'F' | 'x1' | 'offer';
  /** When the next part begins; absent: there is none. */
  readonly until?: number;
}

export interface Allowance {
  readonly wh: number;
  /** The register at which it began; undefined until it has been read for the first time. */
  readonly fromWh?: number;
}

export interface Stop {
  readonly reason: StopReason;
  /** Who stopped it, if it was a tag. */
  readonly idTag?: string;
  /** The contactor opens at once instead of waiting for the EV to let go. */
  readonly trip: boolean;
}

export type PhaseCount = 1 | 3;

/** How many phases the contactor connects, and how a change of that stands. */
export interface PhaseSwitching {
  readonly connected: PhaseCount;
  readonly wanted: PhaseCount;
  /** The switch has been told to and has not settled yet. */
  readonly switchingTo?: PhaseCount;
  /** The EV sees x1 until then. */
  readonly restUntil?: number;
}

export interface Connector {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly ventilated: boolean;
  readonly rules: Rules;
  readonly pilot: PilotState;
  /** Mirror contact. */
  readonly contactor: ContactorState;
  /** Rating of the plugged cable in ampere; undefined with an attached cable or without a plug. */
  readonly cableA: number | undefined;
  readonly locked: boolean;
  readonly mains: Mains;
  readonly faults: readonly ConnectorFault[];
  /** The least of all limits but the cable's, in ampere per phase. */
  readonly limitA: number;
  /** What bounds it, in at most 50 characters. */
  readonly limitReason?: string;
  readonly phases: PhaseSwitching;
  /** What the pilot was last told to signal. */
  readonly offer: Offer;
  /** What the interlock was last told. */
  readonly permit: boolean;
  readonly phase: Phase;
  /** Set by ChangeAvailability; what is inoperative finishes its transaction first. */
  readonly operative: boolean;
  /** The process is about to end: what runs is stopped like this, and nothing begins any more. */
  readonly shutdown?: Stop;
  /** Kept for one idTag; who that is, the reservation room knows. */
  readonly reservationId?: number;
}

export interface ConnectorDescription {
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  readonly ventilated: boolean;
  readonly limitA: number;
  /** How many the contactor connects. Default 3. */
  readonly phases?: PhaseCount;
  readonly rules: Rules;
  /** As it was stored. Default true. */
  readonly operative?: boolean;
}

/** A connector at power-up, before the hardware has said anything: no EV, contactor open, x1. */
export const atPowerUp = ({ phases = 3, ...description }: ConnectorDescription): Connector => ({
  operative: true,
  ...description,
  phases: { connected: phases, wanted: phases },
  pilot: 'A',
  contactor: 'open',
  cableA: undefined,
  locked: false,
  mains: 'on',
  faults: [],
  offer: 'x1',
  permit: false,
  phase: { name: 'idle' },
});

/** An EV is on the cable. */
export const isPlugged = ({ pilot }: Connector): boolean => pilot === 'B' || pilot === 'C' || pilot === 'D';

/** Our end of the cable is still in the socket, or an EV is on it. */
export const isOccupied = (connector: Connector): boolean => isPlugged(connector) || connector.cableA !== undefined;

/** Nobody has been authorised, whether or not an EV is there, and for however long. */
export const isUnused = ({ phase }: Connector): boolean =>
  phase.name === 'idle' || phase.name === 'occupied' || (phase.name === 'finishing' && phase.last === undefined);

export const asksForPower = ({ pilot, ventilated }: Connector): boolean =>
  pilot === 'C' || (pilot === 'D' && ventilated);

/** The plug cannot be pulled: an attached cable, or a lock whose feedback says so. */
export const isSecured = ({ cable, locked }: Connector): boolean => cable === 'attached' || locked;

export const isFaulted = ({ faults }: Connector): boolean => faults.some(({ blocks }) => blocks === 'charging');

/** Nothing may be offered: a fault, or mains that are going away. */
export const isBlocked = ({ faults, mains }: Connector): boolean =>
  mains === 'failing' || faults.some(({ blocks }) => blocks !== 'nothing');

/** Nothing has been offered in this transaction yet. */
export const isUntouched = ({ charged, offered, suspended }: RunningTransaction): boolean =>
  !charged && offered !== true && suspended !== true;

/** The transaction of this connector that has not been reported as stopped, if there is one. */
export function transactionOf({ phase }: Connector): Transaction | undefined {
  return 'transaction' in phase ? phase.transaction : undefined;
}
