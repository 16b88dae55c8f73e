/** `chargepoint inputs`: everything that the board reads, what it stands for, and with `--watch` each change. */
import { EXIT, type ExitCode } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { faultText } from './faults.ts';
import { columns, json, listOf, recordOf, textOf } from './format.ts';
import type { Io } from './io.ts';
import { pause, working } from './technician.ts';

export interface InputsOptions extends AgentOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
  /** For tests and scripts: so long, then end. */
  readonly seconds?: number;
}

/** Nobody turns a switch faster. */
const LOOK_EVERY_MS = 200;

/** Exit code 0; 70 if there is neither agent nor board. */
export const inputs = (io: Io, options: InputsOptions): Promise<ExitCode> =>
  working(io, options, async ({ ask, ended }) => {
    const first = await ask('GET', '/inputs');
    io.out(options.json === true ? json(first) : inputsText(recordOf(first)));
    if (options.watch !== true) return EXIT.ok;
    if (options.json !== true) io.out('\nChanges, until Ctrl-C:\n');
    const until = options.seconds === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.seconds * 1000;
    let before = levelsOf(recordOf(first));
    while (!ended.aborted && performance.now() < until) {
      await pause(LOOK_EVERY_MS, ended);
      if (ended.aborted) break;
      const now = levelsOf(recordOf(await ask('GET', '/inputs')));
      for (const line of changesOf(before, now, options.json === true)) io.out(line);
      before = now;
    }
    return EXIT.ok;
  });

/** Everything that can change, by name. */
export function levelsOf(view: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  const { connectors, wires, mains, dimming, watched, faults } = view as {
    readonly [name in 'connectors' | 'wires' | 'mains' | 'dimming' | 'watched' | 'faults']?: unknown;
  };
  return new Map([
    ...listOf(connectors).map(recordOf).flatMap(connectorLevels),
    ...listOf(wires)
      .map(recordOf)
      .map(({ name, on }: { readonly name?: unknown; readonly on?: unknown }) => [textOf(name), onText(on)] as const),
    ...listOf(faults)
      .map(recordOf)
      .map((fault) => [`fault ${faultText(fault)}`, 'raised'] as const),
    ['mains', textOf(mains)] as const,
    ...(dimming === undefined ? [] : [['dimming', onText(dimming)] as const]),
    ['watched', textOf(watched)] as const,
  ]);
}

/** Temperatures and counters move all the time: they are no inputs that somebody tests. */
const SHOWN = ['pilot', 'contactor', 'locked', 'cableA', 'phases'] as const;

const connectorLevels = (connector: Readonly<Record<string, unknown>>) =>
  SHOWN.filter((name) => connector[name] !== undefined).map(
    (name) => [`connector ${textOf(connector['id'])} ${name}`, textOf(connector[name])] as const,
  );

const onText = (on: unknown): string => (on === true ? 'on' : on === false ? 'off' : 'unreadable');

export function changesOf(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
  asJson: boolean,
): readonly string[] {
  const at = new Date().toISOString();
  const names = [...new Set([...before.keys(), ...now.keys()])];
  return names.flatMap((name) => {
    const [old = '-', next = '-'] = [before.get(name), now.get(name)];
    if (old === next) return [];
    if (asJson) return [`${JSON.stringify({ at, name, before: old, now: next })}\n`];
    return columns([[at.slice(11, 23), name, `${old} -> ${next}`]]);
  });
}

export function inputsText(view: Readonly<Record<string, unknown>>): string {
  const { connectors, wires, mains, dimming, watched, faults } = view as {
    readonly [name in 'connectors' | 'wires' | 'mains' | 'dimming' | 'watched' | 'faults']?: unknown;
  };
  const own = listOf(connectors).map(recordOf).map(connectorText).join('\n');
  const loops = watched === true ? 'go round' : 'STAND STILL';
  const board = columns([
    ['Mains', textOf(mains)],
    ...(dimming === undefined ? [] : [['Dimming contact', onText(dimming)]]),
    ['Safety loops', loops],
  ]);
  const rows = listOf(wires)
    .map(recordOf)
    .map((wire) => {
      const { name, line, on, means } = wire as { readonly [member in 'name' | 'line' | 'on' | 'means']?: unknown };
      return [textOf(line), onText(on), textOf(means), textOf(name)];
    });
  const table = rows.length === 0 ? '' : `\n${columns([['Line', 'Is', 'On means', 'In the board file'], ...rows])}`;
  const raised = listOf(faults).map(recordOf).map(faultText);
  const faultLines = raised.length === 0 ? 'No fault.\n' : raised.map((text) => `Fault: ${text}\n`).join('');
  return `${own}\n${board}${table}\n${faultLines}`;
}

function connectorText(connector: Readonly<Record<string, unknown>>): string {
  const { id, pilot, pilotMeans, contactor, locked, cableA, celsius, operations } = connector as {
    readonly [name in
      | 'id'
      | 'pilot'
      | 'pilotMeans'
      | 'contactor'
      | 'locked'
      | 'cableA'
      | 'celsius'
      | 'operations']?: unknown;
  };
  const { all, underLoad } = recordOf(operations) as { readonly all?: unknown; readonly underLoad?: unknown };
  const rows = [
    ['  Pilot', `${textOf(pilot)}, ${textOf(pilotMeans)}`],
    ['  Mirror contact', `contactor ${textOf(contactor)}`],
    ...(cableA === undefined ? [] : [['  Proximity', cableA === null ? 'no plug' : `cable for ${textOf(cableA)} A`]]),
    ...(locked === undefined ? [] : [['  Lock', locked === true ? 'locked' : 'not locked']]),
    ...(celsius === undefined
      ? []
      : [['  Thermometer', celsius === null ? 'does not answer' : `${textOf(celsius)} C`]]),
    ...(operations === undefined ? [] : [['  Opened', `${textOf(all)} times, ${textOf(underLoad)} under load`]]),
  ];
  return `Connector ${textOf(id)}\n${columns(rows)}`;
}
