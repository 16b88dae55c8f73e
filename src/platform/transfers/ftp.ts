/** An FTP session: control connection, login, and one file this way or that. Replies, login and TLS are basic-ftp's, data connections ours. */

import type { Socket } from 'node:net';
import { Client, FTPError } from 'basic-ftp';
import { TransferError } from '../../errors.ts';
import { active, type DataConnection, passive } from './ftp-data.ts';
import type { Guard } from './guard.ts';
import { decoded, type Location } from './location.ts';
import { transferError } from './trouble.ts';
import type { Trust } from './trust.ts';

/** Its own port in the registry of IANA: TLS from the first byte. */
const IMPLICIT_TLS_PORT = 990;
const ANONYMOUS = { user: 'anonymous', password: 'chargepoint@' };
/** The server may have said why it ended the data connection. */
const LAST_WORDS_MS = 1_000;
/** Of a file that is whole: a control connection that a firewall has forgotten in the meantime does not make it less. */
const LAST_REPLY_MS = 15_000;

/** Moves the bytes. Resolves with true if it is certain, whatever the server says, that all of them have gone over. */
export type Flow = (socket: Socket) => Promise<boolean>;

/** Relative to the directory of the login (RFC 1738, section 3.2.2): an absolute path begins with %2F. A fragment is no part of it. */
export const pathOf = ({ url }: Location): string =>
  decoded(`${url.pathname}${url.search}`.replace(/^\//, '').replace(/;type=[aid]$/i, ''));

export class FtpSession {
  readonly #client: Client;
  readonly #location: Location;
  readonly #guard: Guard;

  private constructor(client: Client, location: Location, guard: Guard) {
    this.#client = client;
    this.#location = location;
    this.#guard = guard;
  }

  /** Connected and logged in, for binary files. Rejects with a TransferError or what basic-ftp and the sockets reject with. */
  static async open(location: Location, guard: Guard, trust: Trust): Promise<FtpSession> {
    // Time-outs are the guard's.
    const client = new Client(0);
    guard.signal.addEventListener('abort', () => client.close(), { once: true });
    const session = new FtpSession(client, location, guard);
    try {
      await guard.within(guard.connectMs, 'no connection', connect(client, location, trust));
      const { user, password } = location.credentials ?? ANONYMOUS;
      await guard.race(client.login(user, password));
      await guard.race(client.useDefaultSettings());
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** Undefined if the server does not tell: no such file, or no such command. */
  async size(path: string): Promise<number | undefined> {
    const size = Number((await this.#told(`SIZE ${path}`))?.split(/[\s,]/)[0]);
    return Number.isSafeInteger(size) ? size : undefined;
  }

  /** As the server writes it, for comparison only. */
  modified(path: string): Promise<string | undefined> {
    return this.#told(`MDTM ${path}`);
  }

  /** True if the directory is there and is now the current one. */
  async enter(directory: string): Promise<boolean> {
    return (await this.#told(`CWD ${directory}`)) !== undefined;
  }

  /** Runs `flow` on the data connection that the command makes. `first` goes before the command, REST that is; false if it was refused. */
  async transfer(command: string, flow: Flow, first?: string): Promise<boolean> {
    const data = await this.#dataConnection();
    try {
      if (first !== undefined && (await this.#told(first)) === undefined) return false;
      await this.#run(command, data, flow);
      return true;
    } finally {
      data.close();
    }
  }

  close(): void {
    this.#client.close();
  }

  async #dataConnection(): Promise<DataConnection> {
    const { ftp } = this.#client;
    try {
      return await passive(ftp, this.#guard);
    } catch (refusal) {
      if (this.#guard.reason !== undefined || this.#client.closed) throw refusal;
      // What was wrong with passive says more than that active does not go either: most of us are behind NAT.
      return active(ftp, this.#guard).catch(() => {
        throw transferError(refusal, this.#location, 'opening', 'unreachable');
      });
    }
  }

  async #run(command: string, data: DataConnection, flow: Flow): Promise<void> {
    const { begun, done } = this.#send(command);
    // The end of the connection and the reply that it was the end come in any order.
    const failed = new Promise<never>((_, reject) => done.catch(reject));
    failed.catch(() => {});
    await this.#guard.race(Promise.race([begun, done]));
    const socket = await this.#guard.race(Promise.race([data.socket, failed]));
    const flowing = flow(socket);
    const whole = await this.#guard.race(Promise.race([flowing, failed])).catch(async (error: unknown) => {
      data.close();
      // The file is at rest before anybody else looks at it.
      await flowing.catch(() => {});
      return this.#better(error, done);
    });
    if (!whole) return this.#guard.race(done);
    await this.#guard.within(LAST_REPLY_MS, 'a reply', done).catch((error: unknown) => {
      if (error instanceof FTPError || this.#guard.reason !== undefined) throw error;
    });
  }

  /** A reply says more than a broken connection does; what we have found out ourselves says most. */
  async #better(error: unknown, done: Promise<void>): Promise<never> {
    if (error instanceof TransferError) throw error;
    await this.#guard.within(LAST_WORDS_MS, 'a reply', done).catch((reply: unknown) => {
      if (reply instanceof FTPError) throw reply;
    });
    throw error;
  }

  #send(command: string): { readonly begun: Promise<void>; readonly done: Promise<void> } {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const done: Promise<void> = this.#client.ftp.handle(command, (reply, task) => {
      if (reply instanceof Error) task.reject(reply);
      else if (reply.code < 200) begin();
      else task.resolve(undefined);
    });
    done.catch(() => {});
    return { begun, done };
  }

  /** The text of a positive reply; undefined if the answer is no. */
  async #told(command: string): Promise<string | undefined> {
    try {
      return (await this.#guard.race(this.#client.send(command))).message.slice(4).trim();
    } catch (error) {
      if (error instanceof FTPError) return undefined;
      throw error;
    }
  }
}

async function connect(client: Client, { scheme, host, port }: Location, trust: Trust): Promise<void> {
  if (scheme === 'ftp') {
    await client.connect(host, port);
  } else if (port === IMPLICIT_TLS_PORT) {
    await client.connectImplicitTLS(host, port, trust.of(host));
  } else {
    await client.connect(host, port);
    // Never without: the password would go in the clear.
    await client.useTLS(trust.of(host)).catch((error: unknown) => {
      throw error instanceof FTPError ? new TransferError('tls', `${host}: the server has no TLS`, error.code) : error;
    });
  }
}
