/** One error class per layer; `code` is what callers match on, never the text. */

export type StoreErrorCode = 'storeBroken' | 'storeFull' | 'storeClosed' | 'storeFormat' | 'storeLocked';

export class StoreError extends Error {
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}

/** The codes of OCPP-J 1.6 section 4.2.3; `OccurenceConstraintViolation` has one r on the wire. */
export type CallErrorCode =
  | 'NotImplemented'
  | 'NotSupported'
  | 'InternalError'
  | 'ProtocolError'
  | 'SecurityError'
  | 'FormationViolation'
  | 'PropertyConstraintViolation'
  | 'OccurenceConstraintViolation'
  | 'TypeConstraintViolation'
  | 'GenericError';

/** We answer a call with this CALLERROR. */
export class CallError extends Error {
  readonly code: CallErrorCode;
  readonly details: Record<string, unknown>;
  constructor(
    code: CallErrorCode,
    description: string,
    details: Record<string, unknown> = {},
    options?: { cause?: unknown },
  ) {
    super(description, options);
    this.name = 'CallError';
    this.code = code;
    this.details = details;
  }
}

/**
 * A call of ours came to nothing. `callError`: the peer answered CALLERROR (`remoteCode` is whatever string it sent);
 * `timeout`: no answer in time while the link stayed up; `disconnected`: the link went away, which says nothing about the
 * call; `badReply`: the answer does not fit the shape; `badRequest`: our own request does not, and nothing was sent.
 */
export type CallFailureCode = 'callError' | 'timeout' | 'disconnected' | 'badReply' | 'badRequest';

export class CallFailure extends Error {
  readonly code: CallFailureCode;
  readonly remoteCode: string | undefined;
  constructor(code: CallFailureCode, message: string, remoteCode?: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CallFailure';
    this.code = code;
    this.remoteCode = remoteCode;
  }
}

export type ControlErrorCode = 'badRequest' | 'notFound' | 'alreadyRunning' | 'noAgent' | 'noPermission' | 'failed';

/** The local control interface: what was asked makes no sense, or nobody is there to answer. */
export class ControlError extends Error {
  readonly code: ControlErrorCode;
  constructor(code: ControlErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ControlError';
    this.code = code;
  }
}

/**
 * A download or an upload came to nothing. `unreachable`: no connection (name, route, nobody listens); `timeout`: no connection, no progress
 * or no end in time; `refused`: the server does not let us (401, 403, FTP 530, 550 on what exists or is to be written); `notFound`;
 * `truncated`: not the whole file went over; `tls`: no connection that can be trusted; `diskFull`: ours; `tooLarge`: for us, or the server
 * says so (413); `badUrl`; `unsupported`: the protocol by us, or the operation by the server (405, 501); `aborted`: by the caller; `failed`:
 * anything else.
 */
export type TransferErrorCode =
  | 'unreachable'
  | 'timeout'
  | 'refused'
  | 'notFound'
  | 'truncated'
  | 'tls'
  | 'diskFull'
  | 'tooLarge'
  | 'badUrl'
  | 'unsupported'
  | 'aborted'
  | 'failed';

/** Neither its message nor its cause tells the user, the password or the query of a URL. */
export class TransferError extends Error {
  readonly code: TransferErrorCode;
  /** HTTP status or FTP reply, if the server gave one. */
  readonly status: number | undefined;
  constructor(code: TransferErrorCode, message: string, status?: number, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TransferError';
    this.code = code;
    this.status = status;
  }
}
