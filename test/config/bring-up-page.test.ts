/** docs/bring-up.md says what the board files, the drawings and the command line say; docs/configuration.md lists the questions of setup. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BoardDescription, PwmDescription } from '../../hal/board-description.ts';
import type { Io } from '../../src/cli/io.ts';
import { program } from '../../src/cli/program.ts';
import { catalogueFor } from '../../src/cli/setup/catalogue.ts';
import { type Question, questionsFor } from '../../src/cli/setup/questions.ts';
import { readBoard } from '../../src/config/board.ts';
import { parseConfig } from '../../src/config/document.ts';
import type { Findings } from '../../src/config/findings.ts';
import { nodeFiles } from '../../src/platform/files.ts';
import { SHIPPED } from './support.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const BRING_UP = join(DOCS, 'bring-up.md');
const page = readFileSync(BRING_UP, 'utf8');

/** GPIO to pin of the 40-pin header: the same on every model. */
const HEADER: { readonly [gpio: number]: number } = {
  ...{ 0: 27, 1: 28, 2: 3, 3: 5, 4: 7, 5: 29, 6: 31, 7: 26, 8: 24, 9: 21, 10: 19, 11: 23, 12: 32, 13: 33 },
  ...{ 14: 8, 15: 10, 16: 36, 17: 11, 18: 12, 19: 35, 20: 38, 21: 40, 22: 15, 23: 16, 24: 18, 25: 22, 26: 37, 27: 13 },
};

function boardNamed(name: string): BoardDescription {
  const findings: Findings = { files: nodeFiles, shippedDirectory: SHIPPED, errors: [], warnings: [] };
  const reference = { document: parseConfig(name, ''), path: [], what: 'board file' };
  const read = readBoard(findings, reference, join(SHIPPED, 'boards', `${name}.yaml`));
  if (read === undefined) throw new Error(`${name} does not load: ${JSON.stringify(findings.errors)}`);
  return read.board;
}

interface Pin {
  readonly gpio: number;
  readonly member: string;
  readonly note: string;
}

