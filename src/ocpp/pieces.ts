/** An inbound payload with a long list, taken in piece by piece: 500 idTags in one go would keep pilot and timers waiting. */
import type * as v from 'valibot';
import { type Validated, validate } from './validate.ts';
import { isObjectShape, itemOf, memberNamesOf, memberOf } from './vocabulary.ts';

/** So many elements take less than 5 ms even the first time, before the code is warm. */
export const PIECE = 25;

type Members = Readonly<Record<string, unknown>>;
type Path = readonly string[];

export interface Intake {
  /** Repairs a payload, as tolerance.ts does. */
  readonly repaired: (payload: unknown) => unknown;
  /** Lets everybody else have a turn. */
  readonly turn: () => Promise<void>;
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Where the longest list is; undefined if it fits into one piece. Follows the shape, but not into lists: there are none inside of one. */
export function longestList(shape: v.GenericSchema, payload: unknown): Path | undefined {
  return listsOf(shape, payload, []).sort((a, b) => lengthAt(payload, b) - lengthAt(payload, a))[0];
}

function listsOf(shape: v.GenericSchema, value: unknown, path: Path): Path[] {
  if (!isMembers(value)) return [];
  return memberNamesOf(shape).flatMap((name) => {
    const [wanted, member] = [memberOf(shape, name), value[name]];
    const place = [...path, name];
    if (wanted === undefined) return [];
    if (isObjectShape(wanted)) return listsOf(wanted, member, place);
    return itemOf(wanted) !== undefined && Array.isArray(member) && member.length > PIECE ? [place] : [];
  });
}

/**
 * What `validate` says of the repaired payload, with a turn of the event loop after each piece of the list at `path`. Never rejects unless
 * `repaired` throws.
 */
export async function validateInPieces(
  shape: v.GenericSchema,
  payload: unknown,
  path: Path,
  { repaired, turn }: Intake,
): Promise<Validated<unknown>> {
  const elements = listAt(payload, path);
  const first = validate(shape, repaired(withList(payload, path, elements.slice(0, PIECE))));
  if (!first.ok) return first;
  const taken = [...listAt(first.value, path)];
  for (let from = PIECE; from < elements.length; from += PIECE) {
    await turn();
    const piece = withList(first.value, path, elements.slice(from, from + PIECE));
    const next = validate(shape, repaired(piece), { path, from });
    if (!next.ok) return next;
    taken.push(...listAt(next.value, path));
  }
  return { ok: true, value: withList(first.value, path, taken) };
}

function listAt(payload: unknown, path: Path): readonly unknown[] {
  const found = path.reduce<unknown>((value, name) => (isMembers(value) ? value[name] : undefined), payload);
  return Array.isArray(found) ? found : [];
}

const lengthAt = (payload: unknown, path: Path): number => listAt(payload, path).length;

function withList(payload: unknown, [name, ...deeper]: Path, list: readonly unknown[]): unknown {
  if (name === undefined) return list;
  const members = payload as Members;
  return { ...members, [name]: withList(members[name], deeper, list) };
}
