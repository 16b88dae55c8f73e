/** Files for the operator: GetDiagnostics (OCPP 1.6 sections 4.4 and 5.9) and, whatever profiles are on, GetLog (security whitepaper N01). */
import { DiagnosticsStatusNotification } from '../../ocpp/messages/firmware-management/diagnostics-status-notification.ts';
import { LogStatusNotification } from '../../ocpp/messages/security/log-status-notification.ts';
import type { KeyRange } from '../../ports.ts';
import type { Feature, Room } from '../feature.ts';
import { onRequest } from '../on-request.ts';
import * as keys from './diagnostics.keys.ts';
import { diagnosticsEnd, getDiagnostics } from './get-diagnostics.ts';
import { getLog, type LogReport, logEnd } from './get-log.ts';
import { UploadDesk } from './upload-desk.ts';

const DIAGNOSTICS: KeyRange = { from: 'diagnostics/upload/', to: 'diagnostics/upload0' };
const LOGS: KeyRange = { from: 'diagnostics/log/', to: 'diagnostics/log0' };

export const diagnostics: Feature = {
  name: 'diagnostics',
  profile: 'FirmwareManagement',
  keys: Object.values(keys),
  ofCentralSystem: [DIAGNOSTICS],
  start: (context): Room => {
    const desk = new UploadDesk<{ readonly status: 'Uploading' | 'Uploaded' | 'UploadFailed' | 'Idle' }>({
      context,
      notes: DIAGNOSTICS,
      send: (report) => context.call(DiagnosticsStatusNotification, report),
      endOf: diagnosticsEnd,
    });
    return {
      handlers: [getDiagnostics(context, desk)],
      triggers: {
        DiagnosticsStatusNotification: () => () =>
          onRequest(context, DiagnosticsStatusNotification, desk.current?.report ?? { status: 'Idle' }),
      },
      stop: () => desk.stop(),
    };
  },
};

export const logs: Feature = {
  name: 'diagnostics',
  profile: 'Security',
  keys: [],
  ofCentralSystem: [LOGS],
  start: (context): Room => {
    const desk = new UploadDesk<LogReport>({
      context,
      notes: LOGS,
      send: (report) => context.call(LogStatusNotification, report),
      endOf: logEnd,
    });
    return {
      handlers: [getLog(context, desk)],
      // N01.FR.12: without a requestId only when there is no upload.
      extendedTriggers: {
        LogStatusNotification: () => () =>
          onRequest(context, LogStatusNotification, desk.current?.report ?? { status: 'Idle' }),
      },
      stop: () => desk.stop(),
    };
  },
};
