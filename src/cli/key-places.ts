/** Where in the configuration file a key gets its value: `chargepoint.yaml:12`. */
import { basename } from 'node:path';
import { type ConfigDocument, type Path, parseConfig } from '../config/document.ts';
import { nodeFiles } from '../platform/files.ts';

/** Undefined for a key that the file does not name. */
export type KeyPlaces = (name: string) => string | undefined;

/** Keys that have a member of their own in the file. */
const MEMBERS: Readonly<Record<string, Path>> = {
  SecurityProfile: ['centralSystem', 'securityProfile'],
  CentralSystemUrl: ['centralSystem', 'url'],
};

/** A file that cannot be read has no lines. */
export function keyPlaces(file: string | undefined): KeyPlaces {
  const document = file === undefined ? undefined : documentOf(file);
  if (document === undefined) return () => undefined;
  return (name) => {
    const own = placeIn(document, ['keys', name]);
    if (own !== undefined) return own;
    if (name === 'AuthorizationKey') return placeIn(document, ['secretsFile']);
    const member = MEMBERS[name];
    return member && placeIn(document, member);
  };
}

/** Undefined for what is not there. */
function placeIn(document: ConfigDocument, path: Path): string | undefined {
  if (document.source(path) === undefined) return undefined;
  const { file, line } = document.problem(path, '');
  return `${basename(file)}:${line}`;
}

function documentOf(file: string): ConfigDocument | undefined {
  try {
    return parseConfig(file, nodeFiles.read(file));
  } catch {
    return undefined;
  }
}
