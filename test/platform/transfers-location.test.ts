/** The URLs of transfers: what they mean, and that nothing secret of them is ever shown. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { TransferError } from '../../src/errors.ts';
import { maskedUrl, parseLocation } from '../../src/platform/transfers/location.ts';
import { nodeTransfers } from '../../src/platform/transfers.ts';
import { Loopback } from './support/loopback-server.ts';

const loopback = new Loopback();
const thrownBy = (text: string): TransferError => {
  try {
    parseLocation(text);
  } catch (error) {
    return error as TransferError;
  }
  throw new Error('it was taken');
};

describe('a location', () => {
  it.each([
    ['http://h/x', 'http', 'h', 80],
    ['https://h/x', 'https', 'h', 443],
    ['https://h:8443/x', 'https', 'h', 8443],
    ['ftp://h/x', 'ftp', 'h', 21],
    ['ftps://h/x', 'ftps', 'h', 21],
    ['ftps://h:990/x', 'ftps', 'h', 990],
    ['FTP://[::1]:2121/x', 'ftp', '::1', 2121],
  ])('%s is %s to %s:%i', (text, scheme, host, port) => {
    expect(parseLocation(text)).toMatchObject({ scheme, host, port, credentials: undefined });
  });

  it.each([
    ['ftp://user:p%40ss@h/', { user: 'user', password: 'p@ss' }],
    ['ftps://user:p%C3%B6s@h/', { user: 'user', password: 'pös' }],
    ['ftp://user@h/', { user: 'user', password: '' }],
    // Not escaped, as people write it.
    ['http://user:100%@h/', { user: 'user', password: '100%' }],
  ])('%s has credentials', (text, credentials) => {
    expect(parseLocation(text).credentials).toEqual(credentials);
  });

  it.each([
    ['', 'badUrl'],
    ['image.bin', 'badUrl'],
    ['http://', 'badUrl'],
    ['ftps:///x', 'badUrl'],
    ['ftp://h:70000/x', 'badUrl'],
    ['ftp://h/x%0d%0aDELE%20y', 'badUrl'],
    ['ftp://us%0der@h/x', 'badUrl'],
    ['sftp://h/x', 'unsupported'],
    ['file:///etc/passwd', 'unsupported'],
  ])('%s is %s', (text, code) => {
    expect(thrownBy(text)).toMatchObject({ name: 'TransferError', code });
  });
});

/** A canary in every place of a URL where people put secrets, escaped or not. */
const SECRETS = [
  'ftp://canary:canary@127.0.0.1:1/x',
  'http://canary@127.0.0.1:1/x',
  'http://:canary@127.0.0.1:1/x',
  'https://127.0.0.1:1/x?token=canary',
  'https://127.0.0.1:1/x?a=b&token=canary#c',
  'https://127.0.0.1:1/x#canary',
  'ftp://user:can/canary@127.0.0.1:1/x',
  'ftps://user:1/canary@127.0.0.1:1/x',
  'ftp://user:1?canary@127.0.0.1:1/x',
  'ftp://user:1#canary@127.0.0.1:1/x',
  'ftp://user:canary@@127.0.0.1:1/x',
  'ftp://canary:canary@:1/x',
  'ftp://user:canary%0d@127.0.0.1:1/x',
  'canary:canary@127.0.0.1:1/x',
  'sftp://canary:canary@127.0.0.1:1/x',
];

describe('what is shown of a URL', () => {
  it.each(SECRETS)('hides the secret of %s', async (text) => {
    expect(maskedUrl(text)).not.toContain('canary');
    const download = nodeTransfers.download(text, { toFile: loopback.file('x') });
    const error = await download.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(inspect(error, { depth: 9, showHidden: true }).replaceAll(/\(.*file:.*\)/g, '')).not.toContain('canary');
    expect(error).toHaveProperty('code');
  });

  it.each([
    ['http://host:8080/a/b.bin', 'http://host:8080/a/b.bin'],
    ['ftp://user:password@host/a', 'ftp://***@host/a'],
    ['https://host/a?x=y#z', 'https://host/a?***'],
  ])('leaves the rest: %s', (text, shown) => {
    expect(maskedUrl(text)).toBe(shown);
  });
});
