/** `chargepoint central-system switch`: the charge point leaves one central system for another and takes nothing along. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Address,
  type CentralSystemSwitch,
  type SwitchPorts,
  switchCentralSystem,
} from '../central-system-switch.ts';
import { withValues } from '../config/edit.ts';
import { problemText } from '../config/examine.ts';
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { dateText } from '../features/configuration/precedence.ts';
import { spoken } from '../ocpp/connection-url.ts';
import { nodeFiles, replaceFile } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { Clock, Log, Store } from '../ports.ts';
import type { AgentOptions } from './agent-socket.ts';
import { loadFor, loadText } from './configuration.ts';
import { json, recordOf, textOf } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { changeStored, storeTrouble } from './stored.ts';

export interface NewAddress {
  readonly url: string;
  readonly identity?: string;
}

export interface SwitchOptions extends AgentOptions, NewAddress {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Exit code 0; 70 if nothing could be switched now, 78 for the configuration, the new address, or without --yes. */
export async function switchTo(io: Io, options: SwitchOptions): Promise<ExitCode> {
  const loaded = loadFor(io, options.config ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  const { config } = loaded;
  const plan = planOf(io, config, options);
  if ('refusal' in plan) {
    io.err(plan.refusal);
    return EXIT.config;
  }
  const asJson = options.json === true;
  const tell = (answer: object): void => {
    if (asJson) io.out(json({ ...spokenChange(plan.change), ...answer }));
  };
  if (!asJson) io.out(explanation(plan.change));
  if (options.yes !== true) {
    tell({ switched: false });
    io.err('Nothing was done: add --yes to do it.\n');
    return EXIT.config;
  }
  const socket = options.socket ?? config.control.socket;
  try {
    const answer = socket === undefined ? undefined : await askAgent(socket, options);
    const done = answer ?? (await switchStored(io, config, plan));
    tell({ switched: true, byAgent: answer !== undefined, done });
    if (!asJson)
      io.out(
        `${done}\n${answer === undefined ? '' : 'The agent ends now; its next start dials the new central system.\n'}`,
      );
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof ControlError) && !isOfSystem(error)) return storeTrouble(io, error);
    io.err(`Nothing was switched: ${error.message}.\n`);
    return EXIT.internal;
  }
}

/** A file that could not be written. */
const isOfSystem = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;

async function switchStored(io: Io, config: AgentConfig, plan: SwitchPlan): Promise<string> {
  const refusal = refusalToWrite(plan);
  if (refusal !== undefined) throw new ControlError('failed', refusal);
  return changeStored(io, config, (store, tools) => carryOut(store, config, plan, tools));
}

/** Undefined if no agent runs. */
async function askAgent(socket: string, { url, identity }: NewAddress): Promise<string | undefined> {
  try {
    const body = { url, ...(identity === undefined ? {} : { identity }) };
    const answer = await callAgent(socket, { method: 'POST', path: '/central-system/switch', body });
    return textOf(recordOf(answer)['done']);
  } catch (error) {
    if (error instanceof ControlError && error.code === 'noAgent') return undefined;
    throw error;
  }
}

/** No password of a URL is printed. */
const spokenChange = ({ from, to }: CentralSystemSwitch) => ({
  from: { ...from, url: spoken(from.url) },
  to: { ...to, url: spoken(to.url) },
});

const explanation = ({ from, to }: CentralSystemSwitch): string =>
  `${from.identity} at ${spoken(from.url)} becomes ${to.identity} at ${spoken(to.url)}.\n` +
  `Messages that the old central system has not confirmed go to a file and are never sent. What it has set is forgotten:\n` +
  `configuration keys, local list, authorization cache, charging profiles, reservations.\n`;

export interface SwitchPlan {
  readonly change: CentralSystemSwitch;
  /** The configuration file, links resolved, and what will stand in it. */
  readonly file: string;
  readonly text: string;
}

/** The file as it will be, already examined; or every reason why not, ready to print. */
export function planOf(
  io: Io,
  config: AgentConfig,
  { url, identity }: NewAddress,
): SwitchPlan | { readonly refusal: string } {
  const from: Address = { url: config.centralSystem.url, identity: config.chargePoint.identity };
  const to: Address = { url, identity: identity ?? from.identity };
  if (to.url === from.url && to.identity === from.identity)
    return { refusal: `The configuration names ${to.identity} at ${spoken(to.url)} already.\n` };
  const file = realpathSync(config.file);
  const text = withValues(nodeFiles.read(file), [
    { path: ['centralSystem', 'url'], value: to.url },
    { path: ['chargePoint', 'identity'], value: to.identity },
  ]);
  if (text === undefined) return { refusal: `${file}: url and identity are not written out there: edit it by hand.\n` };
  const examined = loadText(io, config.file, text);
  if ('errors' in examined)
    return { refusal: examined.errors.map((error) => `error ${problemText(error)}\n`).join('') };
  return { change: { from, to }, file, text };
}

/** Asked by whoever is about to write: the agent of the service may not be allowed to. */
export const refusalToWrite = ({ file }: SwitchPlan): string | undefined =>
  nodeFiles.writableDirectory(dirname(file))
    ? undefined
    : `${dirname(file)} may not be written by the user that this runs as: stop the agent and do it as root`;

interface Tools {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Says what was done. Rejects with StoreError, with the system's error for a file, or with ControlError `failed` if a transaction has no
 * stop yet: then nothing has been switched.
 */
export async function carryOut(
  store: Store,
  { stateDir }: AgentConfig,
  { change, file, text }: SwitchPlan,
  { clock, log }: Tools,
): Promise<string> {
  const exportedAt = dateText(clock.wall(clock.now()));
  const name = `${exportedAt.replaceAll(':', '-')}-${encodeURIComponent(change.from.identity)}.json`;
  const path = join(stateDir, 'exports', name);
  let count = 0;
  const ports: SwitchPorts = {
    store,
    log,
    keep: async (outbox) => {
      count = outbox.facts.length + outbox.deadLetters.length;
      // Who charged when is nobody else's business.
      replaceFile(path, `${JSON.stringify({ exportedAt, ...change, ...outbox }, undefined, 2)}\n`, 0o600);
    },
    rename: async () => replaceFile(file, text, nodeFiles.mode(file)),
  };
  const result = await switchCentralSystem(ports, change);
  if (result === 'open') {
    throw new ControlError(
      'failed',
      'a transaction has no stop yet: let the agent run until it is over, then try again',
    );
  }
  const later = result === 'later' ? ' The next start clears what the old central system has left.' : '';
  return `Switched. ${count} unconfirmed messages are in ${path}.${later}`;
}
