/** What the last process left on: it may have died with a contactor closed, and a new one does not know the board before its configuration. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { applySafeOutputsFile, RUN_DIRECTORY } from './safe-outputs.ts';
import { isListening } from './socket-file.ts';

/**
 * Drives the outputs of which the last process left word in `runDirectory`. Nothing is touched beside a running agent, nor for a mock board.
 * The configuration need not be right: it is only looked at as a text. Never rejects; resolves to what went wrong, one sentence each.
 */
export async function switchOffLeftovers(
  config: string,
  { runDirectory = RUN_DIRECTORY, sysfs = '/sys' } = {},
): Promise<readonly string[]> {
  const left = join(runDirectory, 'safe-outputs');
  if (!existsSync(left)) return [];
  const text = textOf(config);
  if (NAMES_MOCK_BOARD.test(text)) return [];
  const sockets = [...text.matchAll(NAMES_SOCKET)].map(([, path = '']) => resolve(dirname(config), path));
  for (const socket of [join(runDirectory, 'control.sock'), ...sockets]) if (await isListening(socket)) return [];
  return applySafeOutputsFile(left, sysfs);
}

/** A bench must not open the contactors of an agent beside it. */
const NAMES_MOCK_BOARD = /(?:^|[{,])\s*"?board"?\s*:\s*["']?mock\b/m;
/** `control.socket`, wherever it stands. */
const NAMES_SOCKET = /(?:^|[{,])\s*"?socket"?\s*:\s*["']?([^"',}\s]+)/gm;

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
