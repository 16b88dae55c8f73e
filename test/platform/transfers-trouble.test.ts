/** What the errors of the system and of OpenSSL mean for a transfer, before and after the first byte. */
import { describe, expect, it } from 'vitest';
import { parseLocation } from '../../src/platform/transfers/location.ts';
import { transferError } from '../../src/platform/transfers/trouble.ts';

const location = parseLocation('ftps://user:password@127.0.0.1/image.bin');
const told = (code: string, stage: 'opening' | 'flowing') =>
  transferError(Object.assign(new Error('no luck'), { code }), location, stage).code;

describe('an error of a transfer', () => {
  it.each([
    // As a server that is killed in the middle of a TLS record leaves it.
    ['ERR_SSL_UNEXPECTED_EOF_WHILE_READING', 'tls', 'truncated'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls', 'truncated'],
    ['EPROTO', 'tls', 'truncated'],
    ['ECONNRESET', 'failed', 'truncated'],
    ['', 'failed', 'truncated'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls', 'tls'],
    ['ENOSPC', 'diskFull', 'diskFull'],
    ['EACCES', 'failed', 'failed'],
  ])('%s is %s until bytes flow, then %s', (code, opening, flowing) => {
    expect(told(code, 'opening')).toBe(opening);
    expect(told(code, 'flowing')).toBe(flowing);
  });
});
