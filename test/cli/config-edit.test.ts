/** `chargepoint config edit` with real editors made of sed, and `config diff` against a socket that answers as an agent does. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { differencesOf } from '../../src/cli/config-diff.ts';
import { loadFor } from '../../src/cli/configuration.ts';
import type { Io } from '../../src/cli/io.ts';
import { program } from '../../src/cli/program.ts';
import { toolRoutes } from '../../src/cli/tool-routes.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { socketFile } from '../../src/platform/socket-file.ts';
import { silentLog } from '../sim/world.ts';

let directory: string;
let file: string;
let server: ControlServer | undefined;

const TEXT = `# of the house
chargePoint: { identity: cp001, vendor: Acme, model: Pi }
centralSystem: { url: ws://127.0.0.1:9000 }
board: mock
connectors:
  - { id: 1, cable: socket, maxA: 32 }
stateDir: state
bench: { port: 9001 }
keys:
  HeartbeatInterval: 300
`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'edit-'));
  file = join(directory, 'chargepoint.yaml');
  writeFileSync(file, TEXT);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

interface Setting {
  readonly editor?: string;
  readonly answers?: readonly string[];
  readonly path?: string;
}

async function config(argv: readonly string[], { editor, answers, path = file }: Setting = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const left = [...(answers ?? [])];
  const asked: string[] = [];
  const io: Io = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    script: resolve(import.meta.dirname, '../../src/main.ts'),
    environment: editor === undefined ? {} : { EDITOR: editor },
    isTerminal: false,
    ...(answers === undefined
      ? {}
      : {
          ask: async (question: string) => {
            asked.push(question);
            return left.shift();
          },
        }),
  };
  const code = await program(io, ['config', ...argv, '--config', path]);
  return { code, out: out.join(''), err: err.join(''), asked, io };
}

/** What the tool says of a text that it keeps; taken away again. */
function kept(err: string): string {
  const copy = /Your text is kept: (.*)\n/.exec(err)?.[1] ?? '';
  const text = readFileSync(copy, 'utf8');
  rmSync(resolve(copy, '..'), { recursive: true });
  return text;
}

