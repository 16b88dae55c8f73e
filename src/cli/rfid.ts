/** `chargepoint rfid`: shows each tag that is presented, as it was read and as it becomes, until Ctrl-C. */
import type { TagRead } from '../../hal/contract.ts';
import { callAgent } from '../control/client.ts';
import { ControlError } from '../errors.ts';
import { EXIT, type ExitCode, onEndSignals } from '../platform/system.ts';
import { type AgentOptions, socketFor } from './agent-socket.ts';
import { columns, listOf, recordOf, textOf, wrapped } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';

export interface RfidOptions extends AgentOptions {
  readonly json?: boolean;
  /** So many tags, then end. */
  readonly count?: number;
}

/** As the agent tells it; without an agent the last two are missing. */
interface Tag extends TagRead {
  readonly time: string;
  readonly reader: string;
  readonly connectors: readonly number[];
  readonly localList?: string | null;
  readonly cache?: string | null;
}

const LOOK_EVERY_MS = 250;

/** Exit code 0; 70 if the agent has gone, 78 for the configuration and for a board without a reader. */
export async function rfid(io: Io, options: RfidOptions): Promise<ExitCode> {
  const socket = await socketFor(io, options);
  if (socket === undefined) return EXIT.config;
  const shown = showing(io, options);
  try {
    return (await fromAgent(io, socket, shown)) ?? (await fromReaders(io, options, shown));
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    io.err(`${error.message}.\n`);
    return EXIT.internal;
  } finally {
    shown.close();
  }
}

interface Showing {
  readonly ended: boolean;
  readonly untilEnded: Promise<void>;
  begin(readers: readonly string[], hint: string): void;
  tag(tag: Tag): void;
  close(): void;
}

function showing(io: Io, { json = false, count = Number.POSITIVE_INFINITY }: RfidOptions): Showing {
  let end = (): void => {};
  let shown = 0;
  const state = { ended: false };
  const untilEnded = new Promise<void>((resolve) => {
    end = () => {
      state.ended = true;
      resolve();
    };
  });
  const forget = onEndSignals(end, end);
  return {
    get ended() {
      return state.ended;
    },
    untilEnded,
    begin(readers, hint) {
      if (json) return;
      for (const reader of readers) io.out(wrapped(reader, 0));
      io.out(`${hint} Ctrl-C ends.\n`);
    },
    tag(tag) {
      if (state.ended) return;
      io.out(json ? `${JSON.stringify(tag)}\n` : tagText(tag));
      shown += 1;
      if (shown >= count) end();
    },
    close: forget,
  };
}

const placeText = (reader: string, connectors: readonly number[]): string =>
  `${reader}, connector${connectors.length === 1 ? '' : 's'} ${connectors.join(', ')}`;

function tagText({ time, reader, connectors, raw, idTag, refused, localList, cache }: Tag): string {
  const known = (status: string | null | undefined) => status ?? 'does not know it';
  const rows = [
    ['  read', raw],
    ...(idTag === undefined ? [['  refused', textOf(refused)]] : [['  becomes', idTag]]),
    ...(idTag === undefined || localList === undefined ? [] : [['  list', known(localList)]]),
    ...(idTag === undefined || cache === undefined ? [] : [['  cache', known(cache)]]),
  ];
  return `\n${columns([[`${time.slice(11, 19)}Z ${placeText(reader, connectors)}`]])}${columns(rows)}`;
}

const NO_READER = 'This board has no reader: name one under readers in the board file (docs/rfid.md).\n';

/** Undefined if no agent runs there. Rejects with ControlError if it goes away, or may not be asked. */
async function fromAgent(io: Io, socket: string, shown: Showing): Promise<ExitCode | undefined> {
  const ask = async (after: number) => recordOf(await callAgent(socket, { path: `/tags?after=${after}` }));
  let answer: Readonly<Record<string, unknown>>;
  try {
    answer = await ask(0);
  } catch (error) {
    if (error instanceof ControlError && error.code === 'noAgent') return undefined;
    throw error;
  }
  const readers = listOf(answer['readers']).map((reader) => {
    const { reader: name, connectors } = recordOf(reader);
    return placeText(textOf(name), listOf(connectors) as readonly number[]);
  });
  if (readers.length === 0) {
    io.err(NO_READER);
    return EXIT.config;
  }
  // What was presented before is over.
  let last = Number(answer['last']);
  shown.begin(readers, 'The agent runs: a tag starts and stops as always. Present one.');
  while (!shown.ended) {
    await Promise.race([pause(LOOK_EVERY_MS), shown.untilEnded]);
    if (shown.ended) break;
    const { tags, last: newest } = await ask(last);
    last = Number(newest);
    for (const tag of listOf(tags)) shown.tag(tag as Tag);
  }
  return EXIT.ok;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());

async function fromReaders(io: Io, { config: file }: RfidOptions, shown: Showing): Promise<ExitCode> {
  const { loadFor } = await import('./configuration.ts');
  const loaded = loadFor(io, file ?? DEFAULT_CONFIG);
  if (loaded === undefined) return EXIT.config;
  const { board } = loaded.config;
  if (board === 'mock') {
    io.err('The readers of the mock board exist in a running agent only: chargepoint bench\n');
    return EXIT.config;
  }
  const { readers: descriptions = [], connectors, sysfsRoot = '/sys' } = board;
  if (descriptions.length === 0) {
    io.err(NO_READER);
    return EXIT.config;
  }
  const [{ openReader, readerName }, { toolSurroundings }] = await Promise.all([
    import('../../hal/rfid/open-reader.ts'),
    import('./meter-source.ts'),
  ]);
  const { clock, log } = await toolSurroundings();
  const served = connectors.map(({ id }) => id);
  const readers = await Promise.all(
    descriptions.map(async (description) => {
      const name = readerName(description);
      const onSilent = (silent: boolean, why?: string): void =>
        io.err(silent ? `${name} does not answer: ${why}\n` : `${name} answers again\n`);
      const reader = await openReader(description, { clock, log, connectors: served, sysfsRoot, onSilent });
      reader.onRead?.((read) =>
        shown.tag({ time: new Date(Date.now()).toISOString(), reader: name, connectors: reader.connectors, ...read }),
      );
      return reader;
    }),
  );
  try {
    shown.begin(
      readers.map(({ name, connectors }) => placeText(name, connectors)),
      'No agent runs: nothing but this is done with a tag. Present one.',
    );
    await shown.untilEnded;
    return EXIT.ok;
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}
