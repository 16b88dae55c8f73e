/** Where things live in the state directory; a store that is moved aside stays beside the new one. */
import { join } from 'node:path';

export const storeDirectory = (stateDir: string): string => join(stateDir, 'store');

/** The last lines of the log, for diagnostics. */
export const logDirectory = (stateDir: string): string => join(stateDir, 'log');

/** Files on their way to a server; emptied at each start. */
export const uploadDirectory = (stateDir: string): string => join(stateDir, 'uploads');

/** Flight recordings. */
export const recordingDirectory = (stateDir: string): string => join(stateDir, 'recordings');

/** Private keys, readable for their owner only. */
export const keyDirectory = (stateDir: string): string => join(stateDir, 'keys');

/** The firmware image that is being downloaded or installed. */
export const firmwareDirectory = (stateDir: string): string => join(stateDir, 'firmware');

/** What the technician's tools have found, one file for each run. */
export const reportDirectory = (stateDir: string): string => join(stateDir, 'reports');
