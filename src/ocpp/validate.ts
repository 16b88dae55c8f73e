/** A payload against its strict shape; what does not fit becomes a CALLERROR code (OCPP-J 1.6 section 4.2.3). */
import * as v from 'valibot';
import type { CallErrorCode } from '../errors.ts';

export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: CallErrorCode;
      readonly description: string;
      /** `csChargingProfiles.stackLevel` */
      readonly place: string;
    };

/** errorDescription is a string of at most 255 characters, and names of members come from the other side. */
const DESCRIPTION_LENGTH = 255;

type Issue = v.BaseIssue<unknown>;

interface Violation {
  readonly code: CallErrorCode;
  readonly says: (issue: Issue) => string;
}

const expected = (issue: Issue): string => `expected ${issue.message}`;

const NO_OBJECT: Violation = { code: 'FormationViolation', says: expected };
const UNKNOWN_MEMBER: Violation = { code: 'FormationViolation', says: () => 'no member of this message' };
const MISSING: Violation = { code: 'OccurenceConstraintViolation', says: () => 'required' };
const WRONG_TYPE: Violation = { code: 'TypeConstraintViolation', says: expected };
const WRONG_VALUE: Violation = { code: 'PropertyConstraintViolation', says: expected };

/** Objects are guarded before their members are looked at: what `strict_object` itself reports is a name, never a type. */
function violationOf(issue: Issue): Violation {
  if (issue.path === undefined) return NO_OBJECT;
  if (issue.type === 'strict_object') return issue.expected === 'never' ? UNKNOWN_MEMBER : MISSING;
  if (issue.kind === 'validation') return WRONG_VALUE;
  if (issue.type === 'picklist' && typeof issue.input === 'string') return WRONG_VALUE;
  return WRONG_TYPE;
}

/** A list of which only a piece is looked at: its first element is number `from` of the whole. */
export interface Piece {
  readonly path: readonly string[];
  readonly from: number;
}

/** `localAuthorizationList.27.idTag`: numbered as in the whole list. */
function placeOf(issue: Issue, piece: Piece | undefined): string {
  const path = v.getDotPath(issue);
  if (path === null) return 'payload';
  const before = piece === undefined ? undefined : `${piece.path.join('.')}.`;
  if (piece === undefined || before === undefined || !path.startsWith(before)) return path;
  const [index, ...deeper] = path.slice(before.length).split('.');
  return [`${before}${Number(index) + piece.from}`, ...deeper].join('.');
}

/**
 * The first violation wins: members in the order of the shape, then unknown ones. Its description names the path and what is
 * expected, never the value received. `value` is a copy with nothing in it that the shape does not know.
 */
export function validate<S extends v.GenericSchema>(
  shape: S,
  payload: unknown,
  piece?: Piece,
): Validated<v.InferOutput<S>> {
  const result = v.safeParse(shape, payload, { abortEarly: true });
  if (result.success) return { ok: true, value: result.output };
  const issue: Issue = result.issues[0];
  const { code, says } = violationOf(issue);
  const place = placeOf(issue, piece);
  return { ok: false, code, place, description: `${place}: ${says(issue)}`.slice(0, DESCRIPTION_LENGTH) };
}
