/** Frames of the PN532: those of its user manual byte by byte, and what is left of them on a bad line. */
import { describe, expect, it } from 'vitest';
import { ACK, commandFrame, takeFrames, uidOf } from '../../../hal/rfid/frame.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** UID 04 A1 B2 C3 on an NTAG-like card. */
const ONE_CARD = '00 00 FF 0C F4 D5 4B 01 01 00 04 08 04 04 A1 B2 C3 B4 00';
const LISTED = { type: 'response', code: 0x4b };

describe('a command to the PN532 (UM0701-02, section 6.2.1)', () => {
  it.each([
    ['SAMConfiguration', 0x14, [1, 0, 1], '00 00 FF 05 FB D4 14 01 00 01 16 00'],
    ['GetFirmwareVersion', 0x02, [], '00 00 FF 02 FE D4 02 2A 00'],
    ['RFConfiguration', 0x32, [5, 0xff, 1, 2], '00 00 FF 06 FA D4 32 05 FF 01 02 F3 00'],
    ['InListPassiveTarget', 0x4a, [1, 0], '00 00 FF 04 FC D4 4A 01 00 E1 00'],
  ] as const)('%s is framed with both checksums', (_name, command, parameters, frame) => {
    expect(hex(commandFrame(command, parameters))).toBe(hex(bytes(frame)));
  });
});

describe('what comes from the PN532', () => {
  it.each([
    ['an ACK', hex(ACK), { type: 'ack' }],
    ['a NACK', '00 00 FF FF 00 00', { type: 'nack' }],
    ['a syntax error', '00 00 FF 01 FF 7F 81 00', { type: 'syntaxError' }],
    ['an answer without data', '00 00 FF 02 FE D5 15 16 00', { type: 'response', code: 0x15, data: bytes('') }],
    ['a version', '00 00 FF 06 FA D5 03 32 01 06 07 E8 00', { type: 'response', data: bytes('32010607') }],
  ])('%s is known', (_name, text, frame) => {
    expect(takeFrames(bytes(text)).frames).toMatchObject([frame]);
  });

  it('is put together from single bytes', () => {
    const whole = bytes(hex(ACK) + ONE_CARD);
    let rest: Uint8Array = new Uint8Array(0);
    const frames = [...whole].flatMap((byte) => {
      const taken = takeFrames(Uint8Array.of(...rest, byte));
      rest = taken.rest;
      return taken.frames;
    });
    expect(frames).toMatchObject([{ type: 'ack' }, LISTED]);
  });

  it.each([
    ['noise in front', `55 AA 00 13 ${ONE_CARD}`],
    ['a start code in the noise', `00 FF 42 11 ${ONE_CARD}`],
    ['a start code right in front', `00 FF ${ONE_CARD}`],
    ['a frame cut off in the middle', `00 00 FF 03 FD D5 00 00 FF 02 FE D5 15 17 00 ${ONE_CARD}`],
    ['a damaged frame before the good one', `${ONE_CARD.replace('A1', 'A0')} ${ONE_CARD}`],
  ])('is found behind %s, and only it', (_name, text) => {
    expect(takeFrames(bytes(text)).frames).toMatchObject([LISTED]);
  });

  it.each([
    ['data', ONE_CARD.replace('B2', 'B3')],
    ['data checksum', ONE_CARD.replace('B4 00', 'B5 00')],
    ['length', ONE_CARD.replace('0C F4', '0B F4')],
    ['sender', '00 00 FF 02 FE D4 15 17 00'],
  ])('is dropped if the %s is damaged', (_what, text) => {
    expect(takeFrames(bytes(text)).frames).toEqual([]);
  });
});

describe('the UID in the answer to InListPassiveTarget', () => {
  it.each([
    ['4 bytes', '01 01 0004 08 04 01020304', '01020304'],
    ['7 bytes', '01 01 0044 00 07 04A1B2C3D4E5F6', '04a1b2c3d4e5f6'],
    ['10 bytes', '01 01 0084 00 0A 00010203040506070809', '00010203040506070809'],
    ['7 bytes and an ATS behind', '01 01 0344 20 07 04A1B2C3D4E5F6 067577810280', '04a1b2c3d4e5f6'],
  ])('of %s is read', (_name, data, uid) => {
    expect(hex(uidOf(bytes(data)) ?? bytes(''))).toBe(uid);
  });

  it.each([
    ['no card', '00'],
    ['a length that no UID has', '01 01 0004 08 05 0102030405'],
    ['fewer bytes than announced', '01 01 0044 00 07 04A1B2C3'],
    ['nothing', ''],
  ])('is none for %s', (_name, data) => {
    expect(uidOf(bytes(data))).toBeUndefined();
  });
});
