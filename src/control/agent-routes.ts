/** What the control interface tells of a running agent. */
import type { Agent } from '../agent.ts';
import type { AgentConfig } from '../config.ts';
import { countOf, type Route } from './route.ts';

export interface RunningAgent {
  readonly agent: Pick<Agent, 'view' | 'centralSystem' | 'outbox'>;
  readonly config: AgentConfig;
  readonly version: string;
}

/** As `url` is told. */
const withoutQuery = (url: string): string => url.replace(/\?.*$/s, '?***');
const DEFAULT_LIMIT = 20;
const MOST = 1_000;

export const agentRoutes = ({ agent, config, version }: RunningAgent): readonly Route[] => [
  {
    method: 'GET',
    path: '/status',
    handle: () => ({
      version,
      config: config.file,
      identity: config.chargePoint.identity,
      fileUrl: withoutQuery(config.centralSystem.url),
      ...agent.centralSystem,
      ...agent.view(),
    }),
  },
  {
    method: 'GET',
    path: '/outbox',
    handle: async (request) => ({
      size: agent.outbox.size,
      pending: await agent.outbox.pending(countOf(request, 'limit', DEFAULT_LIMIT, MOST)),
    }),
  },
  {
    method: 'GET',
    path: '/outbox/dead',
    handle: async (request) => ({
      deadLetters: await agent.outbox.deadLetters(countOf(request, 'limit', DEFAULT_LIMIT, MOST)),
    }),
  },
];
