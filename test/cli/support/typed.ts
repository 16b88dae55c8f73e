/** A command line as somebody types it: what it writes and how it ends. */
import { resolve } from 'node:path';
import type { Io } from '../../../src/cli/io.ts';
import { program } from '../../../src/cli/program.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function typed(argv: readonly string[], more: Partial<Io> = {}): Promise<Typed> {
  const [out, err]: [string[], string[]] = [[], []];
  const io: Io = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    script: resolve(import.meta.dirname, '../../../src/main.ts'),
    environment: {},
    isTerminal: false,
    ...more,
  };
  const code = await program(io, argv);
  return { code, out: out.join(''), err: err.join('') };
}
