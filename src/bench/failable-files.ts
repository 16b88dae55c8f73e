/** The bench's broken storage, as far as it is files: what is made for an upload, recorded or downloaded finds a full disk. */
import { StoreError, TransferError } from '../errors.ts';
import type { Archive, Ports } from '../ports.ts';

export type FilePorts = Pick<Ports, 'archives' | 'recordings' | 'transfers' | 'firmwareFile'>;

export interface FailableFiles {
  readonly ports: FilePorts;
  /** While on, whatever writes a file rejects, also what is under way; reads and uploads of what is there go on. */
  fail(on: boolean): void;
}

const WHY = 'the bench makes every write fail';

export function failableFiles({ archives, recordings, transfers, firmwareFile }: FilePorts): FailableFiles {
  let failing = false;
  const underWay = new Set<AbortController>();
  const full = (): void => {
    if (failing) throw new StoreError('storeFull', WHY);
  };
  const made = async (make: () => Promise<Archive>): Promise<Archive> => {
    full();
    const archive = await make();
    if (failing) await archive.remove();
    full();
    return archive;
  };
  return {
    ports: {
      archives: {
        diagnostics: (request) => made(() => archives.diagnostics(request)),
        text: (lines) => made(() => archives.text(lines)),
      },
      recordings: {
        list: () => recordings.list(),
        read: (name) => recordings.read(name),
        save: async (title, content) => {
          full();
          return recordings.save(title, content);
        },
      },
      transfers: {
        download: async (url, options) => {
          const refuse = (cause?: unknown) => new TransferError('diskFull', WHY, undefined, { cause });
          if (failing) throw refuse();
          const broken = new AbortController();
          underWay.add(broken);
          const signals = [broken.signal, ...(options.signal === undefined ? [] : [options.signal])];
          try {
            return await transfers.download(url, { ...options, signal: AbortSignal.any(signals) });
          } catch (cause) {
            throw broken.signal.aborted ? refuse(cause) : cause;
          } finally {
            underWay.delete(broken);
          }
        },
        upload: (url, options) => transfers.upload(url, options),
      },
      firmwareFile: {
        exists: () => firmwareFile.exists(),
        read: () => firmwareFile.read(),
        digest: () => firmwareFile.digest(),
        place: async () => {
          full();
          return firmwareFile.place();
        },
        remove: async (what) => {
          full();
          await firmwareFile.remove(what);
        },
      },
    },
    fail: (on) => {
      failing = on;
      if (on) for (const broken of [...underWay]) broken.abort();
    },
  };
}