describe('config edit', () => {
  it('puts the new text in place of the old one, keeps that beside it, and leaves mode and comments alone', async () => {
    chmodSync(file, 0o640);
    const { code, out } = await config(['edit'], { editor: "sed -i 's/maxA: 32/maxA: 16/'" });
    expect(code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(TEXT.replace('maxA: 32', 'maxA: 16'));
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe(TEXT);
    expect([file, `${file}.bak`].map((path) => statSync(path).mode & 0o777)).toEqual([0o640, 0o640]);
    expect(out).toContain('It is read at the next start.');
    expect(readdirSync(directory).toSorted()).toEqual(['chargepoint.yaml', 'chargepoint.yaml.bak']);
  });

  it('says where a text is wrong, leaves the file as it was, and keeps the text: exit code 78', async () => {
    const { code, out, err } = await config(['edit'], { editor: "sed -i 's/maxA: 32/maxA: 999/'" });
    expect([code, out]).toEqual([78, '']);
    expect(err).toMatch(/error \S*chargepoint\.yaml:6:\d+:? .*connectors\[0\]\.maxA/);
    expect(kept(err)).toBe(TEXT.replace('maxA: 32', 'maxA: 999'));
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
    expect(readdirSync(directory)).toEqual(['chargepoint.yaml']);
  });

  it('asks whether to edit again, with the text as it was left', async () => {
    const editor = join(directory, 'editor');
    writeFileSync(
      editor,
      '#!/bin/sh\nif grep -q 999 "$1"; then sed -i s/999/20/ "$1"; else sed -i s/32/999/ "$1"; fi\n',
    );
    chmodSync(editor, 0o755);
    const { code, asked } = await config(['edit'], { editor, answers: [''] });
    expect([code, asked]).toEqual([0, ['Edit again? [Y/n] ']]);
    expect(readFileSync(file, 'utf8')).toBe(TEXT.replace('maxA: 32', 'maxA: 20'));
  });

  it('takes a no for an answer', async () => {
    const { code, err, asked } = await config(['edit'], { editor: "sed -i 's/socket/plug/'", answers: ['n'] });
    expect([code, asked.length]).toEqual([78, 1]);
    kept(err);
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
  });

  it('does nothing where nothing was changed, and nothing after an editor that failed', async () => {
    expect(await config(['edit'], { editor: 'true' })).toMatchObject({ code: 0, out: 'Nothing was changed.\n' });
    const failed = await config(['edit'], { editor: 'false' });
    expect(failed).toMatchObject({ code: 70, err: expect.stringContaining('exit code 1') });
    kept(failed.err);
    const absent = await config(['edit'], { editor: 'no-such-editor' });
    expect(absent).toMatchObject({ code: 70, err: expect.stringContaining('set EDITOR') });
    kept(absent.err);
    expect(readdirSync(directory)).toEqual(['chargepoint.yaml']);
  });

  it('tells a script in JSON what has become of the file', async () => {
    const edit = async (editor: string) => {
      const { code, out, err } = await config(['edit', '--json'], { editor });
      return { code, err, answer: out === '' ? undefined : (JSON.parse(out) as unknown) };
    };
    expect(await edit('true')).toEqual({ code: 0, err: '', answer: { file, replaced: false } });
    expect(await edit("sed -i 's/maxA: 32/maxA: 16/'")).toEqual({
      code: 0,
      err: '',
      answer: { file, replaced: true, backup: `${file}.bak`, agentRuns: false },
    });
    const wrong = await edit("sed -i 's/maxA: 16/maxA: 999/'");
    expect(wrong).toMatchObject({ code: 78, answer: undefined });
    kept(wrong.err);
  });

  it('does not overwrite what somebody else has written meanwhile', async () => {
    const editor = `sed -i 's/maxA: 32/maxA: 16/' "${file}" && sed -i 's/maxA: 32/maxA: 20/'`;
    const { code, err } = await config(['edit'], { editor });
    expect([code, err]).toEqual([70, expect.stringContaining('changed by somebody else')]);
    kept(err);
    expect(readFileSync(file, 'utf8')).toContain('maxA: 16');
  });

  it('leaves a link a link', async () => {
    const path = join(directory, 'link.yaml');
    symlinkSync(file, path);
    expect((await config(['edit'], { editor: "sed -i 's/maxA: 32/maxA: 16/'", path })).code).toBe(0);
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('maxA: 16');
  });

  it('says what is missing of a file that is not there', async () => {
    expect(await config(['edit'], { editor: 'true', path: join(directory, 'none.yaml') })).toMatchObject({
      code: 70,
      err: expect.stringMatching(
        /^There is no \S+none\.yaml\.\nTo write one: chargepoint setup --config \S+none\.yaml\n$/,
      ),
    });
    const missing = await config(['edit'], { editor: 'true', path: join(directory, 'no', 'folder.yaml') });
    expect(missing).toMatchObject({ code: 70, err: expect.stringMatching(/^There is no folder \S+\/no\.\n/) });
    expect(missing.err).not.toMatch(/ENOENT|lstat/);
  });

  it.each([
    ['SIGTERM', 'removes its copy', ':', false],
    ['SIGHUP', 'removes its copy', ':', false],
    ['SIGHUP', 'keeps what was saved in its copy', 'echo more >> "$1"', true],
  ] as const)('says so at %s, ends the editor and %s', async (signal, _, first, isKept) => {
    const pid = join(directory, 'pid');
    const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith('chargepoint-edit-'));
    const before = copies();
    const editor = join(directory, 'editor');
    writeFileSync(editor, `#!/bin/sh\n${first}; echo $$ > ${pid}; exec sleep 20\n`, { mode: 0o755 });
    const editing = config(['edit'], { editor });
    await vi.waitFor(() => expect(readFileSync(pid, 'utf8')).toMatch(/^\d+\n$/), { timeout: 5_000 });
    process.emit(signal, signal);
    const { code, out, err } = await editing;
    const kept = /Your text is kept: (.*)\n$/.exec(err)?.[1];
    expect([code, out, err.split('\n')[0]]).toEqual([70, '', `Ended by ${signal}: ${file} is as it was.`]);
    expect(kept !== undefined && readFileSync(kept, 'utf8')).toBe(isKept && `${TEXT}more\n`);
    if (kept !== undefined) rmSync(dirname(kept), { recursive: true });
    expect(readFileSync(file, 'utf8')).toBe(TEXT);
    expect(copies()).toEqual(before);
    expect(process.listenerCount(signal)).toBe(0);
    await vi.waitFor(() => expect(() => process.kill(Number(readFileSync(pid, 'utf8')), 0)).toThrow('ESRCH'), {
      timeout: 5_000,
    });
  });

  it('edits plain files only: a pipe would never end', async () => {
    const path = join(directory, 'pipe');
    execFileSync('mkfifo', [path]);
    // Whoever reads it all the same is to find an end.
    const writer = spawn('/bin/sh', ['-c', 'exec sleep 2 > "$0"', path]);
    expect(await config(['edit'], { editor: 'true', path })).toMatchObject({
      code: 70,
      err: expect.stringContaining('is no plain file'),
    });
    writer.kill('SIGKILL');
  });
});

