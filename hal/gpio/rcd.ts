/** A residual current device behind two lines: what it says, and its test. */
import type { RcdDevice } from '../rcd.ts';
import type { InputLine, OutputLine } from './line.ts';

export const lineRcd = (tripped: InputLine, test: OutputLine | undefined): RcdDevice => ({
  get tripped() {
    return tripped.read();
  },
  onTripped: (listener) => tripped.onChange(listener),
  ...(test === undefined ? {} : { test: (on: boolean) => test.write(on) }),
});
