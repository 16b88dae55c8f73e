/** GetLog (security whitepaper N01): the diagnostics or the security log; a new request takes the place of the one under way. */
import { GetLog } from '../../ocpp/messages/security/get-log.ts';
import type { UploadLogStatus } from '../../ocpp/messages/types/firmware-status.ts';
import type { Handler } from '../../ocpp/operation.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Archive, TimeRange } from '../../ports.ts';
import type { Context, SecurityLogEntry } from '../feature.ts';
import { contentOf } from './documents.ts';
import { fileNameOf, isEmpty, rangeOf } from './file-name.ts';
import { triesOf, type UploadDesk, type UploadEnd } from './upload-desk.ts';

export interface LogReport {
  readonly status: UploadLogStatus;
  /** N01.FR.07. */
  readonly requestId?: number;
}

/** N01.FR.10: as precise as possible. */
const STATUSES: { readonly [end in UploadEnd]?: UploadLogStatus } = {
  uploaded: 'Uploaded',
  refused: 'PermissionDenied',
  badUrl: 'BadMessage',
  unsupported: 'NotSupportedOperation',
};

export const logEnd = ({ requestId }: LogReport, end: UploadEnd): LogReport => ({
  status: STATUSES[end] ?? 'UploadFailure',
  ...(requestId === undefined ? {} : { requestId }),
});

/** The upload that makes room (N01.FR.11) says nothing more: the whitepaper has no status for it (edition 4's AcceptedCanceled is in no schema). */
export const getLog = (context: Context, desk: UploadDesk<LogReport>): Handler =>
  GetLog.answeredBy(async ({ log, logType, requestId, retries, retryInterval }, { inAnyCase }) => {
    const range = rangeOf(log.oldestTimestamp, log.latestTimestamp);
    if (isEmpty(range)) return { status: 'Rejected' };
    const isSecurity = logType === 'SecurityLog';
    const fileName = fileNameOf(context, {
      ...(isSecurity ? { kind: 'security' } : {}),
      requestId,
      ending: isSecurity ? 'jsonl' : 'tar.gz',
    });
    const canceled = desk.cancel();
    const follow = await desk.accept({
      url: log.remoteLocation,
      fileName,
      ...triesOf(retries, retryInterval),
      report: { status: 'Uploading', requestId },
      make: () => (isSecurity ? securityLog(context, range) : diagnosticsLog(context, fileName, range)),
    });
    inAnyCase(follow);
    return { status: canceled ? 'AcceptedCanceled' : 'Accepted', filename: fileName };
  });

async function diagnosticsLog(context: Context, fileName: string, range: TimeRange): Promise<Archive> {
  return context.archives.diagnostics({ fileName, range, ...(await contentOf(context)) });
}

async function securityLog({ archives, securityEvents }: Context, { from, to }: TimeRange): Promise<Archive> {
  return archives.text(linesOf(await securityEvents.entries(from, to)));
}

function* linesOf(entries: readonly SecurityLogEntry[]): Generator<string> {
  for (const { wall, type, techInfo } of entries)
    yield JSON.stringify({ timestamp: formatTimestamp(wall), type, ...(techInfo === undefined ? {} : { techInfo }) });
}
