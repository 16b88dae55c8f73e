/** Readers and indicators of a board file: what has to be true across their members. */
import type { BoardDescription, ReaderDescription } from '../../hal/board-description.ts';
import type { Path } from './document.ts';

type Report = (path: Path, message: string, hint?: string) => void;

export function checkReaders(
  { connectors, readers = [] }: BoardDescription,
  report: Report,
  resolved: (path: string) => string,
): void {
  const users = new Map<string, string>();
  for (const [index, { evse }] of connectors.entries()) {
    if (evse.driver === 'controller') users.set(resolved(evse.bus.port), `connectors.${index}.evse`);
  }
  for (const [index, reader] of readers.entries()) {
    const path = ['readers', index];
    const place = placeOf(reader);
    const other = users.get(resolved(place));
    if (other === undefined) users.set(resolved(place), path.join('.'));
    else
      report(
        path,
        `${place} is taken by ${other}, expected a place of its own`,
        reader.driver === 'pn532' ? OWN_PORT : undefined,
      );
    for (const [at, id] of (reader.connectors ?? []).entries()) {
      if (id <= connectors.length) continue;
      report([...path, 'connectors', at], `is ${id}, expected 1 to ${connectors.length}`);
    }
    checkNormalise(reader, path, report);
  }
}

const OWN_PORT = 'nothing else may answer there: give it a port of its own (ls -l /dev/serial/by-id)';

/** A reader on the line of a meter: each would take the answers of the other for its own. */
export function checkReaderPorts(
  { readers = [] }: BoardDescription,
  meters: readonly { readonly port: string; readonly where: string }[],
  report: Report,
  resolved: (path: string) => string,
): void {
  for (const [index, reader] of readers.entries()) {
    if (reader.driver !== 'pn532') continue;
    const meter = meters.find(({ port }) => resolved(port) === resolved(reader.port));
    if (meter === undefined) continue;
    const same = meter.port === reader.port ? '' : ` (the same as ${meter.port})`;
    report(
      ['readers', index, 'port'],
      `${reader.port}${same} is the line of ${meter.where}, expected a port of its own`,
      OWN_PORT,
    );
  }
}

const placeOf = (reader: ReaderDescription): string =>
  reader.driver === 'pn532' ? reader.port : Object.values(reader.device).join();

function checkNormalise({ driver, normalise }: ReaderDescription, path: Path, report: Report): void {
  if (normalise === undefined) return;
  const { typed = 'text', as, bytes, digits, reverse } = normalise;
  const at = (member: string): Path => [...path, 'normalise', member];
  if (driver === 'pn532') {
    for (const member of ['typed', 'bytes'] as const) {
      if (normalise[member] !== undefined) report(at(member), 'is for keyboard readers', `remove ${member}`);
    }
    return;
  }
  if (bytes !== undefined && typed !== 'decimal') report(at('bytes'), 'is for typed: decimal', 'remove bytes');
  if (typed !== 'text') return;
  for (const [member, value] of Object.entries({ as, digits, reverse })) {
    if (value === undefined) continue;
    report(at(member), 'needs to know what is typed, expected typed: hex or typed: decimal');
  }
}

const LAMPS = ['red', 'green', 'blue'] as const;
const ONCE: readonly string[] = ['accepted', 'refused'];

export function checkIndicators({ connectors, indicators = [] }: BoardDescription, report: Report): void {
  for (const [index, { connector, lines, patterns = {} }] of indicators.entries()) {
    const path = ['indicators', index];
    if (connector > connectors.length) {
      report([...path, 'connector'], `is ${connector}, expected 0 (the whole charge point) to ${connectors.length}`);
    }
    if (Object.keys(lines).length === 0) report([...path, 'lines'], 'is empty, expected red, green, blue or buzzer');
    for (const [name, pattern] of Object.entries(patterns)) {
      for (const lamp of LAMPS) {
        const turns = pattern[lamp];
        if (ONCE.includes(name) || turns === undefined || turns === 'on' || turns.length % 2 === 0) continue;
        report(
          [...path, 'patterns', name, lamp],
          `has ${turns.length} times, expected an even number: on, off, on, off`,
          'a lamp begins again at the end',
        );
      }
    }
  }
}
