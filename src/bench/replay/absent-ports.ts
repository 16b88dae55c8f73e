/** What a replay has not: files, transfers, keys and an installer. What the agent asks of them fails, as on a charge point without. */
import { StoreError, TransferError } from '../../errors.ts';
import type { Ports } from '../../ports.ts';

type Absent = Pick<Ports, 'transfers' | 'archives' | 'recordings' | 'installer' | 'firmwareFile' | 'keyStore'>;

const ABSENT = 'a replay has no files';
const noFile = async (): Promise<never> => {
  throw new StoreError('storeClosed', ABSENT);
};
const noTransfer = async (): Promise<never> => {
  throw new TransferError('unreachable', 'a replay has no network');
};

export const absentPorts = (): Absent => ({
  transfers: { download: noTransfer, upload: noTransfer },
  archives: { diagnostics: noFile, text: noFile },
  recordings: { save: noFile, list: async () => [], read: async () => undefined },
  installer: {
    available: false,
    keepsAvailable: true,
    install: async () => ({ ok: false, reason: 'a replay installs nothing' }),
    running: async () => undefined,
    onTrial: async () => false,
    restart: async () => {},
  },
  firmwareFile: {
    place: noFile,
    exists: async () => false,
    read: () => ({ [Symbol.asyncIterator]: () => ({ next: noFile }) }),
    remove: async () => {},
    digest: noFile,
  },
  keyStore: {
    generate: noFile,
    list: async () => [],
    sign: async () => undefined,
    privateKey: async () => undefined,
    delete: async () => {},
  },
});
