/** What a flight recording holds: one JSON object a line, first the header, then entries in the order in which they happened. */
import type { ContactorState, FaultCode, Mains, Monotonic, Offer, PilotState, Values } from '../../hal/contract.ts';
import type { Connector } from '../core/connector/state.ts';

/** Of the file; a reader refuses a format that it does not know. */
export const RECORDING_FORMAT = 1;

/** The first line. */
export interface RecordingHeader {
  readonly recording: typeof RECORDING_FORMAT;
  readonly version: string;
  /** Why it was saved: `rcdTrip, connector 1`, or `asked for`. */
  readonly cause: string;
  /** What else would have been a cause until it was saved, oldest first, at most 20. */
  readonly also?: readonly string[];
  /** When the cause happened, on the time base of the entries. */
  readonly at: Monotonic;
  /** The same moment on the wall, ISO 8601; absent as long as the clock is not trusted. */
  readonly wall?: string;
  readonly bootId: string;
  readonly connectors: readonly RecordedConnector[];
  /** Configuration keys in force at the end, write-only ones left out. */
  readonly keys: Readonly<Record<string, string>>;
}

export interface RecordedConnector {
  readonly id: number;
  readonly maxA: number;
  readonly phases: 1 | 3;
  readonly cable: 'socket' | 'attached';
  readonly ventilated: boolean;
}

/** `at`: monotonic milliseconds of the process that recorded; never falls from one entry to the next. */
export type RecordedEntry = { readonly at: Monotonic } & (
  | { readonly what: 'pilot'; readonly connector: number; readonly pilot: PilotState }
  /** The mirror contact. */
  | { readonly what: 'feedback'; readonly connector: number; readonly contactor: ContactorState }
  /** What the contactor was told, by whomever: the interlock opens by itself. */
  | { readonly what: 'contactor'; readonly connector: number; readonly command: 'open' | 'close' }
  /** `dutyPercent` as it stands on the pilot: 100 for x1, 0 for F. What an EVSE controller makes of the offer is its own business. */
  | { readonly what: 'offer'; readonly connector: number; readonly offer: Offer; readonly dutyPercent: number }
  | { readonly what: 'permit'; readonly connector: number; readonly given: boolean }
  | { readonly what: 'lock'; readonly connector: number; readonly locked: boolean }
  | { readonly what: 'proximity'; readonly connector: number; readonly cableA: number | null }
  /** `took`: how long the meter took to answer, in milliseconds. `meter`: not that of a connector, whose number is 0 then. */
  | {
      readonly what: 'reading';
      readonly connector: number;
      readonly meter?: 'main' | 'grid';
      readonly took: number;
      readonly values: Values;
    }
  | {
      readonly what: 'noReading';
      readonly connector: number;
      readonly meter?: 'main' | 'grid';
      readonly took: number;
      readonly code: string;
    }
  | {
      readonly what: 'fault';
      readonly connector: number;
      readonly code: FaultCode;
      readonly raised: boolean;
      readonly info?: string;
      readonly vendorErrorCode?: string;
    }
  | { readonly what: 'faultReset'; readonly connector: number }
  | { readonly what: 'mains'; readonly mains: Mains }
  | { readonly what: 'tag'; readonly reader: number; readonly idTag: string }
  | { readonly what: 'link'; readonly open: boolean }
  /** As the wire log shows it: secrets masked. `cut`: how many characters it had, where it is not whole. */
  | { readonly what: 'frame'; readonly direction: 'tx' | 'rx'; readonly text: string; readonly cut?: number }
  /** Where everything stands: a replay can begin here. */
  | {
      readonly what: 'state';
      readonly connectors: readonly StateOfConnector[];
      readonly mains: Mains;
      readonly linked: boolean;
    }
);

/** An entry before it has its time. */
export type Note = WithoutTime<RecordedEntry>;

type WithoutTime<Entry> = Entry extends unknown ? Omit<Entry, 'at'> : never;

export interface StateOfConnector {
  readonly connector: Connector;
  readonly pilot: PilotState;
  readonly contactor: ContactorState;
  /** Of the running transaction; null while its StartTransaction is not confirmed, absent without one. */
  readonly transactionId?: number | null;
}
