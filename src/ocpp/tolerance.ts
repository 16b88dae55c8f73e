/** What we forgive the other side: named repairs of inbound payloads, made before the strict shape looks at them. */
import type * as v from 'valibot';
import type { AnyOperation } from './operation.ts';
import { isDateTime } from './timestamp.ts';
import { dateTime, isObjectShape, itemOf, memberOf } from './vocabulary.ts';

// An empty frame, also forgiven, never becomes a payload: frame.ts ignores it.

export type RepairName =
  | 'absentPayload'
  | 'heartbeatInterval'
  | 'missingInterval'
  | 'unknownMember'
  | 'nullMember'
  | 'timestampWithoutOffset'
  | 'configurationValue';

/** One value of a message, and what the shape wants in its place (undefined: no such member). */
interface Place {
  /** `BootNotification.conf` */
  readonly message: string;
  /** `idTagInfo.expiryDate`; lists leave no trace, and the whole payload has none. */
  readonly path: string;
  readonly wanted: v.GenericSchema | undefined;
  readonly value: unknown;
}

interface Repair {
  readonly name: RepairName;
  readonly of: 'payload' | 'member';
  readonly needed: (place: Place) => boolean;
  /** The value to go on with; undefined drops the member. */
  readonly repaired: (value: unknown) => unknown;
}

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** In the order in which they are tried; a later one sees what the earlier ones made. */
export const REPAIRS: readonly Repair[] = [
  {
    // SteVe takes null for the payload of a message without members, and others send what it takes.
    name: 'absentPayload',
    of: 'payload',
    needed: ({ value }) => isAbsent(value),
    repaired: () => ({}),
  },
  {
    // A central system that chose OCPP 1.5 for this connection calls the interval so.
    name: 'heartbeatInterval',
    of: 'payload',
    needed: ({ message, value }) =>
      message === 'BootNotification.conf' &&
      isMembers(value) &&
      isAbsent(value['interval']) &&
      Number.isInteger(value['heartbeatInterval']),
    repaired: (value) => {
      const { heartbeatInterval, ...others } = value as Members;
      return { ...others, interval: heartbeatInterval };
    },
  },
  {
    // 0 leaves the interval to us. Without this the charge point would stay offline for want of a number.
    name: 'missingInterval',
    of: 'payload',
    needed: ({ message, value }) =>
      message === 'BootNotification.conf' && isMembers(value) && isAbsent(value['interval']),
    repaired: (value) => ({ ...(value as Members), interval: 0 }),
  },
  {
    // Members of newer or older editions, and inventions of vendors.
    name: 'unknownMember',
    of: 'member',
    needed: ({ wanted }) => wanted === undefined,
    repaired: () => undefined,
  },
  {
    // Serialisers write null for what is absent. A required member is then missing, and is answered so.
    name: 'nullMember',
    of: 'member',
    needed: ({ value }) => value === null,
    repaired: () => undefined,
  },
  {
    // UTC is meant (section 3.14). Any offset and any number of digits are legal and stay as they are.
    name: 'timestampWithoutOffset',
    of: 'member',
    needed: ({ wanted, value }) =>
      wanted === dateTime && typeof value === 'string' && !isDateTime(value) && isDateTime(`${value}Z`),
    repaired: (value) => `${value}Z`,
  },
  {
    // Section 6.9 wants a text for every kind of value.
    name: 'configurationValue',
    of: 'member',
    needed: ({ message, path, value }) =>
      message === 'ChangeConfiguration.req' &&
      path === 'value' &&
      (typeof value === 'number' || typeof value === 'boolean'),
    repaired: String,
  },
];

const PAYLOAD_REPAIRS = REPAIRS.filter((repair) => repair.of === 'payload');
const MEMBER_REPAIRS = REPAIRS.filter((repair) => repair.of === 'member');

/** Names of members come from the other side: neither their number nor their length may fill a log. */
const MOST_REPORTED = 20;
const LONGEST_LINE = 120;

type Note = (name: RepairName, path: string) => void;

function tried(repairs: readonly Repair[], place: Place, note: Note): unknown {
  let { value } = place;
  for (const { name, needed, repaired } of repairs) {
    if (!needed({ ...place, value })) continue;
    note(name, place.path);
    value = repaired(value);
    if (value === undefined) return undefined;
  }
  return value;
}

/** Walks along the shape, so that its depth bounds ours whatever was sent. Null in a list is left to the shape to refuse. */
function walked({ message, path, wanted, value }: Place, note: Note): unknown {
  if (wanted === undefined) return value;
  const item = itemOf(wanted);
  if (item !== undefined && Array.isArray(value)) {
    return value.map((element) => walked({ message, path, wanted: item, value: element }, note));
  }
  if (!isObjectShape(wanted) || !isMembers(value)) return value;
  const members: Record<string, unknown> = {};
  for (const [name, sent] of Object.entries(value)) {
    const place = {
      message,
      path: path === '' ? name : `${path}.${name}`,
      wanted: memberOf(wanted, name),
      value: sent,
    };
    const repaired = tried(MEMBER_REPAIRS, place, note);
    if (repaired !== undefined) members[name] = walked({ ...place, value: repaired }, note);
  }
  return members;
}

/**
 * Repairs an inbound payload. What the strict shape accepts comes back as it was; what no repair knows is left for the shape
 * to refuse. `repairs` names each kind of repair and its place once: `nullMember idTagInfo.parentIdTag`.
 */
export function repair(
  operation: AnyOperation,
  side: 'req' | 'conf',
  payload: unknown,
): { readonly payload: unknown; readonly repairs: readonly string[] } {
  const repairs = new Set<string>();
  const note: Note = (name, path) => {
    if (repairs.size < MOST_REPORTED) repairs.add(`${name} ${path}`.trimEnd().slice(0, LONGEST_LINE));
  };
  const whole = { message: `${operation.action}.${side}`, path: '', wanted: operation[side], value: payload };
  const repaired = walked({ ...whole, value: tried(PAYLOAD_REPAIRS, whole, note) }, note);
  return { payload: repairs.size === 0 ? payload : repaired, repairs: [...repairs] };
}
