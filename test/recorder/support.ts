/** A recording as a reader sees it. */
import type { RecordedEntry, RecordingHeader } from '../../src/recorder/recording.ts';

export interface Read {
  readonly header: RecordingHeader;
  readonly entries: readonly RecordedEntry[];
}

export function read(text: string): Read {
  const [header = '', ...lines] = text.trimEnd().split('\n');
  return {
    header: JSON.parse(header) as RecordingHeader,
    entries: lines.map((line) => JSON.parse(line) as RecordedEntry),
  };
}

export const textOf = (content: readonly Uint8Array[]): string =>
  content.map((piece) => new TextDecoder().decode(piece)).join('');

/** `pilot C`, `contactor close`, `tx StatusNotification Faulted`: what an entry is about, in a few words. */
export function wordsOf(entry: RecordedEntry): string {
  switch (entry.what) {
    case 'pilot':
      return `pilot ${entry.pilot}`;
    case 'feedback':
      return `feedback ${entry.contactor}`;
    case 'contactor':
      return `contactor ${entry.command}`;
    case 'offer':
      return `offer ${entry.offer} ${entry.dutyPercent}%`;
    case 'permit':
      return `permit ${entry.given}`;
    case 'lock':
      return `lock ${entry.locked}`;
    case 'proximity':
      return `proximity ${entry.cableA}`;
    case 'noReading':
      return `noReading ${entry.code}`;
    case 'fault':
      return `fault ${entry.code} ${entry.raised ? 'raised' : 'cleared'}`;
    case 'mains':
      return `mains ${entry.mains}`;
    case 'tag':
      return `tag ${entry.idTag}`;
    case 'link':
      return `link ${entry.open ? 'open' : 'closed'}`;
    case 'frame': {
      const [type, , action, payload] = JSON.parse(entry.text) as [number, string, unknown, { status?: string }?];
      return type === 2
        ? `${entry.direction} ${action} ${payload?.status ?? ''}`.trimEnd()
        : `${entry.direction} answer`;
    }
    case 'reading':
    case 'state':
    case 'faultReset':
      return entry.what;
  }
}
