/** The configuration keys of the availability room (OCPP 1.6 section 9.1). */
import { integer, key, seconds } from '../keys.ts';

export const minimumStatusDuration = key('MinimumStatusDuration', seconds(), { default: 0 });
export const numberOfConnectors = key('NumberOfConnectors', integer(0, 1000), { default: 1, access: 'R' });
