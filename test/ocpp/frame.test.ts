/** Frames: text to frame and back (OCPP-J 1.6, section 4.2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCall, formatError, formatResult, parseFrame } from '../../src/ocpp/frame.ts';

const id = fc.oneof(
  fc.string({ minLength: 1 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
);
const payload = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()));
const viaJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a well-formed frame', () => {
  it('comes back as it was formatted', () => {
    fc.assert(
      fc.property(id, fc.string(), payload, (anId, action, aPayload) => {
        const sent = viaJson(aPayload);
        expect(parseFrame(formatCall(anId, action, aPayload))).toEqual({
          type: 'call',
          id: viaJson(anId),
          action,
          payload: sent,
        });
        expect(parseFrame(formatResult(anId, aPayload))).toEqual({ type: 'result', id: viaJson(anId), payload: sent });
      }),
    );
  });

  it('may be a CALLERROR without description and details, and with any code', () => {
    expect(parseFrame('[4,"a","RpcFrameworkError"]')).toEqual({
      type: 'error',
      id: 'a',
      code: 'RpcFrameworkError',
      description: '',
    });
    expect(parseFrame('[4,7]')).toEqual({ type: 'error', id: 7, code: 'GenericError', description: '' });
    expect(parseFrame('[4,"a","GenericError","why",{"x":1}]')).toMatchObject({ description: 'why' });
  });

  it('keeps number ids numbers and string ids strings', () => {
    expect(parseFrame('[2,17,"Heartbeat",{}]')).toMatchObject({ id: 17 });
    expect(parseFrame('[2,"17","Heartbeat",{}]')).toMatchObject({ id: '17' });
  });
});

describe('an empty frame', () => {
  it.each(['', ' ', '\n', '\t \r\n'])('%j is ignored', (text) => {
    expect(parseFrame(text)).toEqual({ type: 'ignore' });
  });
});

describe('a text that is no frame', () => {
  it.each([
    ['broken JSON with an id', '[2,"a","Heartbeat",{', { id: 'a', code: 'GenericError' }],
    ['broken JSON with a number id', ' [ 2 , 12 , "Heartbeat"', { id: 12, code: 'GenericError' }],
    ['broken JSON with an escaped id', '[2,"a\\"\\u0041","Heartbeat",}', { id: 'a"A', code: 'GenericError' }],
    ['an unknown message type with an id', '[5,"a","Heartbeat",{}]', { id: 'a', code: 'FormationViolation' }],
    ['a message type in quotes', '["2","a","Heartbeat",{}]', { id: 'a', code: 'FormationViolation' }],
    ['a CALL without payload', '[2,"a","Heartbeat"]', { id: 'a', code: 'FormationViolation' }],
    ['a CALL with five elements', '[2,"a","Heartbeat",{},1]', { id: 'a', code: 'FormationViolation' }],
    ['a CALL whose action is no string', '[2,"a",7,{}]', { id: 'a', code: 'FormationViolation' }],
  ])('%s is answered with a CALLERROR', (_what, text, answer) => {
    expect(parseFrame(text)).toMatchObject({ type: 'malformed', answer });
  });

  it.each([
    ['broken JSON without an id', '[2,'],
    ['broken JSON that is an answer', '[3,"a",{'],
    ['broken JSON with a broken id', '[2,"a\\x","Heartbeat",{'],
    ['no JSON at all', 'hello'],
    ['an object', '{"id":"a"}'],
    ['null', 'null'],
    ['an empty array', '[]'],
    ['an unknown type without an id', '[9]'],
    ['a CALL with an empty id', '[2,"","Heartbeat",{}]'],
    ['a CALL with null for an id', '[2,null,"Heartbeat",{}]'],
    ['a CALL whose id is no finite number', '[2,1e999,"Heartbeat",{}]'],
    ['a CALLRESULT without an id', '[3]'],
    ['a CALLERROR with an object for an id', '[4,{},"GenericError","",{}]'],
  ])('%s is answered with nothing', (_what, text) => {
    const frame = parseFrame(text);
    expect(frame.type).toBe('malformed');
    expect(frame).not.toHaveProperty('answer');
  });
});

describe('hostile text', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

  it('nested beyond all reason does not exhaust the stack', () => {
    expect(parseFrame(nested(200_000)).type).toBe('malformed');
    expect(parseFrame(`[2,"a","DataTransfer",${nested(200_000)}]`)).toMatchObject({
      answer: { id: 'a', code: 'FormationViolation' },
    });
    expect(parseFrame(`[3,"a",${nested(200_000)}]`)).toMatchObject({ type: 'result', payload: 'too deep' });
  });

  it('never throws, and gives an answer only together with a usable id', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(fc.jsonValue()).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (any) => {
        const frame = parseFrame(any);
        if (frame.type !== 'malformed' || frame.answer === undefined) return;
        const answer = parseFrame(formatError(frame.answer.id, frame.answer.code, frame.reason));
        expect(answer).toMatchObject({ type: 'error', code: frame.answer.code });
      }),
      { numRuns: 500 },
    );
  });
});

describe('a CALLERROR of ours', () => {
  it('has five elements and at most 255 characters of description, none cut in two', () => {
    const text = formatError('a', 'GenericError', '\u{1F50C}'.repeat(300));
    const [type, anId, code, description, details] = JSON.parse(text);
    expect([type, anId, code, details]).toEqual([4, 'a', 'GenericError', {}]);
    expect(description).toBe('\u{1F50C}'.repeat(255));
  });
});
