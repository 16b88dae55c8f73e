/** `chargepoint faults`: what is raised, and the local reset of what is latched (`chargepoint faults reset`). */
import { EXIT, type ExitCode } from '../platform/system.ts';
import { type AgentOptions, askAgent } from './agent-socket.ts';
import { json, listOf, recordOf, textOf, wrapped } from './format.ts';
import type { Io } from './io.ts';
import { working } from './technician.ts';

export interface FaultsOptions extends AgentOptions {
  readonly json?: boolean;
}

/** Exit code 0 without a fault, 1 with one; 70 if there is neither agent nor board. */
export const listFaults = (io: Io, options: FaultsOptions): Promise<ExitCode> =>
  working(io, options, async ({ ask }) => {
    const answer = recordOf(await ask('GET', '/faults'));
    const faults = listOf(answer['faults']);
    io.out(options.json === true ? json(answer) : faultsText(faults));
    return faults.length === 0 ? EXIT.ok : EXIT.different;
  });

/** Exit code 0; 1 if one is left whose cause is still there, 70 if no agent runs: only it holds latched faults. */
export async function resetFaults(io: Io, connectorId: number, options: FaultsOptions): Promise<ExitCode> {
  let left = 0;
  const call = { method: 'POST', path: '/faults/reset', body: { connectorId } } as const;
  const code = await askAgent(io, options, call, (answer) => {
    const { reset, faults } = recordOf(answer) as { readonly reset?: unknown; readonly faults?: unknown };
    left = listOf(faults)
      .map(recordOf)
      .filter((fault) => connectorId === 0 || fault['connectorId'] === connectorId).length;
    if (options.json === true) io.out(json(answer));
    else io.out(resetText(listOf(reset), listOf(faults)));
  });
  return code === EXIT.ok && left > 0 ? EXIT.different : code;
}

function resetText(reset: readonly unknown[], faults: readonly unknown[]): string {
  const done = reset.map((fault) => `Reset: ${faultText(recordOf(fault))}\n`).join('');
  const none = reset.length === 0 ? 'Nothing was latched whose cause is gone.\n' : done;
  return faults.length === 0 ? none : `${none}Still raised:\n${faultsText(faults)}`;
}

/** `contactorWelded, connector 1 (Contactor does not open)`. */
export function faultText(fault: Readonly<Record<string, unknown>>): string {
  const { code, connectorId, info } = fault as { readonly [name in 'code' | 'connectorId' | 'info']?: unknown };
  const where = connectorId === 0 ? 'charge point' : `connector ${textOf(connectorId)}`;
  return `${textOf(code)}, ${where}${info === undefined ? '' : ` (${textOf(info)})`}`;
}

export function faultsText(faults: readonly unknown[]): string {
  if (faults.length === 0) return 'No fault.\n';
  return faults
    .map(recordOf)
    .map((fault) => {
      const { stops, clears } = fault as { readonly stops?: unknown; readonly clears?: unknown };
      return `${wrapped(faultText(fault), 0)}${wrapped(`stops ${textOf(stops)}; goes ${textOf(clears)}`, 2)}`;
    })
    .join('');
}
