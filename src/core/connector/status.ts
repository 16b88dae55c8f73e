/** The nine statuses of OCPP 1.6 section 7.7 as a table over the state. Pure. */
import { LEAST_OFFER_A } from '../current.ts';
import { isSwitching } from './phase-switching.ts';
import {
  type Connector,
  type ConnectorFault,
  type ConnectorStatus,
  type ErrorCode,
  isBlocked,
  isFaulted,
  isSecured,
  isUntouched,
  isUnused,
  type Phase,
  type RunningTransaction,
} from './state.ts';
import { wakeSignalOf } from './wake-up.ts';

/** What StatusNotification.req says, without connector and time. */
export interface StatusReport {
  readonly status: ConnectorStatus;
  readonly errorCode: ErrorCode;
  /** At most 50 characters. */
  readonly info?: string;
  readonly vendorId?: string;
  readonly vendorErrorCode?: string;
}

type Derived = { readonly status: ConnectorStatus; readonly info?: string };

/** Section 4.9 wants to hear why; 50 characters at most. */
const EV_SIDE_DISCONNECTED = 'EV side disconnected';
const EV_PAUSED = 'EV has paused';
const EV_NOT_ASKING = 'EV has not asked for power yet';

function hasLeft(phase: Exclude<Phase, RunningTransaction>): boolean {
  if (phase.name === 'ending' || phase.name === 'closing') return phase.stop.reason === 'EVDisconnected';
  return phase.name === 'finishing' && phase.last?.reason === 'EVDisconnected';
}

const STATUS_OF_PHASE: { readonly [name in Exclude<Phase['name'], 'transaction'>]: ConnectorStatus } = {
  idle: 'Available',
  authorized: 'Preparing',
  occupied: 'Preparing',
  locking: 'Preparing',
  beginning: 'Preparing',
  interrupted: 'SuspendedEVSE',
  ending: 'Finishing',
  closing: 'Finishing',
  finishing: 'Finishing',
};

const reasonOf = ({ limitA, limitReason }: Connector): string =>
  (limitA < LEAST_OFFER_A ? limitReason?.slice(0, 50) : undefined) ?? 'No current to offer';

/** The first row that applies; SuspendedEVSE goes before SuspendedEV. */
const STATUS_OF_TRANSACTION: readonly {
  readonly applies: (connector: Connector, phase: RunningTransaction) => boolean;
  readonly derived: (phase: RunningTransaction, connector: Connector) => Derived;
}[] = [
  { applies: ({ pilot }) => pilot === 'A', derived: () => ({ status: 'SuspendedEV', info: EV_SIDE_DISCONNECTED }) },
  { applies: (connector) => !isSecured(connector), derived: () => ({ status: 'SuspendedEV' }) },
  {
    applies: (_, { deauthorized }) => deauthorized,
    derived: () => ({ status: 'SuspendedEVSE', info: 'idTag not accepted' }),
  },
  { applies: (connector) => isBlocked(connector), derived: () => ({ status: 'SuspendedEVSE' }) },
  {
    applies: (connector, phase) => isSwitching(connector) && isUntouched(phase),
    derived: () => ({ status: 'Preparing' }),
  },
  {
    applies: (connector) => isSwitching(connector),
    derived: (_, { phases }) => ({ status: 'SuspendedEVSE', info: `Switching to phases: ${phases.wanted}` }),
  },
  {
    // It still is the EV who does not ask.
    applies: (connector) => connector.offer === wakeSignalOf(connector),
    derived: ({ charged }) => ({ status: 'SuspendedEV', info: charged ? EV_PAUSED : EV_NOT_ASKING }),
  },
  {
    applies: ({ offer }) => typeof offer !== 'number',
    derived: (_, connector) => ({ status: 'SuspendedEVSE', info: reasonOf(connector) }),
  },
  { applies: ({ contactor }) => contactor === 'closed', derived: () => ({ status: 'Charging' }) },
  {
    applies: (_, { evAnswersUntil }) => evAnswersUntil !== undefined,
    // The same words as before: it is not worth a message that the EV takes its time.
    derived: ({ charged, suspended, suspendedInfo: info }) =>
      charged || suspended
        ? { status: 'SuspendedEVSE', ...(info === undefined ? {} : { info }) }
        : { status: 'Preparing' },
  },
  {
    applies: () => true,
    derived: ({ charged }) => ({ status: 'SuspendedEV', info: charged ? EV_PAUSED : EV_NOT_ASKING }),
  },
];

function derive(connector: Connector): Derived {
  const { phase } = connector;
  if (isFaulted(connector)) return { status: 'Faulted' };
  const isWaiting = isUnused(connector);
  if (!connector.operative && (isWaiting || phase.name === 'finishing')) return { status: 'Unavailable' };
  // Section 4.9: nothing leads from Reserved to Finishing while nobody comes.
  if (connector.reservationId !== undefined && isWaiting) return { status: 'Reserved' };
  if (phase.name !== 'transaction') {
    return { status: STATUS_OF_PHASE[phase.name], ...(hasLeft(phase) ? { info: EV_SIDE_DISCONNECTED } : {}) };
  }
  const row = STATUS_OF_TRANSACTION.find(({ applies }) => applies(connector, phase));
  return row?.derived(phase, connector) ?? { status: 'SuspendedEV' };
}

const WEIGHT = { charging: 0, offer: 1, moment: 2, nothing: 3 } as const;

/** The fault that is reported: what blocks most, and of these the one raised first. */
export const worstFault = (faults: readonly ConnectorFault[]): ConnectorFault | undefined =>
  faults.toSorted((a, b) => WEIGHT[a.blocks] - WEIGHT[b.blocks])[0];

export const NOTHING_WRONG = { errorCode: 'NoError' } as const;

/** errorCode and the three texts of a fault, as StatusNotification.req wants them. */
export function describeFault(fault: ConnectorFault | undefined): Omit<StatusReport, 'status'> {
  if (fault === undefined) return NOTHING_WRONG;
  const { errorCode, info, vendorErrorCode, vendorId } = fault;
  return {
    errorCode,
    ...(info === undefined ? {} : { info: info.slice(0, 50) }),
    ...(vendorId === undefined ? {} : { vendorId }),
    ...(vendorErrorCode === undefined ? {} : { vendorErrorCode }),
  };
}

export function reportOf(connector: Connector): StatusReport {
  const fault = worstFault(connector.faults);
  const isOfTheEv = fault?.blocks === 'offer' || fault?.blocks === 'moment';
  const reported = isOfTheEv && !EV_STATUSES.has(derive(connector).status) ? undefined : fault;
  return { ...derive(connector), ...describeFault(reported) };
}

/** Section 7.6: EVCommunicationError goes only with these, and so does whatever else withholds an offer without being a fault. */
const EV_STATUSES: ReadonlySet<ConnectorStatus> = new Set(['Preparing', 'SuspendedEV', 'SuspendedEVSE', 'Finishing']);

/** Connector 0 is only Available, Unavailable or Faulted. */
export function reportOfChargePoint(faults: readonly ConnectorFault[], operative: boolean): StatusReport {
  const fault = worstFault(faults);
  const status = operative ? 'Available' : 'Unavailable';
  return { status: fault?.blocks === 'charging' ? 'Faulted' : status, ...describeFault(fault) };
}
