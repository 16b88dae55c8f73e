/** What a keyboard reader sends: `struct input_event` of linux/input.h as a 64-bit kernel gives it, and the keys of a US keyboard. */

/** _IOW('E', 0x90, int): as long as we hold it nobody else gets the keys, no console and no login. */
export const EVIOCGRAB = 0x40044590;

/** Two times of 8 bytes, then type, code and value. */
export const INPUT_EVENT = { size: 24, type: 16, code: 18, value: 20 } as const;

const EV_SYN = 0;
const EV_KEY = 1;
const SYN_DROPPED = 3;
const PRESSED = 1;

/** `lost`: the kernel had to throw keys away. A key that is held or released is no key. */
export type Key =
  | { readonly type: 'character'; readonly character: string }
  | { readonly type: 'enter' }
  | { readonly type: 'lost' };

/** Runs of neighbouring keys, by the code of the first. */
const ROWS: readonly (readonly [first: number, characters: string])[] = [
  [2, '1234567890-'],
  [16, 'QWERTYUIOP'],
  [30, 'ASDFGHJKL'],
  [44, 'ZXCVBNM'],
  [71, '789'],
  [75, '456'],
  [79, '1230'],
];
const CHARACTERS: ReadonlyMap<number, string> = new Map(
  ROWS.flatMap(([first, characters]) => [...characters].map((character, index) => [first + index, character] as const)),
);
const ENTER: ReadonlySet<number> = new Set([28, 96]);

/** Keys of other kinds (shift, a semicolon that some readers put in front) are passed over. */
export function keysIn(records: Buffer): readonly Key[] {
  const keys: Key[] = [];
  for (let at = 0; at + INPUT_EVENT.size <= records.length; at += INPUT_EVENT.size) {
    const type = records.readUInt16LE(at + INPUT_EVENT.type);
    const code = records.readUInt16LE(at + INPUT_EVENT.code);
    if (type === EV_SYN && code === SYN_DROPPED) keys.push({ type: 'lost' });
    if (type !== EV_KEY || records.readInt32LE(at + INPUT_EVENT.value) !== PRESSED) continue;
    const character = CHARACTERS.get(code);
    if (character !== undefined) keys.push({ type: 'character', character });
    else if (ENTER.has(code)) keys.push({ type: 'enter' });
  }
  return keys;
}
