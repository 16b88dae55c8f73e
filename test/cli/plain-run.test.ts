/** Which command lines start the agent without the parser. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG } from '../../src/cli/io.ts';
import { plainRun } from '../../src/cli/plain-run.ts';

describe('plainRun', () => {
  it('knows the file of a plain run', () => {
    expect(plainRun(['run'])).toBe(DEFAULT_CONFIG);
    expect(plainRun(['run', '--config', 'a.yaml'])).toBe('a.yaml');
  });

  it.each([
    [],
    ['check'],
    ['run', '--help'],
    ['run', '-h'],
    ['run', 'a.yaml'],
    ['run', '--config'],
    ['run', '--config', '--help'],
    ['run', '--config=a.yaml'],
    ['run', '--config', 'a.yaml', '--help'],
    ['run', '--config', 'a.yaml', '--config', 'b.yaml'],
  ])('leaves %j %j %j to the parser', (...argv) => {
    expect(plainRun(argv)).toBeUndefined();
  });
});
