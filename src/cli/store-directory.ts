/** Where in the state directory the store lives; what is moved aside stays beside it. */
import { join } from 'node:path';

export const storeDirectory = (stateDir: string): string => join(stateDir, 'store');
