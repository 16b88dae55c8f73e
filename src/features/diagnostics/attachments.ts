/** Whole files that go into the diagnostics: the flight recordings, and what the recorder holds at this moment. */
import type { AttachedFile } from '../../ports.ts';
import type { Context } from '../feature.ts';

/** Never rejects: recordings that cannot be listed are left out, and the log says so. */
export async function attachmentsOf({ flightRecorder, log }: Context): Promise<readonly AttachedFile[]> {
  const now = flightRecorder.content;
  const saved = await flightRecorder.saved().catch((cause: unknown) => {
    log.warn('the flight recordings cannot be listed', { cause });
    return [];
  });
  return [
    ...saved.map(({ name, bytes }) => ({ name: `recorder/${name}`, bytes, read: () => flightRecorder.read(name) })),
    {
      name: 'recorder/now.jsonl',
      bytes: now.reduce((sum, { length }) => sum + length, 0),
      read: async () => together(now),
    },
  ];
}

function together(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let used = 0;
  for (const piece of pieces) {
    whole.set(piece, used);
    used += piece.length;
  }
  return whole;
}
