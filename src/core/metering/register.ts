/** The import register of one transaction on one scale that never goes back, whatever happens to the meter (docs/adr/0003). Pure. */

/** Where the register of a transaction stands. It is journalled with every sample. */
export interface Register {
  /** Absent: the meter does not tell. */
  readonly serialNumber?: string;
  /** Whole Wh, as last reported. */
  readonly lastWh: number;
  /** What is added to the meter's own register; 0 until the meter is exchanged. */
  readonly offsetWh: number;
}

/** `fell`: the same meter shows less than before, which is not believed. `swapped`: another meter, whose register goes on from here. */
export type Verdict = 'believed' | 'fell' | 'swapped';

/** Takes a look at the meter: `meterWh` are whole Wh of its own register. */
export function advance(
  register: Register,
  look: { readonly serialNumber: string | undefined; readonly meterWh: number },
): { readonly register: Register; readonly verdict: Verdict } {
  const { serialNumber, meterWh } = look;
  const { lastWh, offsetWh } = register;
  const known = serialNumber === undefined ? register : { ...register, serialNumber };
  // A meter that has told no number, or tells none now, has not declared that it is another one.
  if (register.serialNumber !== undefined && known.serialNumber !== register.serialNumber)
    return { register: { ...known, offsetWh: lastWh - meterWh }, verdict: 'swapped' };
  const wh = meterWh + offsetWh;
  if (wh < lastWh) return { register: known, verdict: 'fell' };
  return { register: { ...known, lastWh: wh }, verdict: 'believed' };
}
