/** The rules of the house, executable: one table each for imports, packages and forbidden words, one walk for cycles, one planted violation each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

type Files = ReadonlyMap<string, string>;

interface Source {
  readonly path: string;
  /** Without comments; every string is `'#n'`. */
  readonly code: string;
  readonly strings: readonly string[];
  /** Repository paths, package names and `node:` modules; type-only and dynamic imports included. */
  readonly imports: readonly string[];
}

const COMMENT_STRING_OR_REGEXP =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|(?<=[=(,:!&|?{};[]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
const IMPORT = /\bfrom\s*'#(\d+)'|\bimport\s*'#(\d+)'|\b(?:import|require)\s*\(\s*'#(\d+)'/g;

function parse(path: string, text: string): Source {
  const strings: string[] = [];
  const code = text.replace(COMMENT_STRING_OR_REGEXP, (token) => {
    if (token.startsWith('/')) return token.startsWith('/*') || token.startsWith('//') ? '' : '/x/';
    // A template may hold code: it stays visible, so that no rule is dodged inside `${}`.
    const code = token.startsWith('`') ? [...token.matchAll(/\$\{([^}]*)\}/g)].map((match) => `;${match[1]};`) : [];
    return `'#${strings.push(token.slice(1, -1)) - 1}'${code.join('')}`;
  });
  const imports = [...code.matchAll(IMPORT)].map((match) => {
    const name = strings[Number(match[1] ?? match[2] ?? match[3])] ?? '';
    return name.startsWith('.') ? posix.join(posix.dirname(path), name) : name;
  });
  return { path, code, strings, imports };
}

/** `hal` holds `hal/x.ts`; `src/ports.ts` holds itself. */
const within = (path: string, places: readonly string[]) =>
  places.some((place) => path === place || path.startsWith(`${place}/`));

const CONTRACT = ['hal/contract.ts', 'hal/faults.ts'];
const CONFIG_TYPES = [
  'src/config.ts',
  'hal/board-description.ts',
  'hal/modbus/controller-map.ts',
  'hal/modbus/register-map.ts',
];
const SHARED = ['src/ports.ts', 'src/errors.ts', 'src/config.ts', ...CONTRACT];
/** The supervisor of `npm start` is a program of its own: it starts processes. */
const EDGE = ['src/agent-main.ts', 'src/main.ts', 'src/cli', 'src/bench/supervisor.ts'];
const ROOMS = ['src/station', 'src/core', 'src/ocpp', 'src/features/feature.ts'];
const AMBIENT = ['src/platform', ...EDGE];

/** Rules 1, 2 and the diagram of docs/architecture.md: what a place may import besides itself. The first that holds a file counts. */
const MAY_IMPORT: readonly (readonly [place: string, may: readonly string[]])[] = [
  ['hal/contract.ts', []],
  ['hal', []],
  ['src/ports.ts', []],
  ['src/errors.ts', []],
  ['src/config.ts', ['src/ports.ts', ...CONFIG_TYPES, ...CONTRACT]],
  ['src/config', [...SHARED, ...CONFIG_TYPES]],
  ['src/core', CONTRACT],
  ['src/ocpp', ['src/ports.ts', 'src/errors.ts']],
  // Opening every contactor although one driver throws: as hal does it, not a second way.
  ['src/station', ['src/core', 'hal/try-all.ts', ...SHARED]],
  // The duty cycle that stands on the pilot: the conversion of hal, not a second one.
  ['src/recorder', ['src/core', 'hal/duty.ts', ...SHARED]],
  ['src/features/all.ts', ['src/features']],
  ['src/features', [...ROOMS, ...SHARED]],
  ['src/central-system-switch.ts', ['src/features', ...ROOMS, ...SHARED]],
  ['src/house.ts', ['src/features', ...ROOMS, ...SHARED]],
  ['src/central-system-line.ts', ['src/house.ts', 'src/features', ...ROOMS, ...SHARED]],
  [
    'src/agent.ts',
    [
      'src/house.ts',
      'src/central-system-line.ts',
      'src/central-system-switch.ts',
      'src/recorder',
      'src/features',
      ...ROOMS,
      ...SHARED,
    ],
  ],
  ['src/control', ['src/agent.ts', ...SHARED]],
  ['src/platform', [...SHARED, ...CONFIG_TYPES]],
  ['src/bench/supervisor.ts', ['src/bench', 'src/config', 'src/platform', ...SHARED]],
  // It begins from stored transactions, with the options of a file that has none, and its board fails as a real one does.
  [
    'src/bench/replay',
    [
      'src/agent.ts',
      'src/bench/virtual-clock.ts',
      'src/config/options.ts',
      'src/features/transactions/facts.ts',
      'src/recorder/recording.ts',
      'src/ocpp',
      'hal/hal-error.ts',
      ...SHARED,
    ],
  ],
  ['src/bench', ['src/agent.ts', 'hal/mock', 'src/ocpp', ...SHARED]],
  ['src/agent-main.ts', ['src', 'hal']],
  ['src/main.ts', ['src', 'hal']],
  ['src/cli', ['src', 'hal']],
];

/** Rule 5: each package, and each module of Node that reaches outside, has a home. A package that is not listed has none. */
const HOMES: { readonly [name: string]: readonly string[] } = {
  ws: ['src/platform'],
  'basic-ftp': ['src/platform/transfers'],
  pino: ['src/platform'],
  'classic-level': ['src/platform'],
  koffi: ['hal/linux', 'src/platform/systemd.ts'],
  onoff: ['hal/gpio'],
  serialport: ['hal/modbus', 'hal/rfid'],
  'modbus-serial': ['hal/modbus'],
  valibot: ['src/ocpp', 'src/config', 'src/features'],
  yaml: ['src/config'],
  commander: EDGE,
  'node:fs': [...AMBIENT, 'hal'],
  'node:fs/promises': [...AMBIENT, 'hal'],
  'node:http': [...AMBIENT, 'src/control', 'src/bench'],
  'node:events': ['hal/modbus'],
  // Of it only the event loop: a socket waits for a GPIO line.
  'node:net': [...AMBIENT, 'hal/linux'],
  'node:path': [...AMBIENT, 'src/config', 'src/bench', 'hal'],
};

/** Words that may stand in the places given only; `all` means everywhere but there. */
const WORDS: readonly (readonly [rule: string, word: RegExp, only: readonly string[], where: readonly string[]])[] = [
  ['2: the protocol knows no hardware', /contactor|relay|interlock|pilotState|energyMeter/i, [], ['src/ocpp']],
  ['3: the core is pure', /\b(async|await|Promise|class|this)\b/, [], ['src/core']],
  [
    '6: time',
    /\bDate\.now\b|\bnew Date(?:\(\s*\)|(?!\s*\())|(?<!new )\bDate\(|\bperformance\b/,
    AMBIENT,
    ['src', 'hal'],
  ],
  ['6: timers', /\b(set(Timeout|Interval|Immediate)|clear(Timeout|Interval|Immediate))\b/, AMBIENT, ['src', 'hal']],
  ['6: chance', /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b/, AMBIENT, ['src', 'hal']],
  ['6: process', /(?<![.\w$])process\s*\.|\bglobalThis\b|(?<![.\w$])console\s*\./, AMBIENT, ['src', 'hal']],
  ['6: network', /(?<![.\w$])fetch\(|\bnew WebSocket\b/, AMBIENT, ['src', 'hal']],
  ['7: default export', /\bexport\s+default\b|\bas\s+default\b/, [], ['src', 'hal']],
  ['7: enum', /\benum\s+\w+\s*\{/, [], ['src', 'hal']],
  ['7: barrel', /\bexport\s+(type\s+)?(\*|\{[^}]*\}\s*from\b)/, [], ['src', 'hal']],
  ['7: singleton', /^(export\s+)?(let|var)\s/m, [], ['src', 'hal']],
  [
    '7: singleton',
    /^(export\s+)?const\s+\w+(\s*:[^=]+)?\s*=\s*(new\s+(?!(Map|Set|RegExp|Intl\.\w+|TextEncoder|TextDecoder|URL)\b)|new\s+(Map|Set|WeakMap)(<.*>)?\(\s*\)|(\[\]|\{\s*\})(?!\s*as const))/m,
    [],
    ['src', 'hal'],
  ],
  [
    '8: the raw contactor',
    /\bContactor\b/,
    // The contract, its drivers, and those who make one and hand it straight to the interlock.
    [
      'hal/contract.ts',
      'hal/interlock.ts',
      'hal/contactor-monitor.ts',
      'hal/own-pilot-evse.ts',
      'hal/open-board.ts',
      'hal/gpio/relay-contactor.ts',
      'hal/mock',
    ],
    ['src', 'hal'],
  ],
  [
    '8: only a technician exercises a contactor',
    /\.exercise\s*(\?\.)?\(/,
    ['hal', 'src/cli', 'src/features/service/trials.ts'],
    ['src', 'hal'],
  ],
  ['9: one error class per layer', /\bextends\s+\w*Error\b/, ['hal/hal-error.ts', 'src/errors.ts'], ['src', 'hal']],
  ['9: an error has a code', /\bextends\s+Error\s*\{(?!\s*readonly code: \w+Code;)/, [], ['src', 'hal']],
  [
    '9: errors are matched by code',
    /\.message\s*(===|!==|\.(includes|match|startsWith|endsWith|search|indexOf)\b)|\.test\(\s*\w+\.message\b/,
    // LevelDB passes the system's error on as text only.
    ['src/platform/level-error.ts'],
    ['src', 'hal'],
  ],
  ['house: nothing skipped', /\.(skip|todo|only|fails|skipIf|runIf)\b\s*\(?|\bretry\s*:/, [], ['test']],
];

const isTest = ({ path }: Source) => path.startsWith('test/');

function importViolations({ path, imports }: Source): string[] {
  const [place, may] = MAY_IMPORT.find(([place]) => within(path, [place])) ?? [];
  if (place === undefined || may === undefined) return [`${path}: belongs to no room of the table`];
  return imports.flatMap((target) => {
    if (/^(src|hal|test|scripts)\//.test(target))
      return within(target, [place, ...may]) ? [] : [`${path}: ${place} may not import ${target}`];
    const home = HOMES[target] ?? (target.startsWith('node:') ? AMBIENT : []);
    return within(path, home) ? [] : [`${path}: ${target} has no home here`];
  });
}

/** Rule 4. */
function roomViolations({ path, imports }: Source): string[] {
  const room = /^src\/features\/([^/]+)\//.exec(path)?.[1];
  if (room === undefined) return [];
  return imports
    .filter((target) => /^src\/features\/([^/]+)\//.test(target) && !target.startsWith(`src/features/${room}/`))
    .map((target) => `${path}: feature room imports another: ${target}`);
}

function wordViolations({ path, code }: Source): string[] {
  return WORDS.filter(([, word, only, where]) => within(path, where) && !within(path, only) && word.test(code)).map(
    ([rule, word]) => `${path}: ${rule}: ${word.exec(code)?.[0].trim()}`,
  );
}

/** Rule 7: a test replaces a port, never a module of ours. */
function mockViolations({ path, code, strings }: Source): string[] {
  return [...code.matchAll(/\bvi\.(?:mock|doMock)\(\s*(?:import\(\s*)?'#(\d+)'/g)]
    .filter((match) => /^\.|^(src|hal)\//.test(strings[Number(match[1])] ?? ''))
    .map(() => `${path}: vi.mock of our own module`);
}

/** Rule 10: features/all.ts is its imports and one array of names; every room is in it. */
function listViolations(sources: readonly Source[]): string[] {
  const rooms = new Set(sources.flatMap(({ path }) => /^src\/features\/[^/]+(?=\/)/.exec(path)?.[0] ?? []));
  if (rooms.size === 0) return [];
  const all = sources.find(({ path }) => path === 'src/features/all.ts');
  const rest = all?.code.replace(/^\s*import\b[^;]*;/gm, '').trim() ?? '';
  if (!/^export const \w+(: [^=]+)? = \[[\w\s,]*\]( as const)?( satisfies [^;]+)?;$/.test(rest))
    return ['src/features/all.ts: 10: must be one array'];
  return [...rooms]
    .filter((room) => all?.imports.every((target) => !target.startsWith(`${room}/`)))
    .map((room) => `src/features/all.ts: 10: ${room} is not in the list`);
}

/** Rule 7: depth first; the first way back to a file on the path is a cycle. */
function cycles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const visit = (path: string, above: readonly string[]): string[] => {
    if (above.includes(path)) return [`7: cycle: ${[...above.slice(above.indexOf(path)), path].join(' -> ')}`];
    if (done.has(path)) return [];
    const found = (byPath.get(path)?.imports ?? []).flatMap((target) => visit(target, [...above, path]));
    done.add(path);
    return found;
  };
  return sources.flatMap(({ path }) => visit(path, []));
}

function check(files: Files): string[] {
  const sources = [...files].map(([path, text]) => parse(path, text));
  const program = sources.filter((source) => !isTest(source));
  return [
    ...program.flatMap((source) => [...importViolations(source), ...roomViolations(source)]),
    ...sources.flatMap((source) => [...wordViolations(source), ...mockViolations(source)]),
    ...listViolations(program),
    ...cycles(program),
  ];
}

function readAll(...folders: string[]): Files {
  const root = join(import.meta.dirname, '..');
  const names = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => posix.join(folder, name)),
  );
  const own = names.filter((name) => name.endsWith('.ts') && name !== 'test/architecture.test.ts');
  return new Map(own.map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

/** [what the house forbids, where, the text planted there, what the checker must say] */
const PLANTED: readonly (readonly [rule: string, path: string, text: string, seen: string])[] = [
  [
    '1: hal imports src',
    'hal/gpio/x.ts',
    `import type { Log } from '../../src/ports.ts';`,
    'hal may not import src/ports.ts',
  ],
  ['1: the contract imports a driver', 'hal/contract.ts', `import './gpio/y.ts';`, 'may not import hal/gpio/y.ts'],
  [
    '2: the protocol imports the core',
    'src/ocpp/x.ts',
    `import type { A } from '../core/a.ts';`,
    'src/ocpp may not import',
  ],
  ['2: the protocol knows the contactor', 'src/ocpp/x.ts', 'export const openContactor = 1;', 'knows no hardware'],
  ['3: the core waits', 'src/core/x.ts', 'export async function f() {}', 'the core is pure: async'],
  ['3: the core has a class', 'src/core/x.ts', 'export class Hidden {}', 'the core is pure: class'],
  [
    '3: the core imports a port',
    'src/core/x.ts',
    `import type { Clock } from '../ports.ts';`,
    'src/core may not import',
  ],
  ['4: a room imports a room', 'src/features/boot/x.ts', `import { y } from '../trigger/y.ts';`, 'imports another'],
  ['5: a package away from home', 'src/station/x.ts', `import { WebSocket } from 'ws';`, 'ws has no home here'],
  ['5: the same, loaded lazily', 'hal/mock/x.ts', `const g = await import('onoff');`, 'onoff has no home here'],
  ['5: an unknown package', 'src/platform/x.ts', `import type { _ } from 'lodash';`, 'lodash has no home here'],
  ['6: the wall clock', 'src/station/x.ts', 'const f = () => Date.now();', '6: time'],
  ['6: the wall clock in a template', 'src/station/x.ts', `const f = () => \`\${new Date()}\`;`, '6: time'],
  ['6: a timer', 'hal/gpio/x.ts', 'export const f = () => setTimeout(g, 1);', '6: timers'],
  ['6: chance', 'src/features/boot/x.ts', 'export const f = () => Math.random();', '6: chance'],
  ['6: the process', 'src/bench/x.ts', 'export const f = () => process.exit(0);', '6: process'],
  ['6: files', 'src/station/x.ts', `import { readFileSync } from 'node:fs';`, 'node:fs has no home here'],
  ['6: sockets', 'src/control/x.ts', `import { connect } from 'node:net';`, 'node:net has no home here'],
  ['7: a cycle of types', 'hal/x.ts', `import type { Y } from './y.ts';`, 'cycle: hal/y.ts -> hal/x.ts -> hal/y.ts'],
  ['7: a barrel', 'hal/x.ts', `export * from './y.ts';`, '7: barrel'],
  ['7: a default export', 'hal/x.ts', 'export default 1;', '7: default export'],
  ['7: an enum', 'hal/x.ts', 'export const enum E { A }', '7: enum'],
  ['7: a singleton variable', 'src/station/x.ts', 'let instance: object | undefined;', '7: singleton'],
  ['7: a singleton object', 'src/station/x.ts', 'export const bus = new Bus();', '7: singleton'],
  ['7: a singleton map', 'src/station/x.ts', 'const seen = new Map<string, number>();', '7: singleton'],
  ['7: a mock of our own', 'test/x.test.ts', `vi.mock('../src/station/station.ts');`, 'vi.mock of our own module'],
  [
    '8: the raw contactor',
    'src/station/x.ts',
    `import type { Contactor } from '../../hal/contract.ts';`,
    '8: the raw contactor',
  ],
  [
    '8: a contactor without an EV',
    'src/station/x.ts',
    'export const f = (evse: Evse) => evse.exercise?.();',
    '8: only a technician exercises',
  ],
  ['9: a second error class', 'src/station/x.ts', 'export class StationError extends Error {}', '9: one error class'],
  ['9: no code', 'src/errors.ts', 'export class NewError extends Error {}', '9: an error has a code'],
  [
    '9: matched by text',
    'hal/modbus/x.ts',
    `export const f = (e: Error) => e.message.includes('ETIMEDOUT');`,
    '9: errors',
  ],
  ['10: a list that grows', 'src/features/all.ts', 'export const all = [];\nregister(all);', '10: must be one array'],
  [
    '10: a room left out',
    'src/features/all.ts',
    'export const all: readonly Feature[] = [];',
    'src/features/boot is not in',
  ],
  ['a skipped test', 'test/x.test.ts', `it.skip('later', () => {});`, 'nothing skipped'],
  ['a folder without a room', 'src/utils/x.ts', 'export {};', 'belongs to no room'],
];

const HOUSE: Files = new Map([
  ['hal/contract.ts', 'export interface Contactor {}'],
  ['hal/y.ts', `import { x } from './x.ts'; // import { z } from 'ws'; Date.now()`],
  ['hal/gpio/y.ts', `const text = "Date.now() from 'ws'", quote = /['"\`]/;`],
  ['src/features/boot/boot.ts', `import type { Clock } from '../../ports.ts';`],
  ['src/features/all.ts', `import { boot } from './boot/boot.ts';\nexport const all: readonly Feature[] = [boot];`],
]);

describe('the rules of the house (docs/architecture.md)', () => {
  it('are kept by every file of src, hal and test', () => {
    expect(check(readAll('src', 'hal', 'test'))).toEqual([]);
  });
  it('are kept by the sound house that the violations are planted in', () => {
    expect(check(new Map([['hal/x.ts', ''], ...HOUSE]))).toEqual([]);
  });
  it.each(PLANTED)('see %s', (_rule, path, text, seen) => {
    expect(check(new Map([...HOUSE, [path, text]])).join('\n')).toContain(seen);
  });
});
