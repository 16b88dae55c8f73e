/** The section `firmware`: who installs an image, and whether it has to be signed. */
import type { FirmwareConfig, InstallerConfig } from '../config.ts';
import { readCertificates } from './certificates.ts';
import type { ConfigDocument } from './document.ts';
import { type Findings, relativeTo } from './findings.ts';
import type { AgentFile, FirmwareFileSection } from './shapes/agent.ts';

/** Belongs to root; the service may only run it. */
const RELEASE_HELPER = '/usr/lib/chargepoint/install-release';
/** So does this one, which asks root: the service may not restart the machine itself. */
const RESTART_HELPER = '/usr/lib/chargepoint/restart-machine';
const DEFAULT_TIMEOUT_S = 1800;
/** What to do about a rootFile that is none. */
const ROOT_FILE_HINT = 'the PEM file of the root below which firmware is signed; its manufacturer has it';

type Words = readonly [string, ...string[]];

const wordsOf = (list: readonly string[] | undefined): Words | undefined => {
  const [first, ...rest] = list ?? [];
  return first === undefined ? undefined : [first, ...rest];
};

export function readFirmware(
  findings: Findings,
  document: ConfigDocument,
  file: AgentFile,
  base: string,
): FirmwareConfig {
  const section = file.firmware ?? {};
  const installer = installerOf(findings, document, section, base);
  const { rootFile } = section;
  const ofRootFile = { document, path: ['firmware', 'rootFile'], what: 'certificate file', hint: ROOT_FILE_HINT };
  return {
    ...(installer === undefined ? {} : { installer }),
    ...(rootFile ? { manufacturerRoots: readCertificates(findings, ofRootFile, relativeTo(base, rootFile)) } : {}),
    allowUnsigned: section.allowUnsigned ?? file.bench !== undefined,
  };
}

function installerOf(
  { errors }: Findings,
  document: ConfigDocument,
  section: FirmwareFileSection,
  base: string,
): InstallerConfig | undefined {
  const { installer: kind, command, reboot, timeoutS = DEFAULT_TIMEOUT_S } = section;
  const restart = wordsOf(section.restart);
  const more = { timeoutS, ...(restart === undefined ? {} : { restart }) };
  const surplus = (['command', 'reboot'] as const).find((member) => section[member] !== undefined);
  if (kind !== 'command' && surplus !== undefined)
    errors.push(document.problem(['firmware', surplus], 'is for installer: command only'));
  switch (kind) {
    case 'release':
      return { kind, command: [RELEASE_HELPER], reboot: true, ...more };
    case 'rauc':
      return { kind, command: ['rauc', 'install'], reboot: true, restart: [RESTART_HELPER], ...more };
    case 'command': {
      const words = wordsOf(command);
      if (words === undefined) {
        errors.push(document.problem(['firmware', 'command'], 'is missing, expected an executable and its arguments'));
        return undefined;
      }
      const [executable, ...rest] = words;
      // A bare name is looked for where the system has its programs.
      const found = executable.includes('/') ? relativeTo(base, executable) : executable;
      return { kind, command: [found, ...rest], reboot: reboot ?? true, ...more };
    }
    default:
      return undefined;
  }
}
