/** Secrets that can be recognised wherever they turn up, in whatever coat. */
import { Buffer } from 'node:buffer';

/** As it stands, percent-encoded, inside JSON (once and twice), in hexadecimal, and inside base64 at each of the three places it may begin. */
function coatsOf(secret: string | Uint8Array): readonly string[] {
  const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret);
  const text = bytes.toString('latin1');
  const json = JSON.stringify(text).slice(1, -1);
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(before === 0 ? 0 : 4, -4),
  );
  const coats = [
    text,
    encodeURIComponent(text),
    json,
    JSON.stringify(json).slice(1, -1),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    ...base64,
    ...base64.map((each) => each.replaceAll('+', '-').replaceAll('/', '_')),
  ];
  return [...new Set(coats)].filter((coat) => coat.length >= 6);
}

export interface Sighting {
  readonly where: string;
  readonly secret: string;
  readonly around: string;
}

export class Canaries {
  readonly #coats = new Map<string, readonly string[]>();

  /** `name` is how a sighting is reported. */
  add(name: string, ...secrets: readonly (string | Uint8Array)[]): void {
    this.#coats.set(name, secrets.flatMap(coatsOf));
  }

  sightings(transcripts: ReadonlyMap<string, string>): readonly Sighting[] {
    return [...transcripts].flatMap(([where, text]) =>
      [...this.#coats].flatMap(([secret, coats]) => {
        const coat = coats.find((each) => text.includes(each));
        if (coat === undefined) return [];
        const at = text.indexOf(coat);
        return [{ where, secret, around: text.slice(Math.max(0, at - 80), at + coat.length + 40) }];
      }),
    );
  }
}
