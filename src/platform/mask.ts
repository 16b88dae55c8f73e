/** Keeps secrets out of the log, and makes errors printable. */

/** Members whose value nobody may read in a log. */
const SECRET = /^(authorizationkey|password|passphrase|secret|basicauth|privatekey)$/i;
const MASK = '***';
/** A JSON string in a text, and the same inside a text that is itself a JSON string. */
const STRINGS = [
  { quote: '"', body: String.raw`(?:[^"\\]|\\.)*` },
  { quote: String.raw`\\"`, body: String.raw`(?:[^"\\]|\\\\(?:\\.|[^\\]))*` },
];
/** The value beside the name AuthorizationKey in a frame, on either side of it: kept, masked, kept. */
const SECRETS_IN_FRAMES = STRINGS.flatMap(({ quote, body }) => {
  const key = `${quote}key${quote}\\s*:\\s*${quote}AuthorizationKey${quote}`;
  const value = `${quote}value${quote}\\s*:\\s*${quote}`;
  return [
    new RegExp(`(${key}[^{}]*?${value})${body}()`, 'gi'),
    new RegExp(`(${value})${body}(${quote}[^{}]*?${key})`, 'gi'),
  ];
});
/** No scheme is longer, and without a bound a hostile text takes seconds. */
const PASSWORD_IN_URL = /(\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@"]*:)[^\s/@"]+@/gi;
/** The query of such an address may be a key. */
const OF_CENTRAL_SYSTEM = /\bwss?:\/\/[^\s"]+/gi;
const MAX_DEPTH = 8;

export const maskText = (text: string): string => {
  const inAddresses = text.includes('://')
    ? text.replace(PASSWORD_IN_URL, `$1${MASK}@`).replace(OF_CENTRAL_SYSTEM, (url) => url.replace(/\?.+$/, `?${MASK}`))
    : text;
  if (!/authorizationkey/i.test(inAddresses)) return inAddresses;
  return SECRETS_IN_FRAMES.reduce((safe, secret) => safe.replace(secret, `$1${MASK}$2`), inAddresses);
};

/** A copy fit for the log: secrets masked, errors as {message, code, cause, stack}, bytes as a length, depth bounded. */
export function masked(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return maskText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '...';
  if (value instanceof Error) return maskedError(value, depth);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1));
  const holdsSecret = 'key' in value && typeof value.key === 'string' && SECRET.test(value.key);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET.test(name) || (holdsSecret && name === 'value') ? MASK : masked(member, depth + 1),
    ]),
  );
}

function maskedError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as { code?: unknown };
  return {
    message: maskText(error.message),
    ...(code === undefined ? {} : { code: masked(code, depth + 1) }),
    ...(error.cause === undefined ? {} : { cause: masked(error.cause, depth + 1) }),
    ...(error.stack === undefined ? {} : { stack: maskText(error.stack) }),
  };
}
