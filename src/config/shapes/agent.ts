/** The shape of the main file (bench.md, section 2) and of the secrets file beside it. */
import * as v from 'valibot';
import {
  decimal,
  described,
  listOf,
  object,
  oneOf,
  optional,
  path,
  section,
  text,
  whole,
  yesNo,
} from '../vocabulary.ts';
import { busEntries } from './board.ts';

const scalar = () => v.union([v.string(), v.number(), v.boolean()], 'a text, a number, true or false');
const record = <S extends v.GenericSchema>(value: S) => v.record(v.string(), value, 'an object');

const chargePoint = object({
  identity: described(text(255), 'last part of the URL, and the user of Basic authentication'),
  vendor: text(20),
  model: text(20),
  serialNumber: optional(text(25)),
  chargeBoxSerialNumber: optional(text(25)),
  firmwareVersion: optional(text(50)),
  iccid: optional(text(20)),
  imsi: optional(text(20)),
  meterType: optional(text(25)),
  meterSerialNumber: optional(text(25)),
});

const centralSystem = object({
  url: described(text(2048), 'ws:// or wss://, without the identity'),
  securityProfile: optional(oneOf(0, 1, 2, 3)),
  caFile: optional(v.nullable(path())),
  verifyHostname: optional(yesNo()),
});

const meter = object({
  model: described(text(400), 'a file name in config/meters without .yaml, or a path'),
  bus: described(
    v.union([text(80), object(busEntries)], 'the name of one of `buses`, or an object with a port'),
    'the name of one of `buses`, or the line itself',
  ),
  unit: whole(1, 247),
});

export type MeterFile = v.InferOutput<typeof meter>;

const connector = object({
  id: whole(1, 64),
  cable: described(oneOf('socket', 'attached'), 'attached: no lock, UnlockConnector answers NotSupported'),
  maxA: optional(decimal(6, 80, 'A')),
  phases: optional(oneOf(1, 3)),
  ventilated: optional(yesNo()),
  meter: optional(meter),
});

const installation = object({
  nominalV: described(optional(decimal(100, 250, 'V')), 'turns W into A; default 230'),
  phases: described(optional(oneOf(1, 3)), 'of the supply; default: the most that a connector has'),
  fuseA: described(optional(decimal(6, 1000, 'A')), 'one fuse for all connectors, per phase'),
  safeA: described(optional(decimal(0, 80, 'A')), 'what may be offered where a limit is not known any more; default 6'),
  randomDelayS: described(optional(whole(0, 1800, 's')), 'at most so long before an increase; default 0'),
  rampAPerMinute: described(optional(decimal(0.1, 100, 'A')), 'how fast the offer may grow; absent: at once'),
  asymmetryA: described(
    optional(decimal(6, 80, 'A')),
    'what the phases of a connector may differ by: the most that is offered on one phase; default: as the country says',
  ),
  phaseSwitchEveryS: described(
    optional(whole(10, 86_400, 's')),
    'at least so long between two changes of the number of phases; default 60',
  ),
  gridConnection: described(
    optional(object({ fuseA: described(decimal(6, 1000, 'A'), 'of the house, per phase'), meter: optional(meter) })),
    'the house that the charge point shares a connection with; on a real board it needs a meter',
  ),
  dimming: described(
    optional(object({ limitW: whole(0, 1_000_000, 'W') })),
    'what the charge point may take in all while the contact of the grid operator is active',
  ),
});

const COUNTRY_CODES = ['AT', 'CH', 'DE', 'DK', 'FR', 'GB'] as const;
export type CountryCode = (typeof COUNTRY_CODES)[number];

/** An object, or `false` for none of it. */
const orNone = <S extends v.GenericSchema>(schema: S) => v.union([v.literal(false), schema], 'an object, or false');

