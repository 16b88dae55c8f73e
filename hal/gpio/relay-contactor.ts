/** A contactor behind a relay output, seen through its mirror contact. */
import type { Contactor, ContactorCommand, ContactorState } from '../contract.ts';
import { onlookers } from '../onlookers.ts';
import type { InputLine, OutputLine } from './line.ts';

const stateOf = (on: boolean): ContactorState => (on ? 'closed' : 'open');

/** Feedback is the mirror contact alone; what the coil was told is the business of the interlock. */
export function relayContactor(coil: OutputLine, mirror: InputLine): Contactor {
  const commands = onlookers<ContactorCommand>();
  return {
    get feedback() {
      return stateOf(mirror.read());
    },
    close() {
      coil.write(true);
      commands.tell('close');
    },
    open() {
      coil.write(false);
      commands.tell('open');
    },
    onFeedback: (listener) => mirror.onChange((on) => listener(stateOf(on))),
    onCommand: (look) => commands.add(look),
  };
}
