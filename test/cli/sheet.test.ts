/** The engine of the test sheets: what is tried, what is left out, and how it reads in 80 columns. */
import { describe, expect, it } from 'vitest';
import {
  fail,
  failed,
  fillIn,
  type Line,
  lineText,
  pass,
  type Result,
  type Step,
  skip,
  totalText,
} from '../../src/cli/sheet.ts';

const step = (id: string, needs: readonly string[], run: () => Result | Promise<Result>): Step<undefined> => ({
  id,
  title: id.toUpperCase(),
  needs,
  run,
});
const unreachable = (): Result => {
  throw new Error('it was tried');
};

async function sheet(steps: readonly Step<undefined>[], before: readonly Line[] = [], signal?: AbortSignal) {
  const told: Line[] = [];
  const lines = await fillIn(steps, {
    context: () => undefined,
    before,
    told: (line) => void told.push(line),
    ...(signal === undefined ? {} : { signal }),
  });
  expect(lines.slice(before.length)).toEqual(told);
  return lines.map(({ id, outcome, because }) => [id, outcome, because]);
}

describe('a test sheet', () => {
  it('is filled in from the top, each line told as soon as it is known', async () => {
    const seen: string[] = [];
    const run = (id: string) => () => {
      seen.push(`${id} runs`);
      return pass('good');
    };
    await fillIn([step('a', [], run('a')), step('b', ['a'], run('b'))], {
      context: () => undefined,
      told: ({ id }) => void seen.push(`${id} told`),
    });
    expect(seen).toEqual(['a runs', 'a told', 'b runs', 'b told']);
  });

  it('leaves out what needs a step that failed, and what needs that, and names the one to blame', async () => {
    expect(
      await sheet([
        step('dns', [], () => fail('no name')),
        step('tcp', ['dns'], unreachable),
        step('tls', ['tcp'], unreachable),
        step('clock', [], () => pass('right')),
      ]),
    ).toEqual([
      ['dns', 'FAIL', undefined],
      ['tcp', 'SKIP', 'DNS'],
      ['tls', 'SKIP', 'DNS'],
      ['clock', 'PASS', undefined],
    ]);
  });

  it('goes on after a step that does not apply', async () => {
    expect(await sheet([step('tls', [], () => skip('ws')), step('upgrade', ['tls'], () => pass('in'))])).toEqual([
      ['tls', 'SKIP', undefined],
      ['upgrade', 'PASS', undefined],
    ]);
  });

  it('does not miss a step that is not on this sheet', async () => {
    expect(await sheet([step('upgrade', ['gpio'], () => pass('in'))])).toEqual([['upgrade', 'PASS', undefined]]);
  });

  it('counts what was found before it began', async () => {
    const config: Line = { id: 'config', title: 'Configuration', outcome: 'FAIL', detail: 'nonsense' };
    expect((await sheet([step('dns', ['config'], unreachable)], [config]))[1]).toEqual([
      'dns',
      'SKIP',
      'Configuration',
    ]);
  });

  it('takes a step that throws for one that failed, and goes on', async () => {
    const lines = await fillIn(
      [step('a', [], () => Promise.reject(new Error('out of order'))), step('b', [], () => pass('good'))],
      { context: () => undefined, told: () => {} },
    );
    expect(lines[0]).toMatchObject({ outcome: 'FAIL', detail: 'it broke off: out of order' });
    expect(lines[1]).toMatchObject({ outcome: 'PASS' });
  });

  it('begins nothing more once it was ended', async () => {
    const ending = new AbortController();
    const end = (): Result => {
      ending.abort();
      return pass('the last one');
    };
    const steps = [step('a', [], end), step('b', [], unreachable)];
    expect(await sheet(steps, [], ending.signal)).toEqual([
      ['a', 'PASS', undefined],
      ['b', 'SKIP', undefined],
    ]);
  });
});

describe('what a sheet looks like', () => {
  const line = (result: Result): Line => ({ id: 'x', title: 'TCP', ...result });

  it('has a line for what is short', () => {
    expect(lineText(line(pass('10.0.0.1 port 443, 3 ms')))).toBe(
      'PASS  TCP                   10.0.0.1 port 443, 3 ms\n',
    );
  });

  it('keeps to 80 columns, with what to do next below', () => {
    const text = lineText(line(fail('word '.repeat(40).trim(), 'do '.repeat(40).trim())));
    expect(text.split('\n').every((each) => each.length <= 80)).toBe(true);
    expect(text.replace(/\s+/g, ' ')).toContain('-> do do do');
    expect(text.match(/word/g)).toHaveLength(40);
  });

  it('shows no control characters of the other side', () => {
    expect(lineText(line(fail('\u001b[2Jreason')))).not.toContain('\u001b');
  });

  it('counts, and says where to begin', () => {
    const lines = [line(pass('')), line(fail('first', 'do this')), line(fail('second', 'do that')), line(skip(''))];
    expect(totalText(lines)).toBe('\n1 passed, 2 failed, 1 skipped.\nBegin with: TCP. do this\n');
    expect(failed(lines)).toBe(true);
    expect(failed([line(skip('')), line(pass(''))])).toBe(false);
  });
});
