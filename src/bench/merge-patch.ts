/** JSON Merge Patch (RFC 7396) on the inputs, all or nothing: either a whole new document or one sentence about what is wrong. Pure. */
import {
  BARE_SITE,
  type BenchInputs,
  inputsAtPowerUp,
  type Room,
  type Rule,
  rulesFor,
  type Site,
  siteOf,
  WHOLE_SITE,
} from './inputs.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export type Patched =
  | { readonly ok: true; readonly inputs: BenchInputs }
  /** Completes "the patch is refused: ...". */
  | { readonly ok: false; readonly error: string };

export type Path = readonly string[];

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isRoom = (entry: Rule | Room): entry is Room => 'members' in entry;

const memberOf = ({ members }: Room, name: string): Rule | Room | undefined =>
  Object.hasOwn(members, name) ? members[name] : undefined;

/**
 * `inputs` with `patch` merged into it. Null puts an input back to its value at power-up, and takes a member of `faults` away.
 */
export function patched(inputs: BenchInputs, patch: unknown): Patched {
  if (!isObject(patch)) return { ok: false, error: 'the document is an object' };
  const ids = Object.keys(inputs.connectors);
  const site = siteOf(inputs);
  const rules = rulesFor(ids, site);
  const [unknown] = unknownMembers(patch, rules);
  if (unknown !== undefined) return { ok: false, error: refusal(unknown) };
  const merged = mergePatch(inputs, patch);
  const complete = completed(rules, merged, inputsAtPowerUp(ids.map(Number), site));
  const problem = misfit(rules, complete, []);
  // Every member is known, none is missing and each has passed its rule.
  return problem === undefined ? { ok: true, inputs: complete as BenchInputs } : { ok: false, error: problem };
}

/** Members of `patch` that are no inputs, outputs included; for a configuration file, which reports them and goes on. Unknown site: any. */
export function unknownInputs(
  patch: JsonObject,
  connectorIds: readonly string[] = idsIn(patch),
  site: Site = WHOLE_SITE,
): readonly Path[] {
  return unknownMembers(patch, rulesFor(connectorIds, site));
}

/** `patch` without what `unknownInputs` finds in it. */
export function knownInputs(patch: JsonObject, connectorIds: readonly string[], site: Site = BARE_SITE): JsonObject {
  return known(patch, rulesFor(connectorIds, site)) as JsonObject;
}

/** A file cannot be told which connectors there are: every number passes. */
const idsIn = ({ connectors }: JsonObject): readonly string[] =>
  isObject(connectors) ? Object.keys(connectors).filter((id) => /^[1-9]\d*$/.test(id)) : [];

function unknownMembers(patch: JsonObject, rules: Room, above: Path = []): readonly Path[] {
  return Object.entries(patch).flatMap(([name, value]) => {
    const entry = memberOf(rules, name);
    const path = [...above, name];
    if (entry === undefined) return [path];
    return isRoom(entry) && isObject(value) ? unknownMembers(value, entry, path) : [];
  });
}

function known(value: unknown, rules: Room): unknown {
  if (!isObject(value)) return value;
  const kept = Object.entries(value).flatMap(([name, member]) => {
    const entry = memberOf(rules, name);
    if (entry === undefined) return [];
    return [[name, isRoom(entry) ? known(member, entry) : member] as const];
  });
  return Object.fromEntries(kept);
}

function refusal(path: Path): string {
  const isOutput = path[0] === 'now' || path[0] === 'out' || (path[0] === 'connectors' && path[2] === 'out');
  return `${path.join('.')} is ${isOutput ? 'an output' : 'no input of this bench'}`;
}

/** RFC 7396, section 2, word by word. Only known names arrive here, so that no `__proto__` does. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Puts what is missing back to power-up. */
function completed(rules: Room, value: unknown, atPowerUp: unknown): unknown {
  if (value === undefined) return atPowerUp;
  if (!isObject(value) || !isObject(atPowerUp) || rules.open) return value;
  const complete: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(rules.members)) {
    const member = value[name];
    complete[name] = isRoom(entry) ? completed(entry, member, atPowerUp[name]) : (member ?? atPowerUp[name]);
  }
  return complete;
}

function misfit(entry: Rule | Room, value: unknown, path: Path): string | undefined {
  if (!isRoom(entry)) return entry.takes(value) ? undefined : `${path.join('.')} takes ${entry.expects}`;
  if (!isObject(value)) return `${path.join('.')} is an object`;
  for (const [name, member] of Object.entries(entry.members)) {
    if (entry.open && !Object.hasOwn(value, name)) continue;
    const problem = misfit(member, value[name], [...path, name]);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
