/** The agent in one line, for `systemctl status`. */
import type { AgentView } from '../agent.ts';

/** `1 Charging, 2 Available; online, Accepted, 0 queued`. */
export function statusLine({ connectors, connected, boot, queue }: AgentView): string {
  const states = connectors.map(({ id, status }) => `${id} ${status}`).join(', ');
  return `${states}; ${connected ? 'online' : 'offline'}, ${boot ?? 'not booted'}, ${queue} queued`;
}
