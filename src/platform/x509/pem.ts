/** PEM (RFC 7468): blocks of base64 in a text. */
import { Buffer } from 'node:buffer';

const BOUNDARY = /-----(BEGIN|END) (?:X509 |TRUSTED )?CERTIFICATE-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes of a base64 text with white space anywhere; undefined for what is none, where Node would take what it can. */
export function fromBase64(text: string): Buffer | undefined {
  const packed = text.replace(/\s+/g, '');
  return packed !== '' && BASE64.test(packed) ? Buffer.from(packed, 'base64') : undefined;
}

/** The certificates of a text in their order; undefined in the place of one that is no base64 or does not end. */
export function certificateBlocks(text: string): readonly (Buffer | undefined)[] {
  // Boundary by boundary, not block by block: a text full of beginnings would cost its length squared.
  const boundaries = [...text.matchAll(BOUNDARY)];
  return boundaries.flatMap((boundary, i) => {
    if (boundary[1] !== 'BEGIN') return [];
    const end = boundaries[i + 1];
    return [end?.[1] === 'END' ? fromPemBody(text.slice(boundary.index + boundary[0].length, end.index)) : undefined];
  });
}

/** Some central systems escape the line ends twice on the way into JSON: a backslash is no part of base64. */
const fromPemBody = (body: string): Buffer | undefined => fromBase64(body.replace(/\\[rn]/g, ''));

export function toPem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
