/** One line per message, priorities for the journal, no secret and no forged line. */
import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../src/config.ts';
import { type LogStyle, platformLog, styleFor } from '../../src/platform/log.ts';

function record(style: LogStyle, level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = platformLog({
    level,
    style,
    wall: () => Date.UTC(2026, 0, 1, 12, 30),
    write: (line) => lines.push(line),
  });
  return { lines, log };
}

describe('the readable log', () => {
  it('prints time, level, message and fields on one line', () => {
    const { lines, log } = record('plain');
    log.child({ room: 'link' }).info('connected', { url: 'ws://127.0.0.1:9000/cp001', afterMs: 12, why: 'first try' });
    expect(lines).toEqual([
      '12:30:00.000 info  connected room=link url=ws://127.0.0.1:9000/cp001 afterMs=12 why="first try"\n',
    ]);
  });

  it('cannot be made to print a second line or to move the cursor', () => {
    const { lines, log } = record('plain');
    log.warn('a\r\nb\u001b[2J\u0085', { frame: '\u001b[31m\n' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, -1)).not.toMatch(/\p{Cc}/u);
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = record('plain', 'warn');
    log.debug('no');
    log.info('no');
    log.warn('yes');
    log.error('yes');
    expect(lines).toHaveLength(2);
  });

  it('survives a field that cannot be written as JSON', () => {
    const { lines, log } = record('plain');
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    log.info('odd', { loop, big: 1n, none: undefined, bytes: new Uint8Array(3) });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('bytes="3 bytes"');
  });

  it('prints an error with its code and cause', () => {
    const { lines, log } = record('plain');
    const cause = Object.assign(new Error('disk full'), { code: 'ENOSPC' });
    log.error('not stored', { cause: new Error('store broken', { cause }) });
    expect(lines[0]).toContain('store broken');
    expect(lines[0]).toContain('ENOSPC');
  });
});

describe('the log for the journal', () => {
  it('begins each line with the priority of syslog(3)', () => {
    const { lines, log } = record('journal');
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.child({}).error('e');
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>']);
    expect(JSON.parse(lines[1]?.slice(3) ?? '')).toMatchObject({ level: 30, msg: 'i' });
  });

  it('is chosen by systemd only: a terminal and a plain pipe get the readable one', () => {
    expect(styleFor({ JOURNAL_STREAM: '8:1' }, false)).toBe('journal');
    expect(styleFor({ JOURNAL_STREAM: '8:1' }, true)).toBe('plain');
    expect(styleFor({}, false)).toBe('plain');
  });
});

describe('secrets', () => {
  const SECRET = '4F43415F4F4354545F61646D696E5F74657374';
  const frames = [
    `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"${SECRET}"}]`,
    `[2,"1","ChangeConfiguration",{"value":"${SECRET}","key":"authorizationkey"}]`,
    `[2,"1","ChangeConfiguration",{ "key" : "AuthorizationKey", "x": 1, "value" : "${SECRET}\\"more${SECRET}" }]`,
    JSON.stringify(`{"key":"AuthorizationKey","value":"${SECRET}"}`),
    `dialling wss://cp001:${SECRET}@example.org/ocpp`,
    `dialling wss://example.org/ocpp/cp001?token=${SECRET}`,
  ];
  const objects = [
    { key: 'AuthorizationKey', value: SECRET },
    { nested: [{ authorizationKey: SECRET }] },
    { basicAuth: { user: 'cp001', password: SECRET } },
    { cause: new Error(`ws://cp001:${SECRET}@127.0.0.1`) },
  ];

  it.each(frames)('are masked in the text %s', (frame) => {
    for (const style of ['plain', 'journal'] as const) {
      const { lines, log } = record(style);
      log.info(frame);
      log.info('frame', { frame });
      expect(lines).toHaveLength(2);
      expect(lines.join('')).not.toContain(SECRET);
    }
  });

  it('are looked for in a hostile text without holding anybody up', () => {
    const { log } = record('journal');
    const began = performance.now();
    log.info(`${'a+'.repeat(60_000)}://`);
    // Milliseconds; what goes back and forth takes a quarter of a minute.
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each(objects)('are masked in fields and in those of a child: %#', (fields) => {
    const { lines, log } = record('journal');
    log.info('fields', fields);
    log.child(fields).info('child');
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain(SECRET);
  });

  it('leave other keys readable', () => {
    const { lines, log } = record('plain');
    log.info('[2,"1","ChangeConfiguration",{"key":"HeartbeatInterval","value":"60"}]');
    expect(lines[0]).toContain('"value":"60"');
  });
});
