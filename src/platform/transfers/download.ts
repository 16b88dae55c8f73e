/** A download by URL: https, http, ftp and ftps into a file that is there when it is whole. */
import type { TransferError } from '../../errors.ts';
import type { DownloadOptions, Transferred } from '../../ports.ts';
import { Guard } from './guard.ts';
import { parseLocation } from './location.ts';
import { PartialFile } from './partial-file.ts';
import { type Stage, transferError } from './trouble.ts';
import { Trust } from './trust.ts';

export async function download(text: string, options: DownloadOptions): Promise<Transferred> {
  const location = parseLocation(text);
  const { scheme, shown, url } = location;
  const guard = new Guard(shown, options);
  let file: PartialFile | undefined;
  let stage: Stage = 'opening';
  try {
    file = await PartialFile.of(options, shown, `${url.protocol}//${url.host}${url.pathname}`);
    const trust = new Trust(options.certificateAuthorities);
    const overFtp = scheme === 'ftp' || scheme === 'ftps';
    const run = overFtp
      ? (await import('./ftp-download.ts')).downloadOverFtp
      : (await import('./http-download.ts')).downloadOverHttp;
    await run(location, file, guard, trust, (reached) => {
      stage = reached;
    });
    await file.finish();
    return { bytes: file.bytes };
  } catch (error) {
    const why: TransferError = guard.reason ?? transferError(error, location, stage);
    await file?.leave(why).catch(() => {});
    throw why;
  } finally {
    guard.stop();
  }
}
