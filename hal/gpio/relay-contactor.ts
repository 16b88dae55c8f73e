/** A contactor behind a relay output, seen through its mirror contact. */
import type { Contactor, ContactorState } from '../contract.ts';
import type { InputLine, OutputLine } from './line.ts';

const stateOf = (on: boolean): ContactorState => (on ? 'closed' : 'open');

/** Feedback is the mirror contact alone; what the coil was told is the business of the interlock. */
export function relayContactor(coil: OutputLine, mirror: InputLine): Contactor {
  return {
    get feedback() {
      return stateOf(mirror.read());
    },
    close: () => coil.write(true),
    open: () => coil.write(false),
    onFeedback: (listener) => mirror.onChange((on) => listener(stateOf(on))),
  };
}
