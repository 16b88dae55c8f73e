/** Recordings in words, one line for each entry. */
import type { RecordedEntry } from '../../recorder/recording.ts';
import { headOf, type Output } from './output.ts';

/** Undefined: of the whole charge point. */
export function connectorOf(entry: RecordedEntry | Output): number | undefined {
  if ('connector' in entry) return entry.connector === 0 ? undefined : entry.connector;
  if (entry.what !== 'frame') return undefined;
  const connector = /"connectorId"\s*:\s*(\d+)/.exec(headOf(entry.text)?.rest ?? '')?.[1];
  return connector === undefined || connector === '0' ? undefined : Number(connector);
}

export const outputText = (output: Output): string =>
  entryText(
    output.what === 'offer'
      ? { ...output, dutyPercent: 0 }
      : output.what === 'frame'
        ? { ...output, direction: 'tx' }
        : output,
  );

export function entryText(entry: RecordedEntry): string {
  switch (entry.what) {
    case 'pilot':
      return `pilot ${entry.pilot}`;
    case 'feedback':
      return `contactor is ${entry.contactor}`;
    case 'contactor':
      return `contactor told to ${entry.command}`;
    case 'offer':
      return `offer ${typeof entry.offer === 'number' ? `${entry.offer} A` : entry.offer}`;
    case 'permit':
      return `permit ${entry.given ? 'given' : 'withdrawn'}`;
    case 'lock':
      return entry.locked ? 'plug locked' : 'plug unlocked';
    case 'proximity':
      return entry.cableA === null ? 'no cable' : `cable for ${entry.cableA} A`;
    case 'reading':
      return `reading ${JSON.stringify(entry.values)}`;
    case 'noReading':
      return `no reading: ${entry.code}`;
    case 'fault':
      return `fault ${entry.code} ${entry.raised ? 'raised' : 'cleared'}${entry.info === undefined ? '' : `: ${entry.info}`}`;
    case 'faultReset':
      return 'faults reset';
    case 'mains':
      return `mains ${entry.mains}`;
    case 'tag':
      return `tag ${entry.idTag}`;
    case 'link':
      return `link ${entry.open ? 'open' : 'closed'}`;
    case 'frame':
      return `${entry.direction === 'tx' ? 'sent' : 'got'} ${frameText(entry.text)}`;
    case 'state':
      return `state: ${entry.connectors.map(({ connector }) => `${connector.id} ${connector.phase.name}`).join(', ')}`;
  }
}

const KINDS: { readonly [type: number]: string } = { 3: 'answer', 4: 'CALLERROR' };

function frameText(text: string): string {
  const head = headOf(text);
  if (head === undefined) return text;
  const { type, action, rest } = head;
  const status = action === undefined ? undefined : /"status"\s*:\s*"(\w+)"/.exec(rest)?.[1];
  const name = action ?? KINDS[type] ?? 'frame';
  return `${name}${status === undefined ? '' : ` ${status}`} ${rest.replace(/\]\s*$/, '')}`;
}
