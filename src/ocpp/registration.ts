/** Whether the central system has accepted us (OCPP 1.6 section 4.2). The boot room decides, everybody may look. */
import type { Unsubscribe } from '../ports.ts';
import type { RegistrationStatus } from './messages/core/boot-notification.ts';

export class Registration {
  #status: RegistrationStatus | null = null;
  readonly #listeners = new Set<(status: RegistrationStatus) => void>();

  /** Null until the first BootNotification.conf of this process. */
  get status(): RegistrationStatus | null {
    return this.#status;
  }

  get accepted(): boolean {
    return this.#status === 'Accepted';
  }

  set(status: RegistrationStatus): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const listener of [...this.#listeners]) listener(status);
  }

  /** Called when the status has become another one. */
  onChange(listener: (status: RegistrationStatus) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
