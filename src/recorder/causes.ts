/** What a flight recording is saved for. */
import { type Blocks, FAULTS } from '../../hal/faults.ts';
import type { Note } from './recording.ts';

export interface Cause {
  /** For people: `groundFault, connector 1`. */
  readonly text: string;
  /** In the name of the file. */
  readonly slug: string;
  /** So much of what comes after it belongs to it. */
  readonly aftermathMs: number;
  /** There may be no later moment to save it. */
  readonly isLast?: true;
}

const AFTERMATH_MS = 10_000;
/** Nobody knows how much longer there is power. */
const LAST_MOMENTS_MS = 1_000;

/** Whatever opens a contactor. */
const IS_SAVED: { readonly [blocks in Blocks]: boolean } = {
  charging: true,
  offer: true,
  moment: false,
  nothing: false,
};

export function causeOf(note: Note): Cause | undefined {
  if (note.what === 'mains')
    return note.mains === 'failing'
      ? { text: 'mains failing', slug: 'mains', aftermathMs: LAST_MOMENTS_MS, isLast: true }
      : undefined;
  if (note.what !== 'fault' || !note.raised || !IS_SAVED[FAULTS[note.code].blocks]) return undefined;
  const { code, connector } = note;
  const where = connector === 0 ? 'charge point' : `connector ${connector}`;
  return { text: `${code}, ${where}`, slug: `${code}-${connector}`, aftermathMs: AFTERMATH_MS };
}

export const onRequest: Cause = { text: 'asked for', slug: 'asked', aftermathMs: 0 };
/** The process ends in a hurry: nobody caught an error. */
export const onCrash: Cause = { text: 'the process crashed', slug: 'crash', aftermathMs: 0 };
export const onUpload: Cause = { text: 'for the diagnostics', slug: 'now', aftermathMs: 0 };
