/** Changes single values of a configuration file; every other byte stays as it is, comments included. */
import { isScalar, parseDocument, Scalar } from 'yaml';
import type { Path } from './document.ts';

export interface ValueChange {
  readonly path: Path;
  readonly value: string;
}

/** Undefined if one of the members is no value of its own there (an alias, or not at all). The text must be one good document. */
export const withValues = (text: string, changes: readonly ValueChange[]): string | undefined =>
  changes.reduce<string | undefined>(
    (edited, change) => (edited === undefined ? undefined : withValue(edited, change)),
    text,
  );

function withValue(text: string, { path, value }: ValueChange): string | undefined {
  const node = parseDocument(text).getIn(path, true);
  if (!isScalar(node) || node.range === null || node.range === undefined) return undefined;
  const [from, to] = node.range;
  const put = (written: string): string => text.slice(0, from) + written + text.slice(to);
  // Unquoted as it was, if it means the same without quotes. A JSON text is a YAML text.
  const plain = put(value);
  const isSame = node.type === Scalar.PLAIN && parseDocument(plain).getIn(path) === value;
  return isSame ? plain : put(JSON.stringify(value));
}
