/** What the agent is configured with, as every other room sees it: checked, complete, defaults filled in. Types only; `config/load.ts` makes it. */
import type { BoardDescription, Protection } from '../hal/board-description.ts';
import type { RegisterMap } from '../hal/modbus/register-map.ts';
import type { KeyKind } from './ports.ts';

/** What BootNotification says about us (OCPP 1.6 section 6.3); lengths are checked. */
export interface ChargePointConfig {
  /** Part of the URL, percent-encoded there; raw as the user of Basic authentication. */
  readonly identity: string;
  readonly vendor: string;
  readonly model: string;
  readonly serialNumber?: string;
  readonly chargeBoxSerialNumber?: string;
  readonly firmwareVersion?: string;
  readonly iccid?: string;
  readonly imsi?: string;
  readonly meterType?: string;
  readonly meterSerialNumber?: string;
}

export type SecurityProfile = 0 | 1 | 2 | 3;

export interface CentralSystemConfig {
  /** ws: or wss:, without the identity. The effective SecurityProfile decides the scheme in the end. */
  readonly url: string;
  /** The key SecurityProfile wins over this one. */
  readonly securityProfile: SecurityProfile;
  /** The certificates of `caFile`, one PEM text each; the CentralSystemRootCertificates of a first start. */
  readonly certificateAuthorities: readonly string[];
  readonly verifyHostname: boolean;
}

/** A serial line. Settings that are absent come from the register map of the meter. */
export interface BusConfig {
  readonly port: string;
  readonly baudRate?: number;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stopBits?: 1 | 2;
}

export interface MeterConfig {
  /** As the file names it: a file name in config/meters or a path. */
  readonly model: string;
  readonly map: RegisterMap;
  readonly bus: BusConfig;
  /** Modbus unit, 1..247. */
  readonly unit: number;
}

export interface ConnectorConfig {
  /** 1, 2, ... without gaps. */
  readonly id: number;
  readonly cable: 'socket' | 'attached';
  /** The most that wiring, contactor and board may carry, in ampere (6..80). */
  readonly maxA: number;
  readonly phases: 1 | 3;
  /** The room is ventilated: state D may charge. */
  readonly ventilated: boolean;
  /** Absent on the mock board, which has a meter of its own. */
  readonly meter?: MeterConfig;
}

/** What the electrician has connected, and how the offer may move within it. */
export interface InstallationConfig {
  /** Line voltage "set for the area" (OCPP 1.6 section 7.12), in volt: turns W into A, never measured. */
  readonly nominalV: number;
  /** Phases of the supply of the charge point. */
  readonly phases: 1 | 3;
  /** One fuse for all connectors, in ampere per phase; absent: each connector has its own. */
  readonly fuseA?: number;
  /** What may be offered where a limit is not known any more, in ampere per phase (0..80). */
  readonly safeA: number;
  /** Before an increase, a random time of at most so many seconds (0..1800; UK Smart Charge Points Regulations 2021). */
  readonly randomDelayS: number;
  /** How fast the offer may grow, in ampere per minute; absent: at once. */
  readonly rampAPerMinute?: number;
  /** What the phases of a connector may differ by, in ampere (6..80): the most on one phase; absent: anything. */
  readonly asymmetryA?: number;
  /** Between two changes of the number of phases, in seconds. */
  readonly phaseSwitchEveryS: number;
  /** The house that the charge point shares a connection with; `board.gridMeter` measures it. */
  readonly gridConnection?: GridConnectionConfig;
  /** What the grid operator's contact allows the charge point in all, in watt. */
  readonly dimming?: { readonly limitW: number };
}

export interface GridConnectionConfig {
  /** Of the house, in ampere per phase. */
  readonly fuseA: number;
  /** Absent on the mock board, which has one of its own. */
  readonly meter?: MeterConfig;
}

/** Settings that are no OCPP key (bench.md, section 2). */
export interface Options {
  readonly retryBackoffRandomRangeS: number;
  readonly retryBackoffWaitMinimumS: number;
  readonly retryBackoffRepeatTimes: number;
  readonly switchSecurityProfileConnectionTimeoutS: number;
  /** A changed connection that has not led to BootNotification Accepted after so long is taken back. */
  readonly confirmConnectionWithinS: number;
  readonly rejectRemoteStartTransactionWithoutConnectorId: boolean;
  readonly remoteStartTransactionWithoutConnectorIdFindFirst: boolean;
  readonly compositeScheduleDefaultLimitAmps?: number;
  /** The read-only keys MeterPublicKey1...n. */
  readonly meterPublicKeys: readonly string[];
}

