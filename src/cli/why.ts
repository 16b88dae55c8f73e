/** `chargepoint why`: one sentence for each connector, and everything that bounds its offer, the lowest limit first. */
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { columns, json, listOf, phasesText, recordOf, textOf, wrapped } from './format.ts';
import type { Io } from './io.ts';

export interface WhyOptions extends AgentOptions {
  readonly connector?: number;
  readonly json?: boolean;
}

/** Exit code 0; 70 if nobody could be asked, 78 for the configuration or a connector that is not there. */
export async function why(io: Io, options: WhyOptions): Promise<ExitCode> {
  const { connector: wanted } = options;
  let isThere = true;
  const code = await askAgent(io, options, { path: '/why' }, (answer) => {
    const all = listOf(recordOf(answer)['connectors']);
    const connectors = wanted === undefined ? all : all.filter((connector) => recordOf(connector)['id'] === wanted);
    isThere = wanted === undefined || connectors.length > 0;
    if (isThere) io.out(options.json === true ? json({ ...recordOf(answer), connectors }) : whyText({ connectors }));
  });
  if (isThere) return code;
  io.err(`There is no connector ${wanted}.\n`);
  return EXIT.config;
}

export const whyText = ({ connectors }: { readonly connectors?: unknown }): string =>
  listOf(connectors).map(connectorText).join('\n');

/** The sentence comes first: whoever asks has a car that does not charge. */
function connectorText(connector: unknown): string {
  const {
    id,
    status,
    why: sentence,
    offerA,
    limitA,
    phases,
    bounds,
  } = recordOf(connector) as {
    readonly [name in 'id' | 'status' | 'why' | 'offerA' | 'limitA' | 'phases' | 'bounds']?: unknown;
  };
  const isOffered = typeof offerA === 'number' && offerA > 0;
  const offer = isOffered ? `${textOf(offerA)} A offered on ${phasesText(phases)}` : 'nothing offered';
  const head = `Connector ${textOf(id)}: ${textOf(status)}, ${offer}, limit ${textOf(limitA)} A`;
  return wrapped(head, 0) + wrapped(textOf(sentence), 2) + boundsText(listOf(bounds).map(recordOf));
}

const INDENT = 2;
const GAP = 2;
/** The reason needs the rest of the line. */
const LONGEST_SOURCE = 30;

/** `>` marks the one that counts. A reason that is cut would be of no use: it goes on in the next line. */
function boundsText(bounds: readonly Readonly<Record<string, unknown>>[]): string {
  const labels = bounds.map((bound, index) => {
    const { source, limitA } = bound as { readonly source?: unknown; readonly limitA?: unknown };
    return [index === 0 ? '>' : ' ', `${textOf(limitA)} A`.slice(0, 12), textOf(source).slice(0, LONGEST_SOURCE)];
  });
  const lines = columns(labels).split('\n');
  const indent = INDENT + Math.max(0, ...lines.map((line) => line.length)) + GAP;
  return bounds
    .map((bound, index) => {
      const label = `${' '.repeat(INDENT)}${lines[index] ?? ''}`.padEnd(indent);
      const reason = wrapped(textOf(bound['reason']), indent);
      return reason === '' ? `${label.trimEnd()}\n` : `${label}${reason.slice(indent)}`;
    })
    .join('');
}
