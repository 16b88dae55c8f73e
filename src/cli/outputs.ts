/** The outputs of a real board on their safe levels, for whoever opens it or ends with it. Nothing of the mock board. */
import type { BoardDescription } from '../../hal/board-description.ts';
import type { AgentConfig } from '../config.ts';
import { nodeFiles } from '../platform/files.ts';
import {
  applySafeOutputs,
  safeOutputs,
  safeOutputsPath,
  sayNotYetSafe,
  writeSafeOutputs,
} from '../platform/safe-outputs.ts';
import type { Io } from './io.ts';

/** Before the board is opened: through sysfs, and written down for `contactor-open`. */
export function makeOutputsSafe(io: Io, { board, stateDir }: AgentConfig): void {
  if (board === 'mock') return;
  sayNotYetSafe(applySafeOutputs(safeOutputs(board), board.sysfsRoot), io.err);
  const failure = notWritten(safeOutputsPath(stateDir, nodeFiles), board);
  if (failure !== undefined) io.err(`${failure}\n`);
}

/** Where no board is opened after it. */
export function driveOutputsSafe(io: Io, { board }: AgentConfig): void {
  if (board !== 'mock') reportOutputs(io, applySafeOutputs(safeOutputs(board), board.sysfsRoot));
}

export function reportOutputs(io: Io, failures: readonly string[]): void {
  for (const failure of failures) io.err(`output not made safe: ${failure}\n`);
}

/** Writes the file of the safe outputs; returns why it could not. */
export function notWritten(path: string, board: BoardDescription): string | undefined {
  try {
    writeSafeOutputs(path, board);
    return undefined;
  } catch (cause) {
    return `safe outputs not written to ${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}
