/** The serial port of a tool that goes to the bus itself: which one, may we, and does an agent own it? */
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { listOf, recordOf } from './format.ts';
import type { Io } from './io.ts';

/** Names that stay when adapters are plugged in another order. */
const BY_ID = '/dev/serial/by-id';
const ADAPTER = /^tty(USB|ACM)\d+$/;

const entries = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
};

/** USB adapters only: a UART on the header is named by whoever has wired it. */
export function adapters(): readonly string[] {
  const named = entries(BY_ID);
  return named.length > 0 ? named : entries('/dev').filter((path) => ADAPTER.test(path.slice('/dev/'.length)));
}

const real = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** The name under /dev/serial/by-id of this port, else the port as given. */
export const lastingName = (port: string): string => entries(BY_ID).find((path) => real(path) === real(port)) ?? port;

/** `given`, or the only adapter there is. The exit code after it has been said why not. */
export function portFor(io: Io, given: string | undefined): { readonly port: string } | ExitCode {
  const found = given === undefined ? adapters() : [given];
  const [port, ...more] = found;
  if (port === undefined) {
    io.err('No USB serial adapter is plugged in. Name the port: --port /dev/ttyAMA0\n');
    return EXIT.config;
  }
  if (more.length > 0) {
    io.err(`There are several adapters; name one with --port:\n${found.map((path) => `  ${path}\n`).join('')}`);
    return EXIT.config;
  }
  try {
    accessSync(port, constants.R_OK | constants.W_OK);
    return { port };
  } catch (cause) {
    const isAbsent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const present = adapters();
    const known = present.length === 0 ? 'no USB adapter is plugged in' : `there is ${present.join(', ')}`;
    io.err(
      isAbsent
        ? `There is no ${port}: ${known}.\n`
        : `No permission for ${port}: join the group of the port (sudo usermod -aG dialout $USER), or use sudo.\n`,
    );
    return EXIT.config;
  }
}

/** Undefined if the port is free of agents that we know; the exit code after the remedy has been printed. */
export async function refusalFor(io: Io, options: AgentOptions, port: string): Promise<ExitCode | undefined> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  try {
    const { ports } = recordOf(await callAgent(socket, { path: '/meters' })) as { ports?: unknown };
    if (!listOf(ports).some((owned) => real(String(owned)) === real(port))) return undefined;
  } catch (error) {
    // Nobody there, or somebody who does not tell: the lock of the port decides.
    if (error instanceof ControlError) return undefined;
    throw error;
  }
  io.err(
    `The running agent owns ${port}: two on one bus would destroy each other's frames.\n` +
      'Ask it: chargepoint meter read --connector 1\n' +
      'Or stop it first: sudo systemctl stop chargepoint\n',
  );
  return EXIT.config;
}

/** The port would not open although we may use it. */
export const busyText = (port: string, cause: unknown): string =>
  `${port} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.\n` +
  'If another program holds it (an agent?), stop that first: sudo systemctl stop chargepoint\n';