export interface BenchConfig {
  readonly host: '127.0.0.1';
  /** 0 takes any free port. */
  readonly port: number;
  /** A merge patch on the power-up document of the bench. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** How an image is put in force. */
export interface InstallerConfig {
  readonly kind: 'release' | 'rauc' | 'command';
  /** The executable and its arguments; the path of the image comes last. */
  readonly command: readonly [executable: string, ...string[]];
  /** What was installed runs after a restart only. */
  readonly reboot: boolean;
  /** What restarts the machine; absent: the end of the process is enough. */
  readonly restart?: readonly [executable: string, ...string[]];
  readonly timeoutS: number;
}

export interface FirmwareConfig {
  /** Absent: no update is accepted. */
  readonly installer?: InstallerConfig;
  /** The certificates of `rootFile`, one PEM text each; the ManufacturerRootCertificates of a first start. */
  readonly manufacturerRoots?: readonly string[];
  /** UpdateFirmware is obeyed, although nobody has signed the image. */
  readonly allowUnsigned: boolean;
}

export interface AgentConfig {
  /** Absolute path of the file this was read from. */
  readonly file: string;
  readonly chargePoint: ChargePointConfig;
  readonly centralSystem: CentralSystemConfig;
  readonly board: 'mock' | BoardDescription;
  readonly connectors: readonly ConnectorConfig[];
  readonly installation: InstallationConfig;
  /** Absent on a mock board on which nothing is watched. */
  readonly protection?: Protection;
  /** Factory defaults of OCPP keys, the AuthorizationKey of the secrets file included. Only keys that are known. */
  readonly keys: Readonly<Record<string, string>>;
  readonly options: Options;
  /** Absolute path of the only persistent storage. */
  readonly stateDir: string;
  /** Absent outside a bench; never together with a real board. */
  readonly bench?: BenchConfig;
  readonly log: { readonly level: LogLevel };
  /** Absent where no path short enough for a unix socket could be found. */
  readonly control: { readonly socket?: string };
  /** How long a fault may last before it ends the transaction, in seconds. */
  readonly faultGraceS: number;
  /** How often an EV that does not answer an offer is woken up by a pulse of state F; absent: never. */
  readonly wakeUps?: number;
  /** After a loss of power that lasted no longer than this, in seconds, a transaction may go on; 0: it never does. */
  readonly resumeWithinS: number;
  /** The operator knows that a board without its own protective devices is for the laboratory. */
  readonly acknowledgeLabUse: boolean;
  /** The kind of key that the charge point makes for its certificate; absent: ecP256. */
  readonly certificates?: { readonly keyType: KeyKind };
  /** Absent: no installer, and unsigned updates only on the mock board. */
  readonly firmware?: FirmwareConfig;
  /** Who plugs in charges, without being asked; absent: only who is authorised. */
  readonly freeVend?: { readonly idTag: string };
}

/** What reading a configuration needs from the machine; in tests a map of texts. */
export interface ConfigFiles {
  /**
   * Throws if the file cannot be read, with the `code` of the system (ENOENT, EACCES, EISDIR) where that has one. Plain files only, and
   * links to them: a pipe or a device may never end. What is not UTF-8 becomes U+FFFD.
   */
  read(path: string): string;
  exists(path: string): boolean;
  /** Whether something is there that is no folder. */
  takenByFile(path: string): boolean;
  /** The names in a folder; none if it is not there. Never throws. */
  list(path: string): readonly string[];
  /** The permission bits, 0..0o777. */
  mode(path: string): number;
  /** Whether this is a directory in which we may make files. */
  writableDirectory(path: string): boolean;
  /** Without links (`/dev/serial0` may be `/dev/ttyAMA0`); the path itself where nothing is there. Never throws. */
  resolved(path: string): string;
}

/** Where something is wrong in a file, ready to print. Line and column count from 1. */
export interface ConfigProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Members from the root, as in `connectors[0].meter.unit`; empty for the whole file. */
  readonly path: string;
  /** What is wrong and what is expected. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

export type LoadedConfig =
  | { readonly config: AgentConfig; readonly warnings: readonly ConfigProblem[] }
  | { readonly errors: readonly ConfigProblem[]; readonly warnings: readonly ConfigProblem[] };
