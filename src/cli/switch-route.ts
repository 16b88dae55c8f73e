/** `POST /central-system/switch`: the running agent switches the central system; it ends for that, and its supervisor starts it again. */
import type { Agent } from '../agent.ts';
import type { AgentConfig } from '../config.ts';
import type { Route } from '../control/route.ts';
import { ControlError } from '../errors.ts';
import type { Ports } from '../ports.ts';
import { carryOut, type NewAddress, planOf, refusalToWrite } from './central-system.ts';
import { recordOf } from './format.ts';
import type { Io } from './io.ts';

export interface SwitchSurroundings {
  readonly io: Io;
  readonly agent: Pick<Agent, 'view' | 'stop'>;
  readonly config: AgentConfig;
  readonly ports: Pick<Ports, 'store' | 'clock' | 'log' | 'system'>;
}

/** So long the answer may take to leave, before the socket is closed behind it. */
const ANSWERED_WITHIN_MS = 200;

export const switchRoute = ({ io, agent, config, ports }: SwitchSurroundings): Route => ({
  method: 'POST',
  path: '/central-system/switch',
  handle: async ({ body }) => {
    const plan = planOf(io, config, addressOf(body));
    if ('refusal' in plan) throw new ControlError('badRequest', plan.refusal.trim());
    const refusal = refusalToWrite(plan);
    if (refusal !== undefined) throw new ControlError('badRequest', refusal);
    const busy = agent.view().connectors.find(({ transaction }) => transaction !== 'none');
    if (busy !== undefined) throw new ControlError('badRequest', `connector ${busy.id} has a transaction`);
    // From here on the agent has ended, whatever comes of it: nobody else may write to the store now.
    await agent.stop('Other');
    try {
      return { done: await carryOut(ports.store, config, plan, ports) };
    } finally {
      ports.clock.afterReal(ANSWERED_WITHIN_MS, () => ports.system.exit('reset'));
    }
  },
});

function addressOf(body: unknown): NewAddress {
  const { url, identity } = recordOf(body) as { url?: unknown; identity?: unknown };
  if (typeof url !== 'string' || (identity !== undefined && typeof identity !== 'string'))
    throw new ControlError('badRequest', 'the body is not {"url": URL, "identity": IDENTITY}');
  return identity === undefined ? { url } : { url, identity };
}
