/** The log on stdout: JSON with a journald priority under systemd, one readable line each everywhere else. */
import { type Logger, pino } from 'pino';
import type { LogLevel } from '../config.ts';
import type { Log } from '../ports.ts';
import { masked, maskText } from './mask.ts';

/** `journal`: `<6>{"level":...}`; `plain`: `12:00:00.123 info  message name=value`. */
export type LogStyle = 'journal' | 'plain';

export interface LogSurroundings {
  readonly level: LogLevel;
  readonly style: LogStyle;
  /** Epoch milliseconds. */
  readonly wall: () => number;
  /** Gets complete lines with their newline. */
  readonly write: (line: string) => void;
  /** Gets the same lines as JSON, with pino's number of their level. */
  readonly keep?: (line: string, level: number) => void;
}

/** systemd sets JOURNAL_STREAM for a service whose stdout is the journal. */
export const styleFor = (environment: Readonly<Record<string, string | undefined>>, terminal: boolean): LogStyle =>
  !terminal && environment['JOURNAL_STREAM'] !== undefined ? 'journal' : 'plain';

export function platformLog({ level, style, wall, write, keep }: LogSurroundings): Log {
  const destination = {
    // pino leaves the level of the line in `lastLevel` of a destination that carries this mark.
    [Symbol.for('pino.metadata')]: true,
    lastLevel: 30,
    write(line: string) {
      keep?.(line, this.lastLevel);
      write(style === 'journal' ? `<${PRIORITY[this.lastLevel] ?? 6}>${line}` : readable(line));
    },
  };
  const logger = pino({ level, base: null, timestamp: () => `,"time":${Math.round(wall())}` }, destination);
  return overPino(logger);
}

function overPino(logger: Logger): Log {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      if (logger.isLevelEnabled(level)) logger[level](masked(fields) as Record<string, unknown>, maskText(message));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => overPino(logger.child(masked(fields) as Record<string, unknown>)),
  };
}

/** pino's level numbers to the priorities of syslog(3). */
const PRIORITY: Readonly<Record<number, number>> = { 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 };
const NAME: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error', 60: 'fatal' };

interface Line {
  readonly level: number;
  readonly time: number;
  readonly msg?: string;
}

/** A line of JSON as people read it. Throws for what is no line of ours. */
export function readable(json: string): string {
  const { level, time, msg = '', ...fields } = JSON.parse(json) as Line;
  const clock = new Date(time).toISOString().slice(11, 23);
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${fieldText(value)}`);
  return `${clock} ${NAME[level] ?? level} ${oneLine(msg)}${rest.join('')}\n`;
}

const fieldText = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : oneLine(JSON.stringify(value));

/** Nobody outside may forge a line of ours, or move the cursor of who reads it. */
const oneLine = (text: string): string =>
  [...text].map((character) => (isControl(character) ? escaped(character) : character)).join('');

const isControl = (character: string): boolean => {
  const code = character.charCodeAt(0);
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
};

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
