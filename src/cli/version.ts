/** `chargepoint version`. */
import { join } from 'node:path';
import { installationDirectory, nodeFiles } from '../platform/files.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { json, recordOf } from './format.ts';
import type { Io } from './io.ts';

/** As in package.json of the installation; `unknown` without one. */
export function versionOf(io: Io): string {
  try {
    const manifest: unknown = JSON.parse(nodeFiles.read(join(installationDirectory(io.script), 'package.json')));
    return String(recordOf(manifest)['version'] ?? 'unknown');
  } catch {
    return 'unknown';
  }
}

export function version(io: Io, { json: asJson = false }: { readonly json?: boolean } = {}): ExitCode {
  const [version, { version: node, platform, arch }] = [versionOf(io), process];
  io.out(
    asJson ? json({ version, node, platform, arch }) : `chargepoint ${version}, Node ${node}, ${platform} ${arch}\n`,
  );
  return EXIT.ok;
}
