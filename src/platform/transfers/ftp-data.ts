/** FTP's data connections: passive, and active where the server does not do passive or cannot be reached so (RFC 959, 2428, 4217). */

import { type AddressInfo, connect, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { FTPContext } from 'basic-ftp';
import { TransferError } from '../../errors.ts';
import type { Guard } from './guard.ts';

export interface DataConnection {
  /** In active mode it comes when the server dials, which it does only after the command. */
  readonly socket: Promise<Socket>;
  close(): void;
}

/** Asks for a passive connection. The address that PASV names is ignored: behind NAT it is wrong, and it could be anybody's. */
export async function passive(ftp: FTPContext, guard: Guard): Promise<DataConnection> {
  const host = ftp.socket.remoteAddress;
  if (host === undefined) throw new Error('the control connection is gone');
  const port = (await extendedPort(ftp, guard)) ?? (await passivePort(ftp, guard));
  const socket = connect({ host, port });
  const close = closing(guard, () => socket.destroy());
  socket.on('error', () => {});
  try {
    const stands = happening(socket, 'connect');
    await guard.within(guard.connectMs, 'no passive data connection', stands);
  } catch (error) {
    close();
    throw error;
  }
  return { socket: secured(ftp, socket, guard), close };
}

/** Some servers do not know EPSV, and some firewalls cut it out. */
async function extendedPort(ftp: FTPContext, guard: Guard): Promise<number | undefined> {
  const answer = await guard.race(ftp.request('EPSV').catch(refusedOnly));
  const port = Number(/\((.)\1\1(\d{1,5})\1\)/.exec(answer?.message ?? '')?.[2]);
  return port > 0 && port < 65_536 ? port : undefined;
}

async function passivePort(ftp: FTPContext, guard: Guard): Promise<number> {
  const { message } = await guard.race(ftp.request('PASV'));
  const [, high, low] = /\d{1,3},\d{1,3},\d{1,3},\d{1,3},(\d{1,3}),(\d{1,3})/.exec(message) ?? [];
  const port = Number(high) * 256 + Number(low);
  if (port > 0 && port < 65_536) return port;
  throw new TransferError('failed', 'the server does not say where it waits (PASV)');
}

/** A reply of 4xx or 5xx is an answer; a lost connection is not. */
function refusedOnly(error: unknown): undefined {
  if (typeof (error as { code?: unknown }).code !== 'number') throw error;
}

/** Waits for the server on the address by which it knows us. */
export async function active(ftp: FTPContext, guard: Guard): Promise<DataConnection> {
  const own = plain(ftp.socket.localAddress);
  const peer = plain(ftp.socket.remoteAddress);
  if (own === undefined || peer === undefined) throw new Error('the control connection is gone');
  const server = createServer();
  server.on('error', () => {});
  let accepted: Socket | undefined;
  const close = closing(guard, () => {
    server.close();
    accepted?.destroy();
  });
  try {
    await guard.race(happening(server.listen(0, own), 'listening'));
    await guard.race(ftp.request(announcement(own, (server.address() as AddressInfo).port)));
  } catch (error) {
    close();
    throw error;
  }
  const arrived = arrival(server, peer).then((socket) => {
    accepted = socket;
    server.close();
    return secured(ftp, socket, guard);
  });
  return { socket: late(guard, arrived), close };
}

const announcement = (address: string, port: number): string =>
  isIPv6(address) ? `EPRT |2|${address}|${port}|` : `PORT ${[...address.split('.'), port >> 8, port & 255].join(',')}`;

/** Somebody else who connects first must get nothing and give nothing. */
function arrival(server: Server, peer: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      if (plain(socket.remoteAddress) === peer) resolve(socket);
      else socket.destroy();
    });
    server.once('close', () => reject(new Error('the data connection was given up')));
  });
}

function late(guard: Guard, arrived: Promise<Socket>): Promise<Socket> {
  const inTime = guard.within(guard.connectMs, 'no active data connection', arrived);
  // The command may fail first; then nobody asks any more.
  inTime.catch(() => {});
  return inTime;
}

/** The client of the control connection is the client of TLS here too, whoever dialled. Servers want the session of the control connection. */
function secured(ftp: FTPContext, socket: Socket, guard: Guard): Promise<Socket> {
  if (!(ftp.socket instanceof TLSSocket)) return Promise.resolve(socket);
  const session = ftp.tlsSessionStore ?? ftp.socket.getSession();
  const tls = connectTls({ ...ftp.tlsOptions, socket, ...(session === undefined ? {} : { session }) });
  tls.on('session', (next) => {
    ftp.tlsSessionStore = next;
  });
  tls.on('error', () => {});
  const stands = guard.within(guard.connectMs, 'no TLS on the data connection', happening(tls, 'secureConnect'));
  const ready = stands.then(() => tls as Socket);
  ready.catch(() => {});
  return ready;
}

const happening = (emitter: Server | Socket, event: string): Promise<void> =>
  new Promise((resolve, reject) => {
    emitter.once(event, () => resolve());
    emitter.once('error', reject);
  });

/** Closes once, at the end of the transfer at the latest. */
function closing(guard: Guard, close: () => void): () => void {
  guard.signal.addEventListener('abort', close, { once: true });
  return () => {
    guard.signal.removeEventListener('abort', close);
    close();
  };
}

/** On a dual-stack socket an IPv4 address comes in IPv6 clothes. */
const plain = (address: string | undefined): string | undefined => address?.replace(/^::ffff:(?=\d+\.)/i, '');
