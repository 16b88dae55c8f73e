/** A central system that says what it said when it was recorded, and a network that is there when it was. */
import type { Clock, DialRequest, Socket, SocketClosed, SocketEvents, Sockets, Unsubscribe } from '../../ports.ts';
import type { RecordedEntry } from '../../recorder/recording.ts';
import { type FrameHead, headOf, streamOf, withId } from './output.ts';

interface RecordedCall {
  readonly id: string;
  readonly stream: string;
  readonly rest: string;
  readonly answer: string | undefined;
  isTaken: boolean;
  /** The answer has been played already: whoever calls gets it at once. */
  isAnswered: boolean;
  /** The id under which the agent calls now. */
  calledAs: string | undefined;
}

interface Connection {
  readonly events: SocketEvents;
  state: 'dialling' | 'open' | 'closed';
}

export interface RecordedCentralOptions {
  readonly entries: readonly RecordedEntry[];
  readonly clock: Clock;
  /** In seconds, for a BootNotification whose answer is not in the recording. */
  readonly heartbeatIntervalS: number;
}

/** What is said to calls that are not in the recording, so that the agent goes on. */
type Usual = (clock: Clock, heartbeatIntervalS: number) => unknown;
const USUAL: Readonly<Record<string, Usual>> = {
  BootNotification: (clock, interval) => ({ status: 'Accepted', currentTime: nowOf(clock), interval }),
  Heartbeat: (clock) => ({ currentTime: nowOf(clock) }),
  Authorize: () => ({ idTagInfo: { status: 'Accepted' } }),
  StartTransaction: () => ({ transactionId: 0, idTagInfo: { status: 'Accepted' } }),
  DataTransfer: () => ({ status: 'Accepted' }),
  SignCertificate: () => ({ status: 'Accepted' }),
};

const nowOf = (clock: Clock): string => new Date(clock.wall(clock.now())).toISOString();

export class RecordedCentral implements Sockets {
  readonly #options: RecordedCentralOptions;
  readonly #calls: readonly RecordedCall[];
  readonly #onReachable = new Set<() => void>();
  #connection: Connection | undefined;
  #isUp: boolean;
  /** Until the replay begins nothing is taken from the recording. */
  #plays = false;

  constructor(options: RecordedCentralOptions, isUp: boolean) {
    this.#options = options;
    this.#calls = callsOf(options.entries);
    this.#isUp = isUp;
  }

  readonly reachable = true;

  onReachable(listener: () => void): Unsubscribe {
    this.#onReachable.add(listener);
    return () => this.#onReachable.delete(listener);
  }

  dial(_: DialRequest, events: SocketEvents): Socket {
    const { clock } = this.#options;
    const connection: Connection = { events, state: 'dialling' };
    this.#connection = connection;
    clock.after(0, () => {
      if (this.#isUp) this.#open(connection);
    });
    const end = (code: number, reason: string): void => {
      clock.after(0, () => this.#close(connection, { code, reason }));
    };
    return {
      send: (text) => this.#receive(connection, text),
      ping: () => clock.after(0, () => connection.state === 'open' && events.pong()),
      close: end,
      terminate: () => end(1006, ''),
    };
  }

  /** From now on the recording counts. */
  begin(isUp: boolean): void {
    this.#plays = true;
    if (!isUp) this.#setLink(false);
    this.#isUp = isUp;
  }

  /** A frame that was received, or a change of the link. */
  play(entry: RecordedEntry): void {
    if (entry.what === 'link') this.#setLink(entry.open);
    else if (entry.what === 'frame' && entry.direction === 'rx') this.#playFrame(entry.text);
  }

  #playFrame(text: string): void {
    const head = headOf(text);
    if (head === undefined || head.type === 2) {
      this.#deliver(this.#connection, text);
      return;
    }
    const call = this.#calls.find(({ id, isAnswered }) => id === head.id && !isAnswered);
    if (call === undefined) return;
    call.isAnswered = true;
    if (call.calledAs !== undefined) this.#answer(this.#connection, call, call.calledAs);
  }

  #receive(connection: Connection, text: string): void {
    const head = headOf(text);
    if (connection.state !== 'open' || head?.type !== 2) return;
    const { clock } = this.#options;
    const call = this.#plays ? this.#take(head) : undefined;
    if (call === undefined) clock.after(0, () => this.#deliver(connection, this.#usual(head)));
    else if (call.isAnswered) clock.after(0, () => this.#answer(connection, call, head.id));
    else call.calledAs = head.id;
  }

  /** The same call if there is one, or else the next of its kind. */
  #take(head: FrameHead): RecordedCall | undefined {
    const stream = streamOf(head);
    const left = this.#calls.filter((call) => !call.isTaken && call.stream === stream);
    const call = left.find(({ rest }) => rest === head.rest) ?? left[0];
    if (call !== undefined) call.isTaken = true;
    return call;
  }

  #answer(connection: Connection | undefined, { answer }: RecordedCall, id: string): void {
    if (answer !== undefined) this.#deliver(connection, withId(answer, id));
  }

  #usual({ id, action = '' }: FrameHead): string {
    const { clock, heartbeatIntervalS } = this.#options;
    return JSON.stringify([3, id, USUAL[action]?.(clock, heartbeatIntervalS) ?? {}]);
  }

  #deliver(connection: Connection | undefined, text: string): void {
    if (connection?.state === 'open') connection.events.received(text);
  }

  #setLink(isUp: boolean): void {
    this.#isUp = isUp;
    const connection = this.#connection;
    if (!isUp) {
      if (connection !== undefined) this.#close(connection, { code: 1006, reason: '' });
    } else if (connection?.state === 'dialling') this.#open(connection);
    else if (connection === undefined) for (const listener of [...this.#onReachable]) listener();
  }

  #open(connection: Connection): void {
    if (connection.state !== 'dialling') return;
    connection.state = 'open';
    connection.events.opened();
  }

  #close(connection: Connection, how: SocketClosed): void {
    if (connection.state === 'closed') return;
    connection.state = 'closed';
    if (this.#connection === connection) this.#connection = undefined;
    connection.events.closed(how);
  }
}

/** Every call of ours with what was answered. An answer that is not whole is left out: the agent then gets none. */
function callsOf(entries: readonly RecordedEntry[]): readonly RecordedCall[] {
  const frames = entries.flatMap((entry) => (entry.what === 'frame' ? [entry] : []));
  const answers = new Map<string, string>();
  for (const { direction, text, cut } of frames) {
    const head = direction === 'rx' && cut === undefined ? headOf(text) : undefined;
    if (head !== undefined && head.type !== 2) answers.set(head.id, text);
  }
  return frames.flatMap(({ direction, text }) => {
    const head = direction === 'tx' ? headOf(text) : undefined;
    if (head?.type !== 2) return [];
    const { id, rest } = head;
    return [
      {
        id,
        stream: streamOf(head),
        rest,
        answer: answers.get(id),
        isTaken: false,
        isAnswered: false,
        calledAs: undefined,
      },
    ];
  });
}
