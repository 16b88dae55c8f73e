/** Whether the central system has accepted us (OCPP 1.6 section 4.2). The boot room decides, everybody may look. */
import type { Unsubscribe } from '../ports.ts';
import type { RegistrationStatus } from './messages/core/boot-notification.ts';

export class Registration {
  #status: RegistrationStatus | null = null;
  readonly #listeners = new Set<(status: RegistrationStatus | null) => void>();

  /** Null until the first BootNotification.conf of this process, and again once another address is dialled. */
  get status(): RegistrationStatus | null {
    return this.#status;
  }

  get accepted(): boolean {
    return this.#status === 'Accepted';
  }

  set(status: RegistrationStatus): void {
    if (status !== this.#status) this.#become(status);
  }

  /** Another address is dialled: whoever is there has not accepted us. */
  forget(): void {
    this.#become(null);
  }

  /** Called when the status has become another one, and with null whenever another address is dialled. */
  onChange(listener: (status: RegistrationStatus | null) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #become(status: RegistrationStatus | null): void {
    this.#status = status;
    for (const listener of [...this.#listeners]) listener(status);
  }
}
