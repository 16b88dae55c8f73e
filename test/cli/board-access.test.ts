/** The board in the hands of a tool: whatever ends the tool opens every contactor that can be opened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { accessBoard } from '../../src/cli/board-access.ts';
import type { AgentConfig } from '../../src/config.ts';
import { bench, load } from '../config/support.ts';

const directory = mkdtempSync(join(tmpdir(), 'board-access-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const IO = { out: () => {}, err: () => {}, script: '.', environment: {}, isTerminal: false };

describe('a tool that ends at once', () => {
  it('opens the other contactors when one of them cannot be commanded', async () => {
    const { config } = load(bench);
    if (config === undefined) throw new Error('the configuration does not load');
    const [connector] = config.connectors;
    const connectors = [1, 2].map((id) => ({ ...connector, id }));
    const others = process.listeners('exit');
    const access = await accessBoard(IO, { ...config, stateDir: directory, connectors, control: {} } as AgentConfig);
    if (!('board' in access)) throw new Error(access.refusal);
    // Runs at a second Ctrl-C and after an uncaught error as well.
    const onExit = process.listeners('exit').find((listener) => !others.includes(listener));
    const [broken, sound] = access.board.connectors;
    if (broken === undefined || sound === undefined) throw new Error('there are no connectors');
    const exercise = sound.evse.exercise?.();
    expect(sound.evse.state.contactor).toBe('closed');
    const permit = broken.evse.permit;
    broken.evse.permit = () => {
      throw new Error('EIO');
    };
    onExit?.(0);
    expect(sound.evse.state.contactor).toBe('open');
    expect(await exercise).toMatchObject({ cutShort: true });
    broken.evse.permit = permit;
    await access.close();
  });
});
