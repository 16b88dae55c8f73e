/** The configuration key of the rooms that move files (OCPP 1.6 section 9.1, security whitepaper N01). */
import { key, list } from '../keys.ts';

export const supportedFileTransferProtocols = key(
  'SupportedFileTransferProtocols',
  list(['FTP', 'FTPS', 'HTTP', 'HTTPS']),
  { default: ['FTP', 'FTPS', 'HTTP', 'HTTPS'], access: 'R' },
);
