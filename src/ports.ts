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
  /** Without the values that cannot be read any more; fewer than `limit` only at the end of the range. */
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

/**
 * `certificate`: we do not believe the server; `validity`: because its certificate is out of its time, or our clock is wrong. `version` and
 * `cipherSuite`: it has none of ours. `refusedUs`: it does not take our certificate.
 */
export type TlsVerdict = 'certificate' | 'validity' | 'version' | 'cipherSuite' | 'refusedUs';

export interface SocketClosed {
  /** Set if the socket never opened. */
  readonly failure?: DialFailure;
  /** With `httpStatus`: what the server answered to the upgrade. */
  readonly httpStatus?: number;
  /** With `tls`, where the cause is known. */
  readonly tls?: TlsVerdict;
  /** WebSocket close code, 1006 when the peer vanished. */
  readonly code: number;
  readonly reason: string;
}

export interface SocketEvents {
  /** With TLS: the fingerprints (`Certificate.fingerprint`) of the chain that was verified, from the server's own certificate to its root. */
  opened(verified?: readonly string[]): void;
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

/** Names the key of a certificate as the security whitepaper sizes it. `other` is whatever we do not know, and is always too weak. */
export interface CertificateKey {
  readonly kind: 'rsa' | 'ec' | 'dsa' | 'ed25519' | 'ed448' | 'other';
  readonly bits: number;
}

export type KeyUse =
  | 'digitalSignature'
  | 'nonRepudiation'
  | 'keyEncipherment'
  | 'dataEncipherment'
  | 'keyAgreement'
  | 'keyCertSign'
  | 'cRLSign'
  | 'encipherOnly'
  | 'decipherOnly';

/** Why a certificate is below the properties of security whitepaper section 2.6.1. */
export interface CertificateWeakness {
  /** A00.FR.502: RSA or DSA key; A00.FR.503: elliptic curve; A00.FR.504: algorithm of the key or of the signature. */
  readonly rule: 'A00.FR.502' | 'A00.FR.503' | 'A00.FR.504';
  readonly text: string;
}

/** What an X.509 certificate says. Plain data: `pem` is all that has to be kept, the rest can be read again. */
export interface Certificate {
  /** 64 characters a line and LF, however it came; ends with a line feed. */
  readonly pem: string;
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits: two certificates are the same if this is. */
  readonly fingerprint: string;
  /** `O=Acme, CN=cp001`, in the order of the certificate; control characters and separators inside a value are escaped. */
  readonly subject: string;
  readonly issuer: string;
  /** Of the subject; the last one if there are several. */
  readonly commonName?: string;
  readonly organization?: string;
  /** Upper-case hexadecimal without leading zeros, at most 40 digits (security whitepaper section 6.1). */
  readonly serialNumber: string;
  /** Epoch milliseconds, both inclusive. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** 1, 2 or 3. */
  readonly version: number;
  /** Subject and issuer are the same name. */
  readonly selfIssued: boolean;
  /** `selfIssued`, and its own key made the signature. A self-issued one that is not is damaged, or rolls over from another key. */
  readonly selfSigned: boolean;
  /** Absent without basicConstraints, as in a certificate of version 1. */
  readonly ca?: boolean;
  /** How many intermediate certificates may follow. */
  readonly pathLength?: number;
  /** Absent without the extension: then nothing is ruled out. */
  readonly keyUsage?: readonly KeyUse[];
  readonly key: CertificateKey;
  /** `sha256WithRSAEncryption`, `ecdsa-with-SHA256`, `rsassaPss-SHA256`; the dotted number of one that we do not know. */
  readonly signatureAlgorithm: string;
  /** Absent if it is strong enough. How a self-signed certificate is signed does not matter: nobody relies on it. */
  readonly weakness?: CertificateWeakness;
}

/** `none`: no PEM block of a certificate in the text. `malformed`: one of them is no X.509 certificate. */
export type CertificatesRead =
  | { readonly ok: true; readonly certificates: readonly [Certificate, ...Certificate[]] }
  | { readonly ok: false; readonly reason: 'none' | 'malformed' };

export type CertificateHashAlgorithm = 'SHA256' | 'SHA384' | 'SHA512';

/** CertificateHashDataType, security whitepaper section 6.1. Hashes in lower case, the serial number in upper: compare without regard to case. */
export interface CertificateHash {
  readonly hashAlgorithm: CertificateHashAlgorithm;
  readonly issuerNameHash: string;
  readonly issuerKeyHash: string;
  readonly serialNumber: string;
}

export type ChainFault =
  | 'expired'
  | 'notYetValid'
  /** A trusted or a given certificate has the name of the issuer, but another key made the signature. */
  | 'badSignature'
  | 'unknownIssuer'
  /** The issuer is no certification authority, or may not sign certificates. */
  | 'notACa'
  | 'pathTooLong'
  | 'tooWeak'
  /** An extension that says it must be understood (RFC 5280 section 4.2), and is not: name constraints, policy constraints. */
  | 'unsupportedExtension';

export type ChainVerdict =
  /** From the leaf to the trust anchor that vouches for it. */
  | { readonly ok: true; readonly path: readonly Certificate[] }
  | {
      readonly ok: false;
      readonly reason: ChainFault;
      /** The certificate that is at fault; with `badSignature` and `unknownIssuer` the one that nobody vouches for. */
      readonly certificate: Certificate;
      /** With `tooWeak`. */
      readonly weakness?: CertificateWeakness;
    };

export interface CertificateSubject {
  readonly commonName: string;
  readonly organization?: string;
}

/** `notRead`: the signature is no base64, or the key is neither RSA nor on an elliptic curve; the data were not asked for. */
export type SignatureVerdict = 'valid' | 'invalid' | 'notRead';

/**
 * X.509. Nothing is loaded before the first call. Takes the text of a foreign party as it comes: what is wrong with it is a return value,
 * never an error.
 */
export interface Certificates {
  /** All certificates of a PEM text in their order, whatever stands between them. */
  read(pem: string): Promise<CertificatesRead>;
  /** Without an issuer the certificate is its own, which is right for a root. */
  hash(algorithm: CertificateHashAlgorithm, certificate: Certificate, issuer?: Certificate): Promise<CertificateHash>;
  /**
   * RFC 5280 section 6 from the first of `chain` to one of `anchors`; the rest of `chain` may help, in any order. An anchor need not be
   * self-signed, and need not say that it is a CA. `now` is epoch milliseconds; `unknown` leaves the validity periods alone: then whoever
   * asks has to look at them once the clock is trusted.
   */
  verifyChain(
    chain: readonly [Certificate, ...Certificate[]],
    anchors: readonly Certificate[],
    now: number | 'unknown',
  ): Promise<ChainVerdict>;
  /** A PKCS#10 request (RFC 2986) as PEM for a key of the store; undefined if the store has no such key any more. */
  signingRequest(
    subject: CertificateSubject,
    key: StoredKey,
    keys: Pick<KeyStore, 'sign'>,
  ): Promise<string | undefined>;
  /** Whether the certificate is for this key. */
  belongsTo(certificate: Certificate, key: StoredKey): Promise<boolean>;
  /**
   * Signed firmware (L01.FR.04): RSA-PSS with SHA-256 and a salt of any length, or ECDSA with SHA-256 (DER); never RSA PKCS#1 v1.5. Reads
   * `data` once, to its end; rejects only with what reading it rejects with.
   */
  verifySignature(
    certificate: Certificate,
    data: AsyncIterable<Uint8Array>,
    signatureBase64: string,
  ): Promise<SignatureVerdict>;
}

export type KeyKind = 'ecP256' | 'rsa2048';

/** What may be known of a key pair of ours. */
export interface StoredKey {
  /** 32 hexadecimal digits, from the public key. */
  readonly id: string;
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo as PEM. */
  readonly publicKey: string;
}

/**
 * The private keys of the charge point; they never leave it (A02.FR.05). One implementation keeps them in files of their owner; one
 * over PKCS#11 or a TPM is not built, and would hand a reference to the TLS library instead of the PEM text. What the machine does not
 * let us do rejects with a StoreError.
 */
export interface KeyStore {
  /** The key is on the medium when this resolves. RSA takes seconds on a small Pi, off the event loop. */
  generate(kind: KeyKind): Promise<StoredKey>;
  /** Ordered by id. Keys that nobody refers to any more are left by a power cut: whoever keeps the references deletes them. */
  list(): Promise<readonly StoredKey[]>;
  /** SHA-256 with ECDSA (DER) or RSA PKCS#1 v1.5, as signing requests are signed; undefined if there is no such key. */
  sign(id: string, data: Uint8Array): Promise<Uint8Array | undefined>;
  /** PEM, for the TLS dial and nobody else: it must not be kept, logged or shown. Undefined if there is no such key. */
  privateKey(id: string): Promise<string | undefined>;
  /** Durable when it resolves; a key that is not there is no trouble. */
  delete(id: string): Promise<void>;
}

export interface TransferTimeouts {
  /** Until a connection stands, TLS included; 20 s. */
  readonly connectMs?: number;
  /** Without a byte or an answer; 60 s. */
  readonly idleMs?: number;
  /** From the first to the last moment; 2 h. */
  readonly overallMs?: number;
}

export interface TransferProgress {
  /** Of the whole file: what an earlier attempt brought counts. */
  readonly bytes: number;
  /** Absent if the server does not tell. */
  readonly total?: number;
}

export interface TransferOptions {
  /** PEM texts that are trusted besides the system's own. */
  readonly certificateAuthorities?: readonly string[];
  /** Aborting closes every connection; the promise rejects with `aborted`. */
  readonly signal?: AbortSignal;
  readonly timeouts?: TransferTimeouts;
  /** Called for each chunk, some 16 to 64 kB. */
  onProgress?(progress: TransferProgress): void;
}

export interface DownloadOptions extends TransferOptions {
  /** There only when it is whole and on the medium. Until then `<toFile>.part` holds the bytes and `<toFile>.part.json` what they belong to. */
  readonly toFile: string;
  /** Go on with what an earlier attempt has left, if the server still has the same file. */
  readonly resume?: boolean;
  /** A larger file is refused, before a byte is written if the server tells its size. */
  readonly mostBytes?: number;
  /** So much of the disk stays free, for the store is on it as well; 16 MiB. */
  readonly keepFreeBytes?: number;
}

export interface UploadOptions extends TransferOptions {
  readonly fromFile: string;
  /** What the file is called where the URL names a directory. */
  readonly fileName: string;
  /** Over HTTP; without it PUT, and POST if the server does not take PUT. */
  readonly method?: 'PUT' | 'POST';
}

export interface Transferred {
  /** Of the whole file. */
  readonly bytes: number;
}

/** Files from and to a server by http, https, ftp or ftps URL. One attempt each; rejects with a TransferError. */
export interface Transfers {
  download(url: string, options: DownloadOptions): Promise<Transferred>;
  upload(url: string, options: UploadOptions): Promise<Transferred>;
}

/** The one firmware image that there is at a time: a file in the state directory. Rejects with a StoreError. */
export interface FirmwareFile {
  /** Where a download has to put it; its directory is there. */
  place(): Promise<string>;
  /** Whether it is there, whole, as `Transfers` leaves it. */
  exists(): Promise<boolean>;
  /** From its beginning to its end. */
  read(): AsyncIterable<Uint8Array>;
  /** `image`: what a broken download has left stays, for the next one to go on with. What is not there is no trouble. */
  remove(what: 'image' | 'all'): Promise<void>;
  /** SHA-256 of it, in hexadecimal digits. */
  digest(): Promise<string>;
}

export interface FirmwareImage {
  readonly file: string;
}

export type Installation =
  /** `reboot`: what was installed runs after a restart only. */
  | { readonly ok: true; readonly reboot: boolean }
  /** `refused`: the image itself is no good, and nothing was begun. `reason` is for the log. */
  | { readonly ok: false; readonly reason: string; readonly refused?: true };

/** Puts an image in force. Nothing is loaded before the first call. */
export interface Installer {
  /** False: nobody has said how, and no update can be accepted. */
  readonly available: boolean;
  /** The connectors may be used meanwhile. */
  readonly keepsAvailable: boolean;
  /** Never rejects; bounded in time. */
  install(image: FirmwareImage): Promise<Installation>;
  /**
   * After an end of the process in the middle of `install`: waits for what goes on of it without us, and says what has become of it. Absent
   * where nothing goes on without us: then it has failed. Never rejects; bounded in time.
   */
  resume?(): Promise<Installation>;
  /** Names what runs now: another name after a restart means another version. Undefined if nobody can tell. Never rejects. */
  running(): Promise<string | undefined>;
  /** What runs has not proved itself yet: without us the version before may come back. Never rejects. */
  onTrial(): Promise<boolean>;
  /** Restarts the machine where the end of the process is not enough; called last. Never rejects. */
  restart(): Promise<void>;
}

/** Epoch milliseconds, both inclusive; without one of them as far as there is anything. */
export interface TimeRange {
  readonly from?: number;
  readonly to?: number;
}

export interface DiagnosticsRequest {
  /** Ends with `.tar.gz`; without that it is the folder in the archive. */
  readonly fileName: string;
  /** Which lines of the log. */
  readonly range: TimeRange;
  /** JSON files, by their names without `.json`. What a log would mask is masked in them. */
  readonly documents: Readonly<Record<string, unknown>>;
  /** Whole files as they are. */
  readonly files?: readonly AttachedFile[];
}

export interface AttachedFile {
  /** Below the folder: `recorder/now.jsonl`. */
  readonly name: string;
  readonly bytes: number;
  /** Undefined if it has gone meanwhile. Rejects with StoreError; the archive then does without it. */
  read(): Promise<Uint8Array | undefined>;
}

/** A file made for an upload, on the disk of the charge point. */
export interface Archive {
  readonly file: string;
  readonly bytes: number;
  /** Never rejects. */
  remove(): Promise<void>;
}

/** Makes files for an upload, in the background and in pieces. Rejects with StoreError: `storeFull` also if too little would stay free. */
export interface Archives {
  /** One tar.gz: log lines of the range, the documents, and what program and machine this is. */
  diagnostics(request: DiagnosticsRequest): Promise<Archive>;
  /** One text file; each line gets its line feed. They are asked for as they are written. */
  text(lines: Iterable<string>): Promise<Archive>;
}

export interface SavedRecording {
  readonly name: string;
  /** With its directory. */
  readonly file: string;
  readonly bytes: number;
}

/** Flight recordings on the disk, a bounded number of them. Rejects with StoreError: `storeFull` also if too little would stay free. */
export interface Recordings {
  /**
   * Whole and on the medium when it resolves, or not there at all; the oldest ones make room. `title` (letters, digits, `_` and `-`) becomes
   * a part of the name.
   */
  save(title: string, content: readonly Uint8Array[]): Promise<SavedRecording>;
  /** Oldest first. */
  list(): Promise<readonly SavedRecording[]>;
  /** Undefined if there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
}

export type ExitKind = 'reset' | 'shutdown';

/** The process and the machine below it. */
export interface System {
  /** Ends the process with status 0 once outputs are safe; the supervisor starts it again. */
  exit(kind: ExitKind): void;
  /** What the disk of the store still takes, in bytes; undefined if nobody can tell. Absent where there is no disk. Never rejects. */
  freeBytes?(): Promise<number | undefined>;
}

export interface Ports {
  readonly clock: Clock;
  readonly store: Store;
  readonly random: Random;
  readonly log: Log;
  readonly sockets: Sockets;
  readonly system: System;
  readonly certificates: Certificates;
  readonly keyStore: KeyStore;
  readonly transfers: Transfers;
  readonly archives: Archives;
  readonly recordings: Recordings;
  readonly installer: Installer;
  readonly firmwareFile: FirmwareFile;
}
