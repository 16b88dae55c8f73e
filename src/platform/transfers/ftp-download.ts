/** A download over FTP, continued with REST where size and date of the file are still the same. */
import { FtpSession, pathOf } from './ftp.ts';
import type { Guard } from './guard.ts';
import type { Location } from './location.ts';
import type { PartialFile } from './partial-file.ts';
import { type Stage, transferError } from './trouble.ts';
import type { Trust } from './trust.ts';

export async function downloadOverFtp(
  location: Location,
  file: PartialFile,
  guard: Guard,
  trust: Trust,
  enter: (stage: Stage) => void,
): Promise<void> {
  const session = await FtpSession.open(location, guard, trust);
  try {
    await retrieve(session, location, file, guard, enter);
  } finally {
    session.close();
  }
}

async function retrieve(
  session: FtpSession,
  location: Location,
  file: PartialFile,
  guard: Guard,
  enter: (stage: Stage) => void,
): Promise<void> {
  const path = pathOf(location);
  const total = await session.size(path);
  const date = await session.modified(path);
  // A size alone proves too little.
  const validator = total === undefined ? undefined : date;
  const found = file.resumable;
  const same = found !== undefined && found.validator === validator && found.total === total;
  let stage: Stage = 'opening';
  const receive = async (at: number): Promise<boolean> => {
    await file.begin(at, { total, validator });
    const flow = async (chunks: AsyncIterable<Uint8Array>): Promise<boolean> => {
      stage = 'flowing';
      enter(stage);
      for await (const chunk of chunks) {
        guard.touch();
        await file.append(chunk);
      }
      return file.bytes === total;
    };
    return session.transfer(`RETR ${path}`, flow, at === 0 ? undefined : `REST ${at}`);
  };
  try {
    // A server without REST: from the beginning.
    if (!(await receive(same ? found.at : 0))) await receive(0);
  } catch (error) {
    // A file whose size we have been told is there: 550 means that it is not for us.
    throw transferError(error, location, stage, total === undefined ? 'notFound' : 'refused');
  }
}
