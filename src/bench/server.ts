/** The bench control interface: one JSON document to read and to merge into, a tag reader, and what has changed (bench.md, section 3). */
import type { Agent } from '../agent.ts';
import type { BenchConfig } from '../config.ts';
import { formatTimestamp } from '../ocpp/timestamp.ts';
import type { Log } from '../ports.ts';
import { BenchWorld, type BenchWorldParts, siteOfBoard } from './bench-world.ts';
import { documentOf, outputsOf, type Witnesses } from './document.ts';
import type { FirmwareInputs } from './inputs.ts';
import { type JsonAnswer, type JsonRequest, ok, refused, serveJson } from './json-http.ts';
import { isObject, knownInputs, unknownInputs } from './merge-patch.ts';
import { OutputHistory } from './output-events.ts';

export type BenchAgent = Pick<Agent, 'view' | 'onChange'>;

export interface BenchOptions extends BenchWorldParts {
  readonly config: BenchConfig;
  readonly log: Log;
}

export interface Bench {
  readonly port: number;
  /** What the fake installer should do. */
  readonly firmware: FirmwareInputs;
  /** The agent whose view is shown; to be called once it has started. */
  attach(agent: BenchAgent): void;
  stop(): Promise<void>;
}

/** A GET or PATCH is answered when nothing has changed for this long. */
const QUIET_MS = 8;
const QUIET_LOOKS = 5;
const LONGEST_WAIT_MS = 60_000;
/** As long as an idToken may be (OCPP 1.6 section 7.28). */
const LONGEST_ID_TAG = 20;

/**
 * Applies `bench.inputs`, then listens on 127.0.0.1: to be called before the agent starts. Unknown inputs are reported and left
 * out; a value that an input does not take rejects with a RangeError, a port that cannot be had with the system's error.
 */
export async function startBench(options: BenchOptions): Promise<Bench> {
  const { config, board, log } = options;
  const world = new BenchWorld(options);
  const ids = board.connectors.map(({ id }) => String(id));
  const site = siteOfBoard(board);
  for (const path of unknownInputs(config.inputs, ids, site)) {
    log.warn('unknown member of bench.inputs ignored', { path: path.join('.') });
  }
  const problem = world.patch(knownInputs(config.inputs, ids, site));
  if (problem !== undefined) throw new RangeError(`bench.inputs: ${problem}`);
  const server = new BenchServer(world, options);
  const { port, close } = await serveJson(config.port, { routes: server.routes, log });
  log.info(`the bench listens on http://127.0.0.1:${port}/bench`);
  return {
    port,
    get firmware() {
      return world.inputs.firmware;
    },
    attach: (agent) => server.attach(agent),
    stop: () => {
      server.stop();
      return close();
    },
  };
}

class BenchServer {
  readonly routes = {
    'GET /bench': () => this.#document(),
    'PATCH /bench': (request: JsonRequest) => this.#patch(request),
    'POST /bench/tap': (request: JsonRequest) => this.#tap(request),
    'GET /bench/events': (request: JsonRequest) => this.#events(request),
  };
  readonly #world: BenchWorld;
  readonly #options: BenchOptions;
  readonly #history: OutputHistory;
  readonly #waiting = new Set<() => void>();
  readonly #unsubscribe: (() => void)[] = [];
  #agent: BenchAgent | undefined;
  #changes = 0;
  #isRecordDue = false;
  #isStopped = false;

  constructor(world: BenchWorld, options: BenchOptions) {
    this.#world = world;
    this.#options = options;
    this.#history = new OutputHistory(outputsOf(this.#witnesses));
    this.#unsubscribe.push(options.board.onOutput(() => this.#changed()));
  }

  attach(agent: BenchAgent): void {
    this.#agent = agent;
    this.#unsubscribe.push(agent.onChange(() => this.#changed()));
    this.#changed();
  }

  stop(): void {
    this.#isStopped = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#wake();
  }

  get #witnesses(): Witnesses {
    return { board: this.#options.board, view: this.#agent?.view() };
  }

  get #epochMs(): number {
    const { clock } = this.#options;
    return clock.wall(clock.now());
  }

  #document(): JsonAnswer {
    return ok(documentOf(this.#world.inputs, this.#witnesses, this.#epochMs));
  }

  async #patch({ body }: JsonRequest): Promise<JsonAnswer> {
    const problem = this.#world.patch(body);
    if (problem !== undefined) return refused(problem);
    await this.#settled();
    return this.#document();
  }

  #tap({ body }: JsonRequest): JsonAnswer {
    const { board } = this.#options;
    const all = board.connectors.map(({ id }) => id);
    if (!isObject(body)) return refused('a tap is an object');
    const { idTag, connectors = all, ...others } = body;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) return refused(`${unknown} is no member of a tap`);
    if (typeof idTag !== 'string' || idTag === '' || idTag.length > LONGEST_ID_TAG) {
      return refused(`idTag takes a text of 1 to ${LONGEST_ID_TAG} characters`);
    }
    if (!isSomeOf(all, connectors)) return refused(`connectors takes a list with some of ${all.join(', ')}`);
    board.inputs.present(idTag, connectors);
    return this.#document();
  }

  async #events({ query }: JsonRequest): Promise<JsonAnswer> {
    const after = wholeNumber(query['after'] ?? '0');
    const waitMs = wholeNumber(query['wait'] ?? '0');
    if (after === undefined) return refused('after takes a whole number');
    if (waitMs === undefined || waitMs > LONGEST_WAIT_MS) return refused(`wait takes 0 to ${LONGEST_WAIT_MS} ms`);
    const now = this.#history.since(after);
    if (now.events.length > 0 || waitMs === 0 || this.#isStopped) return ok(now);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.#options.clock.afterReal(waitMs, done);
      this.#waiting.add(done);
    });
    return ok(this.#history.since(after));
  }

  /** Recorded at the end of the turn: within it, board and agent are not of one mind yet. */
  #changed(): void {
    this.#changes += 1;
    if (this.#isRecordDue) return;
    this.#isRecordDue = true;
    queueMicrotask(() => {
      this.#isRecordDue = false;
      if (!this.#isStopped && this.#history.record(outputsOf(this.#witnesses), formatTimestamp(this.#epochMs)))
        this.#wake();
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  async #settled(): Promise<void> {
    for (let look = 0; look < QUIET_LOOKS; look++) {
      const before = this.#changes;
      await new Promise<void>((resolve) => {
        this.#options.clock.afterReal(QUIET_MS, resolve);
      });
      if (this.#changes === before) return;
    }
  }
}

const isSomeOf = (all: readonly number[], some: unknown): some is readonly number[] =>
  Array.isArray(some) && some.length > 0 && some.every((id) => all.includes(id));

const wholeNumber = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
