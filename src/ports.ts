/** What the agent needs from the world around it: interfaces only. `platform/` implements them for Node, `test/sim` for a virtual minute. */

export type Cancel = () => void;
export type Unsubscribe = () => void;

/** When something happened: monotonic time of one boot, and the wall time as it was known then. */
export interface Stamp {
  readonly bootId: string;
  /** Monotonic milliseconds within that boot. */
  readonly at: number;
  /** Epoch milliseconds as believed when the stamp was made. */
  readonly wall: number;
  readonly trusted: boolean;
}

export interface Clock {
  readonly bootId: string;
  /** Monotonic milliseconds. On the bench this is the scaled time of the agent. */
  now(): number;
  /** Runs `action` once, `delayMs` of agent time from now. */
  after(delayMs: number, action: () => void): Cancel;
  /** The same in real time, whatever the bench scales: call time-outs, ping and back-off. */
  afterReal(delayMs: number, action: () => void): Cancel;
  /** Epoch milliseconds that belong to a monotonic time of this boot. */
  wall(at: number): number;
  /** True once NTP has synchronised the machine or the central system has told the time. */
  readonly trusted: boolean;
  /** The central system's time (BootNotification.conf, Heartbeat.conf). Ignored while the machine is NTP synchronised. */
  set(epochMs: number): void;
  /** Called when `trusted` becomes true. */
  onTrusted(listener: () => void): Unsubscribe;
  /** Called when the mapping to wall time jumps. */
  onJump(listener: () => void): Unsubscribe;
}

export type StoreOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'delete'; readonly key: string };

export interface KeyRange {
  /** Inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly to: string;
  readonly limit?: number;
  /** Greatest key first; `limit` then counts from the end. */
  readonly reverse?: boolean;
}

/**
 * Durable, ordered keys with JSON values. Every method rejects with a StoreError. Batches take effect, and settle, in the
 * order in which they were asked for; one that rejects has changed nothing.
 */
export interface Store {
  /** False after a write has failed, true again after one has succeeded. */
  readonly healthy: boolean;
  get<T>(key: string): Promise<T | undefined>;
  list<T>(range: KeyRange): Promise<readonly (readonly [key: string, value: T])[]>;
  /** All or nothing. `durable` has reached the medium when it resolves; `relaxed` may be lost in a power cut. */
  batch(operations: readonly StoreOperation[], durability: 'durable' | 'relaxed'): Promise<void>;
  close(): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number;
  /** A version 4 UUID, 36 characters. */
  uuid(): string;
}

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Log;
}

export interface DialRequest {
  /** ws: or wss:, complete with the percent-encoded identity. */
  readonly url: string;
  readonly subprotocol: string;
  readonly basicAuth?: { readonly user: string; readonly password: Uint8Array };
  /** PEM texts that are trusted besides the system's own. */
  readonly certificateAuthorities?: readonly string[];
  readonly verifyHostname?: boolean;
  /** PEM texts; what a charge point with security profile 3 shows of itself. */
  readonly clientCertificate?: { readonly chain: string; readonly key: string };
  readonly handshakeTimeoutMs: number;
}

export type DialFailure = 'refused' | 'timeout' | 'tls' | 'httpStatus' | 'subprotocol' | 'network';

export interface SocketClosed {
  /** Set if the socket never opened. */
  readonly failure?: DialFailure;
  /** With `httpStatus`: what the server answered to the upgrade. */
  readonly httpStatus?: number;
  /** WebSocket close code, 1006 when the peer vanished. */
  readonly code: number;
  readonly reason: string;
}

export interface SocketEvents {
  opened(): void;
  received(text: string): void;
  pong(): void;
  /** Exactly once, last. */
  closed(how: SocketClosed): void;
}

export interface Socket {
  send(text: string): void;
  ping(): void;
  /** Close handshake; the peer's answer is waited for by the implementation, bounded. */
  close(code: number, reason: string): void;
  /** Drops the connection at once. */
  terminate(): void;
}

/** Makes WebSocket connections. `dial` never throws: what goes wrong arrives as `closed`. Every event comes after `dial` has returned. */
export interface Sockets {
  /** False while the network itself is known to be down: nobody dials then. */
  readonly reachable: boolean;
  /** The network came back: whoever wants a connection dials at once, ignoring its back-off. */
  onReachable(listener: () => void): Unsubscribe;
  dial(request: DialRequest, events: SocketEvents): Socket;
}

export type ExitKind = 'reset' | 'shutdown';

/** The process and the machine below it. */
export interface System {
  /** Ends the process with status 0 once outputs are safe; the supervisor starts it again. */
  exit(kind: ExitKind): void;
}

export interface Ports {
  readonly clock: Clock;
  readonly store: Store;
  readonly random: Random;
  readonly log: Log;
  readonly sockets: Sockets;
  readonly system: System;
}
