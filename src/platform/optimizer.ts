/** When V8 may optimize. */
import { setFlagsFromString } from 'node:v8';

/**
 * Does what is done once, without V8's optimizing compiler: a function that is hot for this moment only (the parser of a file) would cost
 * 10 MB that never come back. Work that is not synchronous is not covered.
 */
export function unoptimized<T>(work: () => T): T {
  setFlagsFromString('--no-opt');
  try {
    return work();
  } finally {
    setFlagsFromString('--opt');
  }
}
