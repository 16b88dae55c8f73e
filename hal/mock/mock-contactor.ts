/** A contactor with a coil, a mirror contact and two ways to be broken. */
import type { Contactor, ContactorCommand, ContactorState, Unsubscribe } from '../contract.ts';
import { onlookers } from '../onlookers.ts';

/** `welded`: the mirror contact says closed whatever is commanded. `stuck`: it does not close. */
export type ContactorJam = 'welded' | 'stuck' | undefined;

export class MockContactor implements Contactor {
  readonly #listeners = new Set<(feedback: ContactorState) => void>();
  readonly #commands = onlookers<ContactorCommand>();
  readonly #history: ContactorState[] = [];
  #coil: ContactorState = 'open';
  #jam: ContactorJam;
  #told: ContactorState = 'open';

  /** Each change of the coil, oldest first; begins with the state at power-up. */
  get history(): readonly ContactorState[] {
    return this.#history;
  }

  get feedback(): ContactorState {
    if (this.#jam === 'welded') return 'closed';
    return this.#jam === 'stuck' ? 'open' : this.#coil;
  }

  set jam(jam: ContactorJam) {
    this.#jam = jam;
    this.#tell();
  }

  close(): void {
    this.#command('closed');
  }

  open(): void {
    this.#command('open');
  }

  onFeedback(listener: (feedback: ContactorState) => void): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onCommand(look: (command: ContactorCommand) => void): Unsubscribe {
    return this.#commands.add(look);
  }

  #command(coil: ContactorState): void {
    this.#coil = coil;
    if (this.#history.at(-1) !== coil) this.#history.push(coil);
    this.#commands.tell(coil === 'open' ? 'open' : 'close');
    this.#tell();
  }

  #tell(): void {
    const feedback = this.feedback;
    if (feedback === this.#told) return;
    this.#told = feedback;
    for (const listener of [...this.#listeners]) listener(feedback);
  }
}
