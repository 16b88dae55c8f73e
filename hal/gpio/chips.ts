/** Which chip is meant, and whether it has the line: the same for every back end. */
import { HalError } from '../hal-error.ts';

export interface LabelledChip {
  readonly label: string;
  readonly lines: number;
}

/** The one chip that has one of these labels. Throws HalError noSuchLine, which says what there is. */
export function chipOf<C extends LabelledChip>(chips: readonly C[], labels: readonly string[]): C {
  const [chip, second] = chips.filter(({ label }) => labels.includes(label));
  if (chip !== undefined && second === undefined) return chip;
  const found = chips.length === 0 ? 'none' : chips.map(({ label }) => label).join(', ');
  throw new HalError(
    'noSuchLine',
    `${chip === undefined ? 'no' : 'more than one'} GPIO chip is labelled ${labels.join(' or ')}; found: ${found}. Set gpio.chip in the board file to the label of this model.`,
  );
}

/** The offset itself. Throws HalError noSuchLine. */
export function lineOf({ label, lines }: LabelledChip, line: number): number {
  if (Number.isInteger(line) && line >= 0 && line < lines) return line;
  throw new HalError('noSuchLine', `${label} has the lines 0..${lines - 1}, not ${line}. Correct the board file.`);
}