/** Every member that is a line, wherever it stands. */
function linesOf(value: unknown, path: string): readonly Pin[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => linesOf(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [];
  const { line, activeLow, fault, info } = value as {
    line?: number;
    activeLow?: boolean;
    fault?: string;
    info?: string;
  };
  const note = [...(activeLow === true ? ['active low'] : []), ...(fault === undefined ? [] : [fault]), info ?? ''];
  const here = typeof line === 'number' ? [{ gpio: line, member: path, note: note.filter(Boolean).join(', ') }] : [];
  return [
    ...here,
    ...Object.entries(value).flatMap(([name, member]) => linesOf(member, path === '' ? name : `${path}.${name}`)),
  ];
}

/** A channel of a Pi 3 or 4 comes out at one of two pins, as the overlay says; each of a Pi 5 at its own. */
function pwmPin({ device, channel }: PwmDescription): number {
  const pin = /^dtoverlay=pwm,pin=(\d+)/m.exec(page)?.[1];
  const possible = device.startsWith('1f00098000')
    ? [[12], [13], [18], [19]]
    : [
        [12, 18],
        [13, 19],
      ];
  expect(possible[channel], `${device}, channel ${channel}`).toContain(Number(pin));
  return Number(pin);
}

/** Pins of the header that an interface of the kernel takes. */
const INTERFACES: { readonly [path: string]: readonly number[] } = {
  '/dev/serial0': [14, 15],
  '/dev/ttyAMA0': [14, 15],
  '/dev/spidev0.0': [8, 9, 10, 11],
  '/dev/spidev0.1': [7, 9, 10, 11],
};
const SIGNALS: { readonly [gpio: number]: string } = {
  ...{ 7: 'CE1', 8: 'CE0', 9: 'MISO', 10: 'MOSI', 11: 'SCLK', 14: 'TXD', 15: 'RXD' },
};

const interfacePins = (board: BoardDescription): readonly Pin[] =>
  board.connectors.flatMap(({ evse }, index) => {
    const at = `connectors[${index}].evse`;
    const [member, path] =
      evse.driver === 'controller'
        ? [`${at}.bus.port`, evse.bus.port]
        : evse.driver === 'burstPilot'
          ? [`${at}.adc.spi`, evse.adc.spi]
          : ['', ''];
    return (INTERFACES[path] ?? []).map((gpio) => ({ gpio, member, note: `${path}, ${SIGNALS[gpio]}` }));
  });

const pinsOf = (board: BoardDescription): readonly Pin[] =>
  [
    ...linesOf(board, ''),
    ...interfacePins(board),
    ...board.connectors.flatMap(({ evse }, index) =>
      'pwm' in evse
        ? [
            {
              gpio: pwmPin(evse.pwm),
              member: `connectors[${index}].evse.pwm`,
              note: `${evse.pwm.device}, channel ${evse.pwm.channel}`,
            },
          ]
        : [],
    ),
  ].sort((a, b) => a.gpio - b.gpio);

const pinTable = (board: BoardDescription): string =>
  `| GPIO | pin | member of the board file | note |\n|---|---|---|---|\n${pinsOf(board)
    .map(({ gpio, member, note }) => `| GPIO${gpio} | ${HEADER[gpio]} | \`${member}\` | ${note} |\n`)
    .join('')}`;

const PINS = /(<!-- pins: ([\w-]+);.* -->\n)[\s\S]*?(<!-- \/pins -->)/g;

/** The boards on the page, in its order, and their drawings. */
const DRAWINGS = [
  ['raspberry-pi-evse-din', 'bring-up-controller.svg'],
  ['raspberry-pi-hat', 'bring-up-own-pilot.svg'],
] as const;

describe('docs/bring-up.md', () => {
  it('has the pins of the board files', async () => {
    expect([...page.matchAll(PINS)].map(([, , name]) => name)).toEqual(DRAWINGS.map(([name]) => name));
    const fresh = page.replace(
      PINS,
      (_all, head: string, name: string, tail: string) => head + pinTable(boardNamed(name)) + tail,
    );
    await expect(fresh).toMatchFileSnapshot(BRING_UP);
  });

  it.each(DRAWINGS)('draws the pins of %s', (name, file) => {
    const drawing = readFileSync(join(DOCS, 'images', file), 'utf8');
    const drawn = [...drawing.matchAll(/>GPIO(\d+)</g)].map(([, gpio]) => Number(gpio));
    expect(drawn.sort((a, b) => a - b)).toEqual(pinsOf(boardNamed(name)).map(({ gpio }) => gpio));
  });

  it('shows each drawing, and each of them is small and has its text as text', () => {
    const files = readdirSync(join(DOCS, 'images')).filter((name) => name.startsWith('bring-up-'));
    expect([...page.matchAll(/\(images\/([\w-]+\.svg)\)/g)].map(([, name]) => name).sort()).toEqual(files.sort());
    for (const file of files) {
      const drawing = readFileSync(join(DOCS, 'images', file), 'utf8');
      expect(drawing.length, file).toBeLessThan(8192);
      expect(drawing.match(/<text/g)?.length, file).toBeGreaterThan(10);
      expect(drawing, file).not.toMatch(/<(image|script|style)|#[0-9a-f]{3}|href/i);
    }
  });

  it('names boards, controllers and pages that are there', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([\w/-]+\.md)/g))
      expect(existsSync(join(DOCS, target)), target).toBe(true);
    for (const [, target = ''] of page.matchAll(/`config\/([\w/-]+\.yaml)`/g))
      expect(existsSync(join(SHIPPED, target)), target).toBe(true);
  });

  it('tells commands only that there are, with options that they have', async () => {
    const commands = [...page.matchAll(/^\$ (?:sudo )?chargepoint (.*?)(?: +#.*)?$/gm)].map(([, words = '']) =>
      words.split(' '),
    );
    const inline = [...page.matchAll(/`chargepoint ([a-z -]+)`/g)].map(([, words = '']) => words.split(' '));
    expect(commands.length).toBeGreaterThan(5);
    for (const words of [...commands, ...inline]) {
      const out: string[] = [];
      const io: Io = {
        out: (text) => void out.push(text),
        err: () => undefined,
        script: '.',
        environment: {},
        isTerminal: false,
      };
      const names = words.slice(
        0,
        [...words, '-'].findIndex((word) => /^-|\//.test(word)),
      );
      expect(await program(io, [...names, '--help']), words.join(' ')).toBe(0);
      expect(out.join(''), words.join(' ')).toContain(`Usage: chargepoint ${names.join(' ')}`);
      for (const option of words.filter((word) => word.startsWith('--'))) expect(out.join('')).toContain(option);
    }
  });
});

describe('docs/configuration.md', () => {
  it('lists every question of chargepoint setup', async () => {
    const file = join(DOCS, 'configuration.md');
    const text = readFileSync(file, 'utf8');
    const place = /(<!-- questions: .* -->\n)[\s\S]*(<!-- \/questions -->)/;
    expect(text).toMatch(place);
    const fresh = text.replace(
      place,
      (_all, head: string, tail: string) => head + questionTable(EVERY_QUESTION) + tail,
    );
    await expect(fresh).toMatchFileSnapshot(file);
  });
});

const io: Io = {
  out: () => undefined,
  err: () => undefined,
  script: resolve(import.meta.dirname, '../../src/main.ts'),
  environment: {},
  isTerminal: false,
};
const surroundings = {
  catalogue: { ...(await catalogueFor(io, '/etc/chargepoint')), port: undefined },
  hasSecret: false,
  secretProblem: () => undefined,
  stateDir: '/var/lib/chargepoint',
};
/** Answers that lead to every question. */
const EVERY = { board: 'raspberry-pi-lab', securityProfile: '2', connectors: '1', houseFuseA: '35' };
const EVERY_QUESTION = questionsFor(EVERY, surroundings);

const questionTable = (questions: readonly Question[]): string =>
  `| name | what | default |\n|---|---|---|\n${questions.map(row).join('')}`;

/** Defaults that come from the board are no fixed text. */
const row = ({ name, explain, fallback }: Question): string => {
  const shown = fallback === undefined ? 'has to be answered' : fallback === '' ? 'none' : fallback;
  const isOfTheBoard = /^(connectors|connector1\.(cable|maxA|phases))$/.test(name);
  return `| \`${name}\` | ${explain} | ${isOfTheBoard ? 'as the board has it' : shown} |\n`;
};
