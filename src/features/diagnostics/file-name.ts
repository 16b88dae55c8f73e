/** What a file is called on the server, and which stretch of time it is about. */
import { formatTimestamp, parseTimestamp } from '../../ocpp/timestamp.ts';
import type { TimeRange } from '../../ports.ts';
import type { Context } from '../feature.ts';

const LONGEST_IDENTITY = 40;

interface NameParts {
  readonly kind?: string;
  readonly requestId?: number;
  readonly ending: string;
}

/** `cp001-20260105T080000Z.tar.gz`: nothing that a server could take for a path or an escape. */
export function fileNameOf({ config, clock }: Context, { kind, requestId, ending }: NameParts): string {
  const identity = config.chargePoint.identity.replace(/[^\w-]/g, '_').slice(0, LONGEST_IDENTITY);
  const seconds = formatTimestamp(clock.wall(clock.now())).replace(/\.\d+/, '').replace(/[-:]/g, '');
  return `${[identity, kind, seconds, requestId].filter((part) => part !== undefined).join('-')}.${ending}`;
}

export function rangeOf(oldest: string | undefined, latest: string | undefined): TimeRange {
  const from = oldest === undefined ? undefined : parseTimestamp(oldest);
  const to = latest === undefined ? undefined : parseTimestamp(latest);
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** It ends before it begins. */
export const isEmpty = ({ from, to }: TimeRange): boolean => from !== undefined && to !== undefined && from > to;
