/** A stretch of the wire log as short lines, so that a test can name every frame: nothing missing, nothing extra, in order. */
import type { Payload, WireEntry } from './network.ts';
import type { World } from './world.ts';

/** What of a request tells one story from another; everything else is asserted where it matters. */
const TELLING: { readonly [action: string]: readonly string[] } = {
  Authorize: ['idTag'],
  StatusNotification: ['connectorId', 'status'],
  StartTransaction: ['connectorId', 'idTag', 'reservationId'],
  StopTransaction: ['transactionId', 'idTag', 'reason'],
  RemoteStartTransaction: ['connectorId', 'idTag'],
  RemoteStopTransaction: ['transactionId'],
  ChangeConfiguration: ['key', 'value'],
  SendLocalList: ['updateType', 'listVersion'],
  FirmwareStatusNotification: ['status'],
  SignedFirmwareStatusNotification: ['status', 'requestId'],
  SecurityEventNotification: ['type'],
  DiagnosticsStatusNotification: ['status'],
  LogStatusNotification: ['status', 'requestId'],
};

/** A moment: what is logged after it counts, even within the same millisecond. */
export interface Moment {
  readonly t: number;
  readonly index: number;
}

export const now = (world: World): Moment => ({ t: world.clock.now(), index: world.wire.length });

/**
 * `>` goes to the central system, `<` comes from it, after the seconds since then. `= Accepted` is the answer, if it was the very
 * next frame and came at once; any other answer has a line of its own.
 */
export function frames(world: World, since: Moment): readonly string[] {
  const entries = world.wire.slice(since.index);
  const actions = new Map(world.wire.flatMap(({ frame }) => (frame[0] === 2 ? [[frame[1], String(frame[2])]] : [])));
  const lines: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const { frame, t, dir } = entry;
    const before = entries[index - 1];
    if (frame[0] === 2) lines.push(`${(t - since.t) / 1000} ${dir === 'tx' ? '>' : '<'} ${request(frame)}`);
    else if (before?.frame[0] === 2 && before.frame[1] === frame[1] && before.t === t)
      lines.push(`${lines.pop()}${answer(frame) === '' ? '' : ` = ${answer(frame)}`}`);
    else
      lines.push(`${(t - since.t) / 1000} ${dir === 'tx' ? '>' : '<'} ${actions.get(frame[1])}.conf ${answer(frame)}`);
  }
  return lines;
}

function request(frame: WireEntry['frame']): string {
  const action = String(frame[2]);
  const payload = frame[3] as Payload;
  const told = (TELLING[action] ?? []).flatMap((member) => payload[member] ?? []);
  const { errorCode = 'NoError' } = payload as { errorCode?: string };
  return [action, ...told, ...(errorCode === 'NoError' ? [] : [errorCode])].join(' ');
}

function answer(frame: WireEntry['frame']): string {
  if (frame[0] === 4) return `CALLERROR ${String(frame[2])}`;
  const { status, idTagInfo, listVersion } = frame[2] as Payload & { idTagInfo?: Payload };
  return [status, idTagInfo?.['status'], listVersion].filter((value) => value !== undefined).join(' ');
}
