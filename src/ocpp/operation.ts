/** An OCPP operation: its action, who may call it, and the shapes of request and confirmation. */
import type * as v from 'valibot';

export type Initiator = 'ChargePoint' | 'CentralSystem' | 'Both';

/** Lets a handler start its effect once the answer is on the wire ("the answer before the effect"); effects keep their order. */
export interface Answering {
  /**
   * For what the central system must have been told of: runs after the confirmation has been handed to the socket; not at all if the link
   * has gone or the answer became a CALLERROR. Whoever hears nothing asks again.
   */
  afterwards(effect: () => void): void;
  /**
   * For what is durable already, or has happened: runs once, after the answer, or as soon as there can be none any more. `wasAnswered`: the
   * confirmation has been handed to the socket; without it is the moment to take back what nobody was told of.
   */
  inAnyCase(effect: (wasAnswered: boolean) => void): void;
}

/** What the peer calls for one action; made by `Operation.answeredBy`. */
export interface Handler {
  readonly operation: AnyOperation;
  /** `request` has passed the strict shape. Throws CallError for a CALLERROR; anything else thrown is InternalError. */
  handle(request: unknown, answering: Answering): unknown;
}

export interface Shapes<Req extends v.GenericSchema, Conf extends v.GenericSchema> {
  readonly req: Req;
  readonly conf: Conf;
  /** By member of the request: what is answered to a value that its enumeration does not know; without it a CALLERROR. */
  readonly toUnknown?: Readonly<Record<string, v.InferInput<Conf>>>;
}

export interface Operation<Req extends v.GenericSchema, Conf extends v.GenericSchema> extends Shapes<Req, Conf> {
  readonly action: string;
  readonly initiator: Initiator;
  /** A method, so that a misspelt status does not compile. */
  answeredBy(
    handler: (request: v.InferOutput<Req>, answering: Answering) => v.InferInput<Conf> | Promise<v.InferInput<Conf>>,
  ): Handler;
}

export type AnyOperation = Operation<v.GenericSchema, v.GenericSchema>;
export type RequestOf<O> = O extends Operation<infer Req, v.GenericSchema> ? v.InferOutput<Req> : never;
export type ConfirmationOf<O> = O extends Operation<v.GenericSchema, infer Conf> ? v.InferOutput<Conf> : never;

export function operation<Req extends v.GenericSchema, Conf extends v.GenericSchema>(
  action: string,
  initiator: Initiator,
  shapes: Shapes<Req, Conf>,
): Operation<Req, Conf> {
  const self: Operation<Req, Conf> = {
    action,
    initiator,
    ...shapes,
    answeredBy: (handler) => ({
      operation: self as unknown as AnyOperation,
      handle: (request, answering) => handler(request as v.InferOutput<Req>, answering),
    }),
  };
  return self;
}
