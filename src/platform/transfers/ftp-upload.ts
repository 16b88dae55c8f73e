/** An upload over FTP: into the directory that the URL names (OCPP 1.6, section 6.25), or under the name it gives. */
import { TransferError } from '../../errors.ts';
import { FtpSession, pathOf } from './ftp.ts';
import type { Guard } from './guard.ts';
import type { Location } from './location.ts';
import type { Source } from './source.ts';
import { type Stage, transferError } from './trouble.ts';
import type { Trust } from './trust.ts';

export async function uploadOverFtp(
  location: Location,
  source: Source,
  guard: Guard,
  trust: Trust,
  enter: (stage: Stage) => void,
): Promise<void> {
  const session = await FtpSession.open(location, guard, trust);
  let stage: Stage = 'opening';
  try {
    const path = await target(session, location, source.name);
    await session.transfer(`STOR ${path}`, async (socket) => {
      stage = 'flowing';
      enter(stage);
      await source.into(socket, guard);
      return false;
    });
    // A server that goes without the size is believed.
    const arrived = (await session.size(path)) ?? source.size;
    if (arrived !== source.size)
      throw new TransferError('truncated', `${location.shown}: the server has ${arrived} bytes of ${source.size}`);
  } catch (error) {
    throw transferError(error, location, stage, 'refused');
  } finally {
    session.close();
  }
}

/** Only the server knows whether a name without a slash at its end is a directory. */
async function target(session: FtpSession, location: Location, fileName: string): Promise<string> {
  const path = pathOf(location);
  const directory = path.replace(/(?<=.)\/+$/, '');
  if (path === '' || (await session.enter(directory))) return fileName;
  if (path.endsWith('/')) throw new TransferError('notFound', `${location.shown}: no such directory`);
  return path;
}
