/** What went wrong with a transfer, in our codes: from HTTP statuses, FTP replies and the system's errors. */
import { TransferError, type TransferErrorCode } from '../../errors.ts';
import { TLS_CODES, TLS_HINTS } from '../trusted-authorities.ts';
import { type Location, scrubbed } from './location.ts';

const SYSTEM_CODES: { readonly [code: string]: TransferErrorCode } = {
  ECONNREFUSED: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
  EPROTO: 'tls',
  ENOSPC: 'diskFull',
  EDQUOT: 'diskFull',
  EFBIG: 'tooLarge',
};

/** In the middle of a file; 500 is the last word of a vsftpd that is killed. */
const LOST_REPLIES: readonly number[] = [421, 426, 451, 500];

/** The FTP library tells the end of a connection without a code. */
const LOST = /^(|ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/;
const BROKEN_RECORD = /^(EPROTO$|ERR_SSL_)/;

const HTTP_STATUSES: { readonly [status: number]: TransferErrorCode } = {
  401: 'refused',
  403: 'refused',
  404: 'notFound',
  405: 'unsupported',
  407: 'refused',
  408: 'timeout',
  410: 'notFound',
  413: 'tooLarge',
  501: 'unsupported',
};

/** RFC 959 and 4217. What 550 means depends on what was asked, so it is not here. */
const FTP_REPLIES: { readonly [reply: number]: TransferErrorCode } = {
  421: 'unreachable',
  425: 'unreachable',
  430: 'refused',
  500: 'unsupported',
  502: 'unsupported',
  504: 'unsupported',
  521: 'tls',
  522: 'tls',
  530: 'refused',
  532: 'refused',
  533: 'tls',
  534: 'tls',
  536: 'tls',
  552: 'tooLarge',
  553: 'refused',
};

/** How far a transfer had come: once bytes flow, a lost connection means a file that is not whole. */
export type Stage = 'opening' | 'flowing';

export const httpTrouble = ({ shown }: Location, status: number): TransferError =>
  new TransferError(HTTP_STATUSES[status] ?? 'failed', `${shown}: HTTP ${status}`, status);

/** Any error as a TransferError. `unavailable` is what FTP's 550 means here. */
export function transferError(
  error: unknown,
  location: Location,
  stage: Stage,
  unavailable: TransferErrorCode = 'failed',
): TransferError {
  if (error instanceof TransferError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const text = scrubbed(typeof message === 'string' ? message : String(error), location);
  if (typeof code === 'number') return ftpTrouble(code, text, location, stage, unavailable);
  const name = typeof code === 'string' ? code : '';
  const hint = TLS_HINTS[name] ?? text;
  const why = name === '' || hint.startsWith(name) ? hint : `${name}: ${hint}`;
  return new TransferError(systemTrouble(name, stage), `${location.shown}: ${why}`, undefined, cause(error, location));
}

function ftpTrouble(
  reply: number,
  text: string,
  { shown }: Location,
  stage: Stage,
  unavailable: TransferErrorCode,
): TransferError {
  const lost = stage === 'flowing' && LOST_REPLIES.includes(reply);
  const code = lost ? 'truncated' : reply === 550 ? unavailable : (FTP_REPLIES[reply] ?? 'failed');
  return new TransferError(code, `${shown}: FTP ${text}`, reply);
}

function systemTrouble(name: string, stage: Stage): TransferErrorCode {
  // Who the server is has been settled by then: a broken record is a broken connection.
  if (stage === 'flowing' && (LOST.test(name) || BROKEN_RECORD.test(name))) return 'truncated';
  return SYSTEM_CODES[name] ?? (TLS_CODES.test(name) ? 'tls' : 'failed');
}

/** The cause ends up in logs too: one that tells a secret is dropped. */
function cause(error: unknown, location: Location): { cause?: unknown } {
  const told = error instanceof Error ? `${error.message} ${error.stack}` : '';
  return told === scrubbed(told, location) ? { cause: error } : {};
}
