/** Single values of a configuration file change; nothing else in it does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { withValues } from '../../src/config/edit.ts';

const URL = ['centralSystem', 'url'];
const TEXT = `# head
chargePoint: { identity: cp001, vendor: "A" }   # who
centralSystem:

  url:   ws://old:9000   # without the identity
  # caFile: root.pem
keys:   # odd   blanks
    A:    1
`;

describe('a value of a configuration file', () => {
  it('is replaced where it stands, comments and blanks stay', () => {
    const edited = withValues(TEXT, [
      { path: URL, value: 'wss://new/ocpp' },
      { path: ['chargePoint', 'identity'], value: 'cp 2' },
    ]);
    expect(edited).toBe(TEXT.replace('ws://old:9000', 'wss://new/ocpp').replace('cp001', 'cp 2'));
  });

  it.each([
    ["'ws://old'", 'ws://new', '"ws://new"'],
    ['"ws://old"', 'ws://new', '"ws://new"'],
    ['cp001', '0012', '"0012"'],
    ['cp001', 'a: b # c', '"a: b # c"'],
    ['0012', 'true', '"true"'],
  ])('%s becomes %s as %s', (before, value, written) => {
    expect(withValues(`centralSystem: { url: ${before} }\n`, [{ path: URL, value }])).toBe(
      `centralSystem: { url: ${written} }\n`,
    );
  });

  it('is what was meant, whatever text it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const edited = withValues(TEXT, [{ path: URL, value }]);
        expect(parse(edited ?? '')).toEqual({ ...parse(TEXT), centralSystem: { url: value } });
      }),
    );
  });

  it.each(['a: &u ws://x\ncentralSystem: { url: *u }\n', 'centralSystem: {}\n', 'centralSystem: { url: [] }\n', ''])(
    'that has no text of its own in %j is not touched',
    (text) => {
      expect(withValues(text, [{ path: URL, value: 'ws://new' }])).toBeUndefined();
    },
  );
});
