/** The wire log: one line per frame, secrets masked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameLog } from '../../src/ocpp/wire-log.ts';
import { RecordingLog } from './support/recording-log.ts';

const KEY = 'Very-Secret-Key-0001';

function logged(text: string): { readonly line: string; readonly told: string; readonly kept: string } {
  const log = new RecordingLog();
  const frames = new FrameLog(log);
  const told: string[] = [];
  frames.onFrame((frame) => told.push(frame.text));
  frames.frame('rx', text, 5);
  return { line: log.lines[0]?.message ?? '', told: told[0] ?? '', kept: frames.recent[0]?.text ?? '' };
}

describe('the wire log', () => {
  it('writes one line per frame with its direction', () => {
    const { line, told, kept } = logged('[2,"a","Heartbeat",{}]');
    expect(line).toBe('rx [2,"a","Heartbeat",{}]');
    expect(told).toBe('[2,"a","Heartbeat",{}]');
    expect(kept).toBe(told);
  });

  it.each([
    ['as it should be', `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"${KEY}"}]`],
    ['the other way round', `[2,"a","ChangeConfiguration",{"value":"${KEY}","key":"AuthorizationKey"}]`],
    ['in another case', `[2,"a","ChangeConfiguration",{"key":" authorizationKEY ","value":"${KEY}"}]`],
    ['with an escaped name', `[2,"a","ChangeConfiguration",{"key":"\\u0041uthorizationKey","value":"${KEY}"}]`],
    ['with the member names escaped', `[2,"a","X",{"\\u006bey":"AuthorizationKey","valu\\u0065":"${KEY}"}]`],
    ['in a list', `[3,"a",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"${KEY}"}]}]`],
    ['with member names in capitals', `[2,"a","ChangeConfiguration",{"KEY":"AuthorizationKey","Value":"${KEY}"}]`],
    ['with the value twice', `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"${KEY}","value":"x"}]`],
    ['in no text', `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":{"is":["${KEY}"]}}]`],
    [
      'in JSON inside of a text',
      JSON.stringify([2, 'a', 'DataTransfer', { data: JSON.stringify([{ key: 'AuthorizationKey', value: KEY }]) }]),
    ],
    [
      'in broken JSON inside of a text',
      JSON.stringify([2, 'a', 'DataTransfer', { data: `{"key":"AuthorizationKey","value":"${KEY}` }]),
    ],
    ['in a broken frame', `[2,"a","ChangeConfiguration",{"key":"AuthorizationKey","value":"${KEY}"`],
    ['in the address of an upload', `[2,"a","GetDiagnostics",{"location":"ftp://user:${KEY}@host/dir"}]`],
    ['in the query of an address', `[2,"a","UpdateFirmware",{"location":"https://host/image?sig=${KEY}"}]`],
    ['in the query of a log server', `[2,"a","GetLog",{"log":{"remoteLocation":"https:\\/\\/host\\/?k=${KEY}"}}]`],
    ['after a user with an at sign', `[2,"a","GetDiagnostics",{"location":"ftp://user@shop:${KEY}@host/dir"}]`],
    ['after a bare slash of a password', `[2,"a","GetDiagnostics",{"location":"ftp://user:a/${KEY}@host/dir"}]`],
    ['in an address with escaped slashes', `[2,"a","GetDiagnostics",{"location":"ftp:\\/\\/user:${KEY}@host\\/dir"}]`],
    [
      'in the query of a central system',
      `[2,"a","ChangeConfiguration",{"key":"CentralSystemUrl","value":"wss:\\/\\/host\\/ocpp?a=\\u0026k=${KEY}\\/x"}]`,
    ],
    ['as its user', `[2,"a","ChangeConfiguration",{"key":"CentralSystemUrl","value":"WS://${KEY}@host/ocpp"}]`],
    [
      'in its query inside of a text',
      JSON.stringify([2, 'a', 'DataTransfer', { data: JSON.stringify({ url: `wss://host/ocpp?k=${KEY}` }) }]),
    ],
  ])('never shows a secret: %s', (_how, text) => {
    expect(JSON.stringify(logged(text))).not.toContain(KEY);
  });

  it('leaves every other value alone', () => {
    const text = '[2,"a","ChangeConfiguration",{"key":"HeartbeatInterval","value":"300"}]';
    expect(logged(text).told).toBe(text);
  });

  it('leaves the address of a central system readable', () => {
    const text = '[2,"a","ChangeConfiguration",{"key":"CentralSystemUrl","value":"wss://host:9000/ocpp?k=1"}]';
    expect(logged(text).told).toBe(text.replace('k=1', '***'));
    const nested = JSON.stringify([2, 'a', 'DataTransfer', { data: '{"url":"ws://host/a?k=1","more":"ws://b/c"}' }]);
    expect(logged(nested).told).toBe(nested.replace('k=1', '***'));
  });

  it('shows a text that only speaks of the key', () => {
    const text = '[2,"a","SecurityEventNotification",{"techInfo":"[AuthorizationKey was changed","other":"\\u00e4"}]';
    expect(logged(text).told).toBe(text);
  });

  it('is one printable line, whatever the frame holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(logged(text).line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      }),
    );
  });

  it('cuts long frames in the log but tells subscribers all', () => {
    const text = `[2,"a","DataTransfer",{"data":"${'x'.repeat(10_000)}"}]`;
    expect(logged(text).line.length).toBeLessThan(5000);
    expect(logged(text).told).toBe(text);
  });

  it('shows of an enormous frame only how it begins, so that no secret in it has to be searched for', () => {
    const secret = '{"key":"AuthorizationKey","value":"s3cret"}';
    for (const [begin, shown] of [
      ['[2,"a-1","ChangeConfiguration",', '[2,"a-1","ChangeConfiguration" (a frame of'],
      ['[3,"a-1",', '[3,"a-1" (a frame of'],
      ['ws://user:s3cret@host', ' (a frame of'],
    ]) {
      const { line, told } = logged(`${begin}${secret}${' '.repeat(300_000)}]`);
      for (const text of [line, told]) {
        expect(text).toContain(shown);
        expect(text).not.toContain('s3cret');
      }
    }
  });

  it('shows only the beginning of a long frame in which an escape may hide a secret', () => {
    const payload = { key: 'AuthorizationKey', value: 's3cret', filler: 'x'.repeat(40_000) };
    const text = JSON.stringify([2, 'a-1', 'ChangeConfiguration', payload]).replace(
      'Authorization',
      '\\u0041uthorization',
    );
    const { line, told } = logged(text);
    expect(told).toBe(`[2,"a-1","ChangeConfiguration" (a frame of ${text.length} characters)`);
    expect(line).toBe(`rx ${told}`);
  });

  it.each(['://:', 'ws://', '://a:b', ':', '@', '?', '\\/', '\\u'])(
    'is not held up by a hostile address of %s',
    (part) => {
      const hostile = part.repeat(Math.floor(240_000 / part.length));
      const began = performance.now();
      for (const begin of ['', 'ftp://', 'ws://']) logged(`[2,"a","GetDiagnostics",{"location":"${begin}${hostile}"}]`);
      // Milliseconds; what goes back and forth takes minutes.
      expect(performance.now() - began).toBeLessThan(2000);
    },
  );

  it('keeps the last 200 frames', () => {
    const frames = new FrameLog(new RecordingLog());
    for (let n = 0; n < 500; n++) frames.frame('tx', `[3,"${n}",{}]`, n);
    expect(frames.recent).toHaveLength(200);
    expect(frames.recent.at(0)?.at).toBe(300);
    expect(frames.recent.at(-1)?.at).toBe(499);
  });

  it('survives a subscriber that throws, and forgets one that has left', () => {
    const frames = new FrameLog(new RecordingLog());
    const told: string[] = [];
    frames.onFrame(() => {
      throw new Error('mine');
    });
    const leave = frames.onFrame(({ text }) => told.push(text));
    frames.frame('tx', 'one', 1);
    leave();
    frames.frame('tx', 'two', 2);
    expect(told).toEqual(['one']);
  });
});
