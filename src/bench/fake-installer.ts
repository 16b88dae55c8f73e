/** The installer of the bench: takes its time and succeeds or fails as the inputs say (bench.md, section 4). Its version is a number. */
import type { Clock, Installation, Installer, Store } from '../ports.ts';
import type { FirmwareInputs } from './inputs.ts';

export interface FakeInstallerOptions {
  readonly inputs: () => FirmwareInputs;
  readonly clock: Pick<Clock, 'after'>;
  /** Keeps which version runs. */
  readonly store: Pick<Store, 'get' | 'batch'>;
}

const KEY = 'bench/firmware';

export function fakeInstaller({ inputs, clock, store }: FakeInstallerOptions): Installer {
  const version = async (): Promise<number> => (await store.get<number>(KEY)) ?? 0;
  return {
    available: true,
    get keepsAvailable() {
      return inputs().keepAvailable;
    },
    install: async (): Promise<Installation> => {
      const { result, installMs, reboot } = inputs();
      await new Promise<void>((resolve) => void clock.after(installMs, resolve));
      if (result === 'installFail') return { ok: false, reason: 'the bench says so' };
      try {
        await store.batch([{ type: 'put', key: KEY, value: (await version()) + 1 }], 'durable');
      } catch {
        return { ok: false, reason: 'the store of the bench fails' };
      }
      return { ok: true, reboot };
    },
    running: () => version().then(String, () => undefined),
    onTrial: async () => false,
    restart: async () => {},
  };
}
