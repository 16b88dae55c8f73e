/** `GET /tags`: the tags that were presented last, what they became, and what local list and cache hold about them. */
import type { TagRead, TagReader } from '../../../hal/contract.ts';
import { type IdTagEntry, statusAt } from '../../core/authorization.ts';
import { ControlError } from '../../errors.ts';
import { formatTimestamp } from '../../ocpp/timestamp.ts';
import type { Unsubscribe } from '../../ports.ts';
import type { Context, ControlRequest, ControlRoute } from '../feature.ts';

interface Presented extends TagRead {
  /** Counts from 1. */
  readonly number: number;
  /** Monotonic. */
  readonly at: number;
  readonly reader: TagReader;
}

const MOST = 20;

/** In memory only, and never in the log. */
export class PresentedTags {
  readonly #context: Context;
  readonly #subscriptions: readonly Unsubscribe[];
  #last = 0;
  #tags: readonly Presented[] = [];

  constructor(context: Context) {
    this.#context = context;
    const { clock, board } = context;
    this.#subscriptions = board.readers.map((reader) => {
      const note = (read: TagRead): void => {
        this.#last += 1;
        this.#tags = [...this.#tags, { ...read, number: this.#last, at: clock.now(), reader }].slice(-MOST);
      };
      return reader.onRead?.(note) ?? reader.onTag((idTag) => note({ raw: idTag, idTag }));
    });
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  get route(): ControlRoute {
    return {
      method: 'GET',
      path: '/tags',
      handle: (request) => {
        const after = afterIn(request);
        const tags = this.#tags.filter(({ number }) => number > after).map((tag) => this.#shown(tag));
        const readers = this.#context.board.readers.map(placeOf);
        return { last: this.#last, readers, tags };
      },
    };
  }

  #shown({ at, reader, ...read }: Presented) {
    const { authority, clock } = this.#context;
    const known = read.idTag === undefined ? undefined : authority.known(read.idTag);
    const status = (entry: IdTagEntry | undefined) =>
      entry === undefined ? null : statusAt(entry, clock.wall(clock.now()));
    return {
      ...read,
      ...placeOf(reader),
      time: formatTimestamp(clock.wall(at)),
      localList: status(known?.listed),
      cache: status(known?.cached),
    };
  }
}

const placeOf = ({ name = 'mock', connectors }: TagReader) => ({ reader: name, connectors });

function afterIn({ query }: ControlRequest): number {
  const { after = '0' } = query;
  if (/^\d{1,9}$/.test(after)) return Number(after);
  throw new ControlError('badRequest', `after is ${JSON.stringify(after)}, expected the number of a tag`);
}
