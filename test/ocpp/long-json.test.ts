/** JSON in pieces says what `JSON.parse` says, of good texts and of bad ones, however they are cut. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFrame, parsingFrame } from '../../src/ocpp/frame.ts';
import { readingJson } from '../../src/ocpp/long-json.ts';

function read<T>(reading: Generator<undefined, T>): { readonly result: T; readonly pieces: number } {
  for (let pieces = 1; ; pieces++) {
    const { done, value } = reading.next();
    if (done) return { result: value, pieces };
  }
}

function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    return error instanceof SyntaxError ? 'no JSON' : error;
  }
}

const inPieces = (text: string): unknown => outcome(() => read(readingJson(text)).result.value);
const atOnce = (text: string): unknown => outcome(() => JSON.parse(text));

describe('JSON in pieces', () => {
  it('is what JSON.parse makes of it', () => {
    const spaced = fc.tuple(fc.json({ depthSize: 'medium' }), fc.constantFrom(0, 1, '\t', ' \n'));
    fc.assert(
      fc.property(spaced, ([text, space]) => {
        const pretty = JSON.stringify(JSON.parse(text), undefined, space);
        expect(inPieces(text)).toEqual(atOnce(text));
        expect(inPieces(` ${pretty}\r\n`)).toEqual(atOnce(pretty));
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused where JSON.parse refuses it, whatever character is wrong', () => {
    const wrong = fc.constantFrom(
      '',
      ',',
      ':',
      '"',
      '\\',
      ']',
      '}',
      '[',
      '{',
      '0',
      '-',
      '.',
      'e',
      '\u0001',
      '\u00a0',
      'x',
    );
    fc.assert(
      fc.property(fc.json(), wrong, fc.nat(), fc.nat({ max: 3 }), (text, planted, where, gone) => {
        const at = where % (text.length + 1);
        const spoiled = text.slice(0, at) + planted + text.slice(at + gone);
        expect(inPieces(spoiled)).toEqual(atOnce(spoiled));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['a name of Object itself', '{"__proto__":{"a":1},"constructor":2}'],
    ['the same name twice', '{"a":1,"b":2,"a":3}'],
    ['escapes', '["\\"","\\\\","a\\\\\\"b","\\u0041\\ud83d"]'],
    ['an escape that is none', '["\\x"]'],
    ['a line end in a text', '["a\nb"]'],
    ['numbers', '[-0,1e5,1E-2,0.5,123456789012345678901]'],
    ['a leading zero', '[01]'],
    ['nothing after the point', '[1.]'],
    ['two values', '1 2'],
    ['a comma at the end', '[1,]'],
    ['no value', '{"a":}'],
    ['nothing', ''],
  ])('agrees on %s', (_, text) => {
    expect(inPieces(text)).toEqual(atOnce(text));
    if (text.includes('__proto__'))
      expect(Object.keys((inPieces(text) as { value: object }).value)[0]).toBe('__proto__');
  });

  it('comes in more pieces the more values there are', () => {
    const { result, pieces } = read(readingJson(JSON.stringify(Array.from({ length: 20_000 }, (_, n) => n))));
    expect(result).toMatchObject({ depth: 1, value: { length: 20_000 } });
    expect(pieces).toBeGreaterThanOrEqual(10);
  });

  it('reads a long text a piece at a time, however its escapes lie at the ends of the pieces', () => {
    const part = fc.constantFrom('x', ' ', '\\\\', '\\"', '\\u0041', '\\ud83d\\ude00', '\u{1f600}', '\\n', '\u0085');
    const long = fc
      .tuple(fc.array(part, { minLength: 1, maxLength: 9 }), fc.nat({ max: 40_000 }))
      .map(([parts, length]) => parts.join('').repeat(Math.ceil(length / parts.join('').length)));
    fc.assert(
      fc.property(long, fc.constantFrom('', '\\', '\\u12', '\\u12G4', '\n', '\\x', '"'), (inside, spoiling) => {
        for (const text of [`["${inside}","${inside}"]`, `{"a":"${inside}${spoiling}","b":["${inside}"]}`])
          expect(inPieces(text)).toEqual(atOnce(text));
      }),
    );
  });

  it.each([
    ['backslashes', '\\\\'],
    ['quotation marks', '\\"'],
    ['letters', 'x'],
  ])('comes in more pieces the longer a text of %s is', (_, part) => {
    const text = part.repeat(500_000 / part.length);
    const { result, pieces } = read(readingJson(`["${text}"]`));
    expect(result.value).toEqual(JSON.parse(`["${text}"]`));
    expect(pieces).toBeGreaterThanOrEqual(10);
  });

  it('comes in more pieces the longer many texts are', () => {
    const texts = JSON.stringify(Array.from({ length: 100 }, () => '\\'.repeat(2_500)));
    expect(read(readingJson(texts)).pieces).toBeGreaterThanOrEqual(10);
  });

  it('refuses a name that is longer than any message needs', () => {
    const named = (length: number) => `{"${'n'.repeat(length)}":1}`;
    expect(inPieces(named(16_000))).toEqual(atOnce(named(16_000)));
    expect(inPieces(named(17_000))).toBe('no JSON');
  });

  it('knows how deep it goes, and refuses a million levels and a million members without exhausting anything', () => {
    expect(read(readingJson('[[],{"a":[{}]}]')).result.depth).toBe(4);
    expect(inPieces('['.repeat(1e6))).toBe('no JSON');
    expect(inPieces(`${'['.repeat(1e6)}${']'.repeat(1e6)}`)).toBe('no JSON');
    const members = Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [n, n]));
    expect(inPieces(JSON.stringify(members))).toBe('no JSON');
  });
});

describe('a frame read in pieces', () => {
  it('is the frame that it is at once', () => {
    const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const element = fc.oneof(
      fc.json(),
      fc.constantFrom('2', '3', '4', '"id"', '"Reset"', '{}', nested(32), nested(33)),
    );
    const text = fc.oneof(
      fc.array(element, { maxLength: 5 }).map((elements) => `[${elements.join()}]`),
      fc.json(),
      fc.string(),
      fc.constantFrom('2', '3').chain((type) => element.map((payload) => `[${type},"id","A",${payload}]`)),
    );
    fc.assert(
      fc.property(text, (sent) => {
        expect(read(parsingFrame(sent)).result).toEqual(parseFrame(sent));
      }),
      { numRuns: 2000 },
    );
  });
});
