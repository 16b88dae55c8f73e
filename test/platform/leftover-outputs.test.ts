/** What the last process left on is switched off, on a (temporary) sysfs, unless an agent runs or the board is a mock one. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { switchOffLeftovers } from '../../src/platform/leftover-outputs.ts';
import { isListening } from '../../src/platform/socket-file.ts';

let directory: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'leftovers-'));
  mkdirSync(file('sys/class/gpio/gpiochip512'), { recursive: true });
  mkdirSync(file('sys/class/gpio/gpio529'));
  writeFileSync(file('sys/class/gpio/gpiochip512/label'), 'pinctrl-bcm2711\n');
  writeFileSync(file('sys/class/gpio/gpiochip512/base'), '512\n');
  writeFileSync(file('sys/class/gpio/gpio529/direction'), 'out');
  writeFileSync(file('sys/class/gpio/gpio529/value'), '0\n');
  writeFileSync(file('safe-outputs'), 'gpio pinctrl-bcm2711 17 0 0\n');
});
afterEach(async () => {
  await new Promise((done) => (server === undefined ? done(undefined) : server.close(done)));
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

const file = (path: string) => join(directory, path);
const coil = () => readFileSync(file('sys/class/gpio/gpio529/direction'), 'utf8');

async function leftovers(config?: string): Promise<readonly string[]> {
  if (config !== undefined) writeFileSync(file('chargepoint.yaml'), config);
  return switchOffLeftovers(file('chargepoint.yaml'), { runDirectory: directory, sysfs: file('sys') });
}

async function listen(path: string): Promise<void> {
  server = createServer((socket) => socket.end());
  await new Promise<void>((done) => server?.listen(path, done));
}

describe('switchOffLeftovers', () => {
  it.each([['board: pi\n'], ['{ not even yaml'], [undefined], ['# board: mock\nboard: pi\n']])(
    'drives the outputs whatever the configuration is like: %j',
    async (config) => {
      expect(await leftovers(config)).toEqual([]);
      expect(coil()).toBe('low');
    },
  );

  it.each([['board: mock\n'], ['{"connectors":[],"board":"mock","bench":{}}'], ["  board : 'mock' # bench\n"]])(
    'touches nothing for a mock board: %j',
    async (config) => {
      expect(await leftovers(config)).toEqual([]);
      expect(coil()).toBe('out');
    },
  );

  it('touches nothing while an agent listens in the run directory', async () => {
    await listen(file('control.sock'));
    expect(await leftovers('board: pi\n')).toEqual([]);
    expect(coil()).toBe('out');
  });

  it.each([['board: pi\ncontrol:\n  socket: other.sock\n'], ['{"board":"pi","control":{"socket":"other.sock"}}']])(
    'touches nothing while an agent listens where the configuration says: %j',
    async (config) => {
      await listen(file('other.sock'));
      expect(await leftovers(config)).toEqual([]);
      expect(coil()).toBe('out');
    },
  );

  it('drives the outputs over the socket of an agent that was killed', async () => {
    writeFileSync(file('control.sock'), '');
    expect(await leftovers('board: pi\n')).toEqual([]);
    expect(coil()).toBe('low');
  });

  it('says what could not be driven', async () => {
    writeFileSync(file('safe-outputs'), 'gpio pinctrl-bcm2835 17 0 0\n');
    expect(await leftovers('board: pi\n')).toEqual([expect.stringContaining('there is no GPIO chip labelled')]);
  });

  it('has nothing to do where no word was left', async () => {
    rmSync(file('safe-outputs'));
    expect(await leftovers('board: pi\n')).toEqual([]);
    expect(coil()).toBe('out');
  });
});

describe('isListening', () => {
  it('knows who listens, who is gone, and that there never was anybody', async () => {
    await listen(file('a.sock'));
    writeFileSync(file('b.sock'), '');
    expect(await isListening(file('a.sock'))).toBe(true);
    expect(await isListening(file('b.sock'))).toBe(false);
    expect(await isListening(file('c.sock'))).toBe(false);
    expect(await isListening(file('b.sock/c.sock'))).toBe(false);
  });
});
