/** What LevelDB's and the file system's errors mean for the Store port. */
import { StoreError, type StoreErrorCode } from '../errors.ts';

interface Meaning {
  readonly code: StoreErrorCode;
  readonly text: string;
}

const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['LEVEL_LOCKED', { code: 'storeLocked', text: 'another agent is running on this stateDir' }],
  ['LEVEL_CORRUPTION', { code: 'storeBroken', text: 'the store is damaged' }],
  ['LEVEL_DATABASE_NOT_OPEN', { code: 'storeBroken', text: 'the store could not be reopened' }],
  ['ENOSPC', { code: 'storeFull', text: 'the disk is full' }],
  ['EDQUOT', { code: 'storeFull', text: 'the disk quota is used up' }],
  ['EROFS', { code: 'storeBroken', text: 'the file system is read-only' }],
  ['EACCES', { code: 'storeBroken', text: 'no permission to use the store' }],
]);

/** LevelDB passes the system's error on as text only (`IO error: <file>: <strerror>`). */
const systemTexts: readonly (readonly [text: string, code: string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Read-only file system', 'EROFS'],
  ['Permission denied', 'EACCES'],
];

/** The code of the deepest cause that has a meaning here; LevelDB's wrappers only say that opening failed. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const inner = errorCode(error.cause);
  if (inner !== undefined) return inner;
  const told = systemTexts.find(([text]) => error.message.includes(text))?.[1];
  const code = told ?? (error as NodeJS.ErrnoException).code;
  return code !== undefined && meanings.has(code) ? code : undefined;
}

export const isCorruption = (error: unknown): boolean => errorCode(error) === 'LEVEL_CORRUPTION';

export function storeError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const { code, text } = meanings.get(errorCode(cause) ?? '') ?? { code: 'storeBroken', text: 'the store fails' };
  return new StoreError(code, `${text}${cause instanceof Error ? ` (${cause.message})` : ''}`, { cause });
}
