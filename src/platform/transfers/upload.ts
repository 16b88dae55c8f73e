/** An upload by URL: one file by https, http, ftp or ftps. */
import type { Transferred, UploadOptions } from '../../ports.ts';
import { Guard } from './guard.ts';
import { parseLocation } from './location.ts';
import { Source } from './source.ts';
import { type Stage, transferError } from './trouble.ts';
import { Trust } from './trust.ts';

export async function upload(text: string, options: UploadOptions): Promise<Transferred> {
  const location = parseLocation(text);
  const guard = new Guard(location.shown, options);
  let stage: Stage = 'opening';
  const enter = (reached: Stage): void => {
    stage = reached;
  };
  try {
    const source = await Source.of(options);
    const trust = new Trust(options.certificateAuthorities);
    if (location.scheme === 'ftp' || location.scheme === 'ftps') {
      const { uploadOverFtp } = await import('./ftp-upload.ts');
      await uploadOverFtp(location, source, guard, trust, enter);
    } else {
      const { uploadOverHttp } = await import('./http-upload.ts');
      await uploadOverHttp(location, source, options.method, guard, trust, enter);
    }
    return { bytes: source.size };
  } catch (error) {
    throw guard.reason ?? transferError(error, location, stage);
  } finally {
    guard.stop();
  }
}
