/** A list of the inputs that a board opens, each under the name of its member in the description: for who only looks on. */
import type { FaultInputDescription } from '../board-description.ts';
import type { BoardInput } from '../contract.ts';
import { type InputOptions, type LineBackend, levelOf } from './line.ts';

/** The same back end; what is opened through it as an input stands in `wires` from then on. */
export const listing = (lines: LineBackend, description: object, wires: BoardInput[]): LineBackend => ({
  openOutput: (line, initial, options) => lines.openOutput(line, initial, options),
  openInput: async (line, options) => {
    const raw = await lines.openInput(line, options);
    const on = levelOf(true, { line, ...options });
    wires.push({
      name: memberName(description, options) ?? `line ${line}`,
      line,
      ...faultOf(options),
      get on() {
        return raw.read() === on;
      },
    });
    return raw;
  },
});

const faultOf = (options: InputOptions & Partial<Pick<FaultInputDescription, 'fault'>>): Pick<BoardInput, 'fault'> =>
  options.fault === undefined ? {} : { fault: options.fault };

/** `connectors[0].proximity.present`: where this very object stands. */
function memberName(within: object, wanted: object): string | undefined {
  for (const [name, member] of Object.entries(within)) {
    if (typeof member !== 'object' || member === null) continue;
    const step = Array.isArray(within) ? `[${name}]` : name;
    if (member === wanted) return step;
    const rest = memberName(member, wanted);
    if (rest !== undefined) return rest.startsWith('[') ? `${step}${rest}` : `${step}.${rest}`;
  }
  return undefined;
}
