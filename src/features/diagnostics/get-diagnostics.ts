/** GetDiagnostics (OCPP 1.6 section 5.9). It has no id, so that one upload runs at a time and goes on to its end. */
import { GetDiagnostics } from '../../ocpp/messages/firmware-management/get-diagnostics.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';
import { contentOf } from './documents.ts';
import { fileNameOf, isEmpty, rangeOf } from './file-name.ts';
import { triesOf, type UploadDesk, type UploadEnd } from './upload-desk.ts';

export interface DiagnosticsReport {
  readonly status: 'Uploading' | 'Uploaded' | 'UploadFailed' | 'Idle';
}

export const diagnosticsEnd = (_: DiagnosticsReport, end: UploadEnd): DiagnosticsReport => ({
  status: end === 'uploaded' ? 'Uploaded' : 'UploadFailed',
});

/**
 * The same request again is answered with the file that is on its way. Another one gets no fileName, as if there were nothing to be had: its
 * location will not see a file, and its statuses could not be told from those of the first.
 */
export const getDiagnostics = (context: Context, desk: UploadDesk<DiagnosticsReport>): Handler =>
  GetDiagnostics.answeredBy(async ({ location, retries, retryInterval, startTime, stopTime }, { inAnyCase }) => {
    const range = rangeOf(startTime, stopTime);
    const { current } = desk;
    if (current !== undefined) return current.url === location ? { fileName: current.fileName } : {};
    if (isEmpty(range)) return {};
    const fileName = fileNameOf(context, { ending: 'tar.gz' });
    const follow = await desk.accept({
      url: location,
      fileName,
      ...triesOf(retries, retryInterval),
      report: { status: 'Uploading' },
      make: async () => context.archives.diagnostics({ fileName, range, ...(await contentOf(context)) }),
    });
    inAnyCase(follow);
    return { fileName };
  });