const protection = object({
  country: described(optional(oneOf(...COUNTRY_CODES)), 'whose rules give the defaults; see docs/protection.md'),
  overCurrent: described(
    optional(
      orNone(
        object({
          factor: described(optional(decimal(1, 2)), 'of what is signalled, marginA included; default 1.1'),
          marginA: described(optional(decimal(0, 10, 'A')), 'what the meter may be wrong by; default 0.5'),
          forS: described(optional(decimal(6, 60, 's')), 'an EV may take 5 s to follow; default 7'),
        }),
      ),
    ),
    'an EV that takes more than it is offered, by the meter; false: it is not watched',
  ),
  voltage: described(
    optional(
      orNone(
        object({
          leastV: described(optional(decimal(80, 400, 'V')), 'default 207'),
          mostV: described(optional(decimal(80, 400, 'V')), 'default 253'),
          forS: described(optional(decimal(0, 60, 's')), 'outside for so long opens the contactor; default 5'),
          reconnectLeastV: described(optional(decimal(80, 400, 'V')), 'default: 2 V more than leastV'),
          reconnectMostV: described(optional(decimal(80, 400, 'V')), 'default: 2 V less than mostV'),
          reconnectLeastHz: described(
            optional(decimal(40, 70, 'Hz')),
            'default: as the country says, or not looked at',
          ),
          reconnectMostHz: described(optional(decimal(40, 70, 'Hz')), 'default: as the country says, or not looked at'),
          reconnectAfterS: described(optional(decimal(0, 3600, 's')), 'within for so long ends the fault; default 60'),
        }),
      ),
    ),
    'per phase, by the meter; absent or false: as the country says, or not watched',
  ),
  rcdTest: described(
    optional(oneOf('session', 'day')),
    'when a board that can test its RCD does so, besides at power-up: after each session and 24 h (default), or every 24 h',
  ),
  rcdReclosesOnUnplug: described(
    optional(yesNo()),
    'an RCD that is not tripped any more is forgotten when the EV leaves; default false, forbidden in CH, DK, FR and GB',
  ),
  meterSilent: described(
    optional(oneOf('fault', 'warn')),
    'a meter that does not answer: nothing is charged (fault, default), or it goes on unmeasured with a warning',
  ),
  contactorLife: described(
    optional(object({ operations: whole(1, 10_000_000), underLoad: whole(1, 10_000_000) })),
    'openings after which the contactor should be exchanged: a warning',
  ),
});

const bench = object({
  host: optional(oneOf('127.0.0.1', 'localhost')),
  port: optional(whole(0, 65_535)),
  inputs: section(record(v.unknown())),
});

const firmware = object({
  installer: described(
    optional(oneOf('release', 'rauc', 'command')),
    'who puts an image in force: the helper of the release layout, RAUC, or `command`; absent: no update is accepted',
  ),
  command: described(optional(listOf(path(), 1)), 'executable and arguments; the path of the image is added'),
  reboot: described(optional(yesNo()), 'what `command` has installed runs after a restart only; default true'),
  restart: described(
    optional(listOf(path(), 1)),
    'executable and arguments that restart the machine; default: none, for rauc /usr/lib/chargepoint/restart-machine',
  ),
  timeoutS: described(optional(whole(1, 86_400, 's')), 'an installation that takes longer has failed; default 1800'),
  rootFile: described(
    optional(v.nullable(path())),
    'PEM file of the roots of the manufacturer, below which an image has to be signed; installed on a first start',
  ),
  allowUnsigned: described(optional(yesNo()), 'UpdateFirmware is obeyed; default false, on a bench true'),
});

export type FirmwareFileSection = v.InferOutput<typeof firmware>;

export const agentShape = object({
  chargePoint,
  centralSystem,
  board: described(text(400), '`mock`, a file name in config/boards without .yaml, or a path'),
  connectors: optional(listOf(connector, 1)),
  installation: described(section(installation), 'what the electrician has connected, and how the offer may move'),
  protection: described(section(protection), 'what is watched beyond the lines of the board'),
  buses: section(record(object(busEntries))),
  keys: described(section(record(scalar())), 'factory defaults of OCPP configuration keys'),
  options: described(
    section(
      record(v.nullable(v.union([scalar(), v.array(v.string())], 'a text, a number, true, false or a list of texts'))),
    ),
    'settings that are no OCPP key',
  ),
  stateDir: described(path(), 'the only persistent storage'),
  secretsFile: described(optional(path()), 'mode 0600; holds AuthorizationKey'),
  bench: optional(bench),
  log: section(object({ level: optional(oneOf('debug', 'info', 'warn', 'error')) })),
  control: section(object({ socket: optional(path()) })),
  faultGraceS: optional(whole(0, 86_400, 's')),
  wakeUps: described(
    optional(whole(0, 3)),
    'how often an EV that does not answer an offer is woken up by 4 s of pilot state F; default 1, 0: never',
  ),
  resumeWithinS: described(
    optional(whole(0, 86_400, 's')),
    'a transaction goes on after a loss of power that was no longer; 0 (default): it ends with PowerLoss',
  ),
  acknowledgeLabUse: optional(yesNo()),
  firmware: described(section(firmware), 'how the charge point is updated'),
  certificates: described(
    section(object({ keyType: optional(oneOf('ecP256', 'rsa2048')) })),
    'the key of the certificate of the charge point; default ecP256',
  ),
  freeVend: described(
    section(object({ idTag: described(text(20), 'what StartTransaction says') })),
    'who plugs in charges, without being asked',
  ),
});

export type AgentFile = v.InferOutput<typeof agentShape>;

export const secretsShape = object({
  AuthorizationKey: optional(scalar()),
});
