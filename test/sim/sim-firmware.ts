/** The firmware image of a virtual world: what was downloaded lies in memory, and stays there when the process ends. */
import { createHash } from 'node:crypto';
import { StoreError } from '../../src/errors.ts';
import type { FirmwareFile } from '../../src/ports.ts';
import type { SimTransfers } from './sim-transfers.ts';

const PLACE = '/virtual/state/firmware/image';

export class SimFirmwareFile implements FirmwareFile {
  /** By path. */
  readonly files = new Map<string, Uint8Array>();
  /** How the disk fails while set. */
  broken = false;

  constructor(transfers: SimTransfers) {
    const onDownloaded = transfers.onDownloaded;
    transfers.onDownloaded = async (file, content) => {
      if (file === PLACE) this.files.set(file, content);
      await onDownloaded(file, content);
    };
  }

  async place(): Promise<string> {
    if (this.broken) throw new StoreError('storeBroken', 'the virtual disk fails');
    return PLACE;
  }

  async exists(): Promise<boolean> {
    return this.files.has(PLACE);
  }

  async *read(): AsyncGenerator<Uint8Array> {
    const content = this.files.get(PLACE);
    if (content === undefined) throw new StoreError('storeBroken', 'there is no image');
    yield content;
  }

  async remove(what: 'image' | 'all'): Promise<void> {
    if (this.broken) throw new StoreError('storeBroken', 'the virtual disk fails');
    if (what === 'all') this.files.clear();
    else this.files.delete(PLACE);
  }

  async digest(): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of this.read()) hash.update(chunk);
    return hash.digest('hex');
  }
}
