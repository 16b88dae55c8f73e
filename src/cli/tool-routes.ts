/** `GET /config` and `POST /log/flush`: what the process itself knows, for the technician's tools. */
import type { AgentConfig } from '../config.ts';
import type { Route } from '../control/route.ts';
import type { LogRing } from '../platform/log-ring.ts';
import { masked } from '../platform/mask.ts';

export interface ToolSurroundings {
  readonly config: AgentConfig;
  readonly kept: Pick<LogRing, 'flush'>;
}

export const toolRoutes = ({ config, kept }: ToolSurroundings): readonly Route[] => [
  // As it was read at the start, secrets masked.
  { method: 'GET', path: '/config', handle: () => ({ config: masked(config) }) },
  {
    method: 'POST',
    path: '/log/flush',
    handle: async () => {
      await kept.flush();
      return {};
    },
  },
];
