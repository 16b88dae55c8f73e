/** What a trigger asks for (OCPP 1.6 sections 4.2 and 5.17). */
import type * as v from 'valibot';
import type { Operation } from '../ocpp/operation.ts';
import type { Context } from './feature.ts';

/** Goes at once, also while registration is Pending, and is not tried again. */
export function onRequest<Req extends v.GenericSchema, Conf extends v.GenericSchema>(
  { call, log }: Context,
  operation: Operation<Req, Conf>,
  request: v.InferInput<Req>,
): void {
  call(operation, request).catch((cause: unknown) =>
    log.warn(`a ${operation.action} that was asked for was not taken`, { cause }),
  );
}

/** Nothing else goes out before a BootNotification has come to something. */
export const mayBeAskedFor = ({ registration }: Context, action: string): boolean =>
  registration.status !== null || action === 'BootNotification';
