/** Readers and indicators of a board file: what loads, and what is refused with its place. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/platform/files.ts';
import { lab, load, SHIPPED } from './support.ts';

const LAB = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-lab.yaml'));

const withBoard = (more: string) =>
  load({ ...lab, board: './board.yaml' }, { '/etc/chargepoint/board.yaml': `${LAB}\n${more}\n` });
const board = (more: string) => {
  const { config, errors } = withBoard(more);
  expect(errors).toEqual([]);
  return config?.board;
};
const errors = (more: string): string => withBoard(more).errors.join('\n');

describe('readers', () => {
  it('of both kinds load', () => {
    const text = `readers:
  - { driver: pn532, port: /dev/ttyAMA0 }
  - driver: pn532
    port: /dev/ttyUSB3
    baudRate: 9600
    connectors: [1]
    normalise: { reverse: true, as: decimal, digits: 10, case: lower, prefix: DE- }
  - { driver: keyboard, device: { path: /dev/input/by-id/usb-x-event-kbd }, normalise: { typed: decimal, bytes: 3 } }
  - { driver: keyboard, device: { name: "Some RFID Reader" } }`;
    expect(board(text)).toMatchObject({
      readers: [{ driver: 'pn532' }, { baudRate: 9600 }, {}, { driver: 'keyboard' }],
    });
  });

  it.each([
    ['{ driver: nfc, port: /dev/x }', /readers\[0\].*pn532 or keyboard/],
    ['{ driver: keyboard, device: { path: /dev/x, name: y } }', /readers\[0\]\.device.*one of path, name and phys/],
    ['{ driver: pn532, port: /dev/x, connectors: [2] }', /readers\[0\]\.connectors\[0\]: is 2, expected 1 to 1/],
    ['{ driver: pn532, port: /dev/x, normalise: { typed: hex } }', /normalise\.typed: is for keyboard readers/],
    ['{ driver: keyboard, device: { name: x }, normalise: { bytes: 3 } }', /normalise\.bytes: is for typed: decimal/],
    ['{ driver: keyboard, device: { name: x }, normalise: { reverse: true } }', /reverse: needs to know what is typed/],
    ['{ driver: pn532, port: /dev/x, normalise: { digits: 21 } }', /digits: .*1 to 20/],
  ])('%s is refused', (reader, message) => {
    expect(errors(`readers: [${reader}]`)).toMatch(message);
  });

  it('share no port', () => {
    const text = 'readers: [{ driver: pn532, port: /dev/x }, { driver: pn532, port: /dev/x }]';
    expect(errors(text)).toMatch(/readers\[1\]: \/dev\/x is taken by readers\.0/);
  });

  describe('on the serial line of somebody else', () => {
    const LINE = LAB.split('\n').length + 1;
    const gridConnection = { fuseA: 35, meter: { model: 'eastron-sdm630', bus: { port: '/dev/ttyUSB1' }, unit: 2 } };
    const reading = (port: string, files: Readonly<Record<string, string>> = {}) =>
      load(
        { ...lab, board: './board.yaml', installation: { gridConnection } },
        { '/etc/chargepoint/board.yaml': `${LAB}\nreaders: [{ driver: pn532, port: ${port} }]\n`, ...files },
      ).errors;

    it.each([
      ['/dev/ttyUSB0', {}, '/dev/ttyUSB0 is the line of connectors[0].meter (/etc/chargepoint/chargepoint.yaml:'],
      ['/dev/ttyUSB1', {}, '/dev/ttyUSB1 is the line of installation.gridConnection.meter ('],
      [
        '/dev/serial/by-id/usb-x',
        { '/dev/serial/by-id/usb-x': '-> /dev/ttyUSB0' },
        '/dev/serial/by-id/usb-x (the same as /dev/ttyUSB0) is the line of connectors[0].meter (',
      ],
    ])('a meter: %s is refused with file, line and remedy, whatever its name', (port, files, message) => {
      const found = reading(port, files);
      expect(found).toHaveLength(1);
      expect(found[0]).toContain(`board.yaml:${LINE}:`);
      expect(found[0]).toContain(message.replace('/etc/chargepoint/', ''));
      expect(found[0]).toMatch(/chargepoint\.yaml:\d+\), expected a port of its own.*give it a port of its own/s);
    });

    it('a controller is refused as well, by the name and through a link', () => {
      const page = nodeFiles.read(join(SHIPPED, 'boards/raspberry-pi-evse-din.yaml'));
      const port = '/dev/serial0';
      const found = (reader: string, files: Readonly<Record<string, string>> = {}) =>
        load(
          { ...lab, board: './board.yaml' },
          { '/etc/chargepoint/board.yaml': `${page}\nreaders: [{ driver: pn532, port: ${reader} }]\n`, ...files },
        ).errors.join('\n');
      const refusal = /readers\[0\]: \S+ is taken by connectors\.0\.evse, expected a place of its own/;
      expect(found(port)).toMatch(refusal);
      expect(found('/dev/serial9')).not.toMatch(refusal);
      expect(found('/dev/serial9', { '/dev/serial9': `-> ${port}` })).toMatch(refusal);
    });

    it('is allowed on a port of its own', () => {
      expect(reading('/dev/ttyAMA0')).toEqual([]);
    });
  });
});

describe('indicators', () => {
  const one = (patterns: string, lines = 'green: { line: 20 }, buzzer: { line: 21, activeLow: true }') =>
    `indicators: [{ connector: 1, lines: { ${lines} }, patterns: { ${patterns} } }]`;

  it('load with patterns of their own', () => {
    expect(
      board(one('Charging: { green: [100, 900], buzzer: [50] }, offline: { green: on }, refused: {}')),
    ).toMatchObject({
      indicators: [
        { patterns: { Charging: { green: [100, 900], buzzer: [50] }, offline: { green: 'on' }, refused: {} } },
      ],
    });
  });

  it.each([
    ['a status that does not exist', one('Loading: { green: on }'), /patterns.*Loading/],
    ['a lamp that would go on with the wrong level', one('Charging: { green: [100] }'), /Charging\.green: has 1 times/],
    ['a turn too short to be seen', one('Charging: { green: [5, 5] }'), /20 to 60000/],
    ['no line', one('', ''), /indicators\[0\]\.lines: is empty/],
    ['a line that is taken', one('', 'red: { line: 17 }'), /line 17 is taken by connectors\.0/],
    ['a connector that is not there', one('').replace('connector: 1', 'connector: 2'), /connector: is 2, expected 0/],
  ])('with %s are refused', (_name, text, message) => {
    expect(errors(text)).toMatch(message);
  });

  it('may sound or flash an odd number of times: that ends by itself', () => {
    expect(errors(one('accepted: { green: [100], buzzer: [100, 50, 100] }, Faulted: { buzzer: [400] }'))).toBe('');
  });
});
