/** Servers of a virtual world: what can be downloaded, and what was uploaded. */
import { TransferError, type TransferErrorCode } from '../../src/errors.ts';
import type { DownloadOptions, Transferred, Transfers, UploadOptions } from '../../src/ports.ts';

export class SimTransfers implements Transfers {
  /** By URL: the content, or how the transfer fails. */
  readonly served = new Map<string, Uint8Array | TransferErrorCode>();
  readonly downloads: { readonly url: string; readonly options: DownloadOptions }[] = [];
  readonly uploads: { readonly url: string; readonly options: UploadOptions }[] = [];
  /** Called with each file that was downloaded: where it lies is the test's to say. */
  onDownloaded: (file: string, content: Uint8Array) => void | Promise<void> = () => {};
  /** How uploads to this URL fail; others succeed. */
  readonly refused = new Map<string, TransferErrorCode>();
  /** Called with each upload under way; it takes as long as this does. */
  onUpload: (url: string, options: UploadOptions) => void | Promise<void> = () => {};

  async download(url: string, options: DownloadOptions): Promise<Transferred> {
    this.downloads.push({ url, options });
    const content = this.served.get(url) ?? 'unreachable';
    if (content === 'truncated') options.onProgress?.({ bytes: 1 });
    if (typeof content === 'string') throw new TransferError(content, `a virtual download failed: ${content}`);
    await this.onDownloaded(options.toFile, content);
    return { bytes: content.length };
  }

  async upload(url: string, options: UploadOptions): Promise<Transferred> {
    this.uploads.push({ url, options });
    await this.onUpload(url, options);
    const failure = this.refused.get(url);
    if (failure !== undefined) throw new TransferError(failure, `a virtual upload failed: ${failure}`);
    return { bytes: 1 };
  }
}
