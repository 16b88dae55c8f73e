/** A transfer's URL taken apart, and how it may be shown: without user, password and query. */
import { TransferError } from '../../errors.ts';

const MASK = '***';
const PORTS = { http: 80, https: 443, ftp: 21, ftps: 21 } as const;
export type Scheme = keyof typeof PORTS;

export interface Location {
  readonly url: URL;
  readonly scheme: Scheme;
  /** As a socket wants it: an IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** Fit for messages and logs. */
  readonly shown: string;
}

/** Throws a TransferError: `badUrl`, or `unsupported` for another protocol. */
export function parseLocation(text: string): Location {
  const url = parsedUrl(text);
  const shown = maskedUrl(text);
  if (url === undefined) throw new TransferError('badUrl', `not a URL: ${shown}`);
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) throw new TransferError('unsupported', `no protocol of ours: ${shown}`);
  if (url.hostname === '') throw new TransferError('badUrl', `a URL without a host: ${shown}`);
  const user = decoded(url.username);
  const password = decoded(url.password);
  // An end of line would begin another FTP command or HTTP header.
  if ([user, password, decoded(url.pathname)].some(hasControlCharacter))
    throw new TransferError('badUrl', `a URL with a control character: ${shown}`);
  return {
    url,
    scheme,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORTS[scheme] : Number(url.port),
    credentials: user === '' && password === '' ? undefined : { user, password },
    shown,
  };
}

/** The error of the parser would carry the whole text with it. */
function parsedUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

const isScheme = (text: string): text is Scheme => Object.hasOwn(PORTS, text);

const hasControlCharacter = (text: string): boolean =>
  [...text].some((character) => character < ' ' || character === '\x7f');

/** What is no valid escape stays as it stands: passwords with a bare percent sign are met in the field. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The URL without user, password, query and fragment. All before the last @ goes, for a password with a bare slash or question mark makes a
 * parser take the rest of it for a path; better a URL too short than half a password.
 */
export const maskedUrl = (text: string): string =>
  text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, `$1${MASK}@`)
    .replace(/#.*$/s, '')
    .replace(/\?.*$/s, `?${MASK}`);

/** Text that a server or a library has written, without what the URL keeps secret. */
export function scrubbed(text: string, { url, credentials }: Location): string {
  const secrets = [credentials?.password, url.password, credentials?.user, url.username, url.search];
  return secrets.reduce<string>((clean, secret) => (secret ? clean.replaceAll(secret, MASK) : clean), text);
}
