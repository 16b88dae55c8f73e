/** What a technician's tool has to know of an agent that may be running: is there one, is it connected, does somebody charge? */
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { isListening } from '../platform/socket-file.ts';
import { listOf, recordOf } from './format.ts';

export interface AgentStanding {
  /** Its link to the central system is open. */
  readonly connected: boolean;
  /** Registration, as the central system has answered. */
  readonly boot?: string;
  /** Connectors with a transaction. */
  readonly busy: readonly number[];
  /** It is there, but does not say how it is: no permission, or an older one. */
  readonly silent?: string;
  /** We may not ask on that socket: nobody knows whether an agent is behind it. */
  readonly forbidden?: true;
}

/** Undefined if no agent runs there. Never rejects with what the agent does. */
export async function standingOf(socket: string): Promise<AgentStanding | undefined> {
  try {
    const { connected, boot, connectors } = recordOf(await callAgent(socket, { path: '/status' })) as {
      readonly [name in 'connected' | 'boot' | 'connectors']?: unknown;
    };
    const busy = listOf(connectors)
      .map(recordOf)
      .filter(({ transaction }) => transaction !== 'none');
    return {
      connected: connected === true,
      ...(typeof boot === 'string' ? { boot } : {}),
      busy: busy.map(({ id }) => Number(id)),
    };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    if (error.code === 'noAgent' && !(await isListening(socket))) return undefined;
    // Whoever is there may be connected.
    const silent = { connected: true, busy: [], silent: error.message };
    return error.code === 'noPermission' ? { ...silent, forbidden: true } : silent;
  }
}