describe('config diff', () => {
  const KEYS = [
    {
      name: 'HeartbeatInterval',
      value: '60',
      source: 'centralSystem',
      since: Date.UTC(2026, 0, 5, 8),
      overrides: [
        { source: 'file', value: '300' },
        { source: 'default', value: '300' },
      ],
    },
    { name: 'ConnectionTimeOut', value: '60', source: 'default', overrides: [] },
  ];

  /** An agent that was started with the file as it is now. */
  async function agent(keys: readonly object[] = KEYS): Promise<void> {
    const { io } = await config(['edit'], { editor: 'true' });
    const loaded = loadFor(io, file);
    if (loaded === undefined) throw new Error('the configuration does not load');
    const kept = { flush: async () => {} };
    server = await serveControl({
      socket: socketFile(join(directory, 'state', 'control.sock')),
      log: silentLog,
      routes: [
        ...toolRoutes({ config: loaded.config, kept }),
        { method: 'GET', path: '/keys', handle: () => ({ keys }) },
      ],
    });
  }

  it('says that nothing differs', async () => {
    const adopted = { name: 'ConnectorPhaseRotation', value: '1.RST', source: 'adopted' };
    await agent([...KEYS.slice(1), { ...adopted, overrides: [{ source: 'default', value: '' }] }]);
    expect(await config(['diff'])).toMatchObject({ code: 0, out: 'What runs is what the file says.\n' });
  });

  it('tells what was edited since the start, and what the central system has set: exit code 1', async () => {
    await agent();
    writeFileSync(file, TEXT.replace('maxA: 32', 'maxA: 16'));
    const { code, out } = await config(['diff']);
    expect(code).toBe(1);
    expect(out).toMatch(/edited since the start[^\n]*\n.*\n {2}connectors\[0\]\.maxA +32 +16\n/);
    expect(out).toMatch(
      / {2}HeartbeatInterval +60 +300 \(chargepoint\.yaml:10\) +300 +the central system, 2026-01-05T08:00:00Z\n/,
    );
    expect(out).not.toContain('ConnectionTimeOut');
  });

  it('takes the value that the file has by now, not the one that it had', async () => {
    await agent([{ ...KEYS[0], value: '300', source: 'file', since: undefined, overrides: [] }]);
    writeFileSync(file, TEXT.replace('HeartbeatInterval: 300', 'HeartbeatInterval: 90'));
    const { out } = await config(['diff', '--json']);
    expect(JSON.parse(out)).toMatchObject({ members: [], keys: [{ runs: '300', file: '90' }] });
  });

  it('compares with the store where no agent runs', async () => {
    const { code, out } = await config(['diff']);
    expect([code, out]).toEqual([0, expect.stringContaining('No agent is running')]);
    expect(out).toMatch(/\n\nThe next start will find what the file says\.\n$/);
    expect(out).not.toContain('What runs');
  });

  it('gives no secret away', () => {
    const [before, after] = [toolConfig('first'), toolConfig('second')];
    expect(JSON.stringify([before, after])).not.toMatch(/first|second/);
    expect(differencesOf(before, after)).toEqual([]);
  });

  const toolConfig = (secret: string): unknown => {
    const given = { keys: { AuthorizationKey: secret }, centralSystem: { url: `ws://cp:${secret}@host` } };
    const [route] = toolRoutes({ config: given as never, kept: { flush: async () => {} } });
    return route?.handle({ query: {}, body: undefined });
  };
});
