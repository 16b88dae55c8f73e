/** UpdateFirmware (OCPP 1.6 section 5.19): an image that nobody has signed, where that is allowed (L01.FR.20). */
import { CallError } from '../../errors.ts';
import { UpdateFirmware } from '../../ocpp/messages/firmware-management/update-firmware.ts';
import type { Handler } from '../../ocpp/operation.ts';
import type { Context } from '../feature.ts';
import { tries, wallOf } from './order.ts';

/** On a real board the file has to say so; the mock one has nothing to lose. */
const allowsUnsigned = ({ board, firmware }: Context['config']): boolean => firmware?.allowUnsigned ?? board === 'mock';

export const updateFirmware = ({ config, firmware, installer }: Context): Handler =>
  UpdateFirmware.answeredBy(async ({ location, retrieveDate, retries, retryInterval }, { inAnyCase }) => {
    if (!allowsUnsigned(config) || !installer.available)
      throw new CallError('NotSupported', 'only signed firmware is installed');
    const retrieveAt = wallOf(retrieveDate);
    const answer = await firmware.order({ location, retrieveAt, ...tries(retries, retryInterval) });
    if (answer === 'Rejected') throw new CallError('GenericError', 'no update can be taken now');
    inAnyCase(() => firmware.begin());
    return {};
  });
