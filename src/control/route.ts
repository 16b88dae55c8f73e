/** A route of the local control interface, as rooms declare it, and the error it answers with. */

export interface ControlRequest {
  readonly query: Readonly<Record<string, string>>;
  /** The JSON of the body; undefined if there is none. */
  readonly body: unknown;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** As in `/outbox/dead`; no parameters. */
  readonly path: string;
  /** What it returns becomes the JSON of the answer. Throws ControlError for 400 and 404. */
  handle(request: ControlRequest): unknown;
}

export type ControlErrorCode = 'badRequest' | 'notFound' | 'alreadyRunning' | 'noAgent' | 'noPermission' | 'failed';

export class ControlError extends Error {
  readonly code: ControlErrorCode;
  constructor(code: ControlErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ControlError';
    this.code = code;
  }
}

/** A whole number of the query within its bounds. Throws ControlError badRequest. */
export function countOf({ query }: ControlRequest, name: string, otherwise: number, most: number): number {
  const given = query[name];
  if (given === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(given) || Number(given) < 1 || Number(given) > most) {
    throw new ControlError(
      'badRequest',
      `${name} is ${JSON.stringify(given)}, expected a whole number from 1 to ${most}`,
    );
  }
  return Number(given);
}
