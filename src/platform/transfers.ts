/** The `Transfers` port for Node. Everything behind it, the FTP library included, is loaded by the first transfer. */
import type { Transfers } from '../ports.ts';

export const nodeTransfers: Transfers = {
  download: async (url, options) => (await import('./transfers/download.ts')).download(url, options),
  upload: async (url, options) => (await import('./transfers/upload.ts')).upload(url, options),
};
