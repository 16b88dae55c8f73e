/** Writes the configuration that `chargepoint setup` was told: in a fixed order, with comments for the next technician. */
import { type Answers, plainScalar, textScalar } from './answers.ts';

export const SECRETS_NAME = 'secrets.yaml';

/** Comments stand in one column, where the values leave room for it. */
const COLUMN = 44;

const line = (member: string, value: string, comment = ''): string => {
  const text = value === '' ? `${member}:` : `${member}: ${value}`;
  return comment === '' ? `${text}\n` : `${text.padEnd(COLUMN)}  # ${comment}\n`;
};

/** `line`, or nothing where nothing was answered. */
const answer = (member: string, text: string | undefined, comment: string, scalar = textScalar): string =>
  text === undefined || text === '' ? '' : line(member, scalar(text), comment);

/** One serial line that meters hang on. */
interface Bus {
  readonly name: string;
  readonly port: string;
  /** `9600 none 1`, or empty: as the meter has it from the factory. */
  readonly serial: string;
}

/** Who has a meter: `connector1`, `connector2`, ..., `house`. */
const ownersOf = (answers: Answers, connectors: number): readonly string[] =>
  [...Array.from({ length: connectors }, (_, index) => `connector${index + 1}`), 'house'].filter(
    (owner) => answers[`${owner}.meter`] !== undefined,
  );

/** One for each port; whoever says how it is set says so for all on it. */
function busesOf(answers: Answers, owners: readonly string[]): readonly Bus[] {
  const ports = [...new Set(owners.map((owner) => answers[`${owner}.port`] ?? ''))];
  return ports.map((port, index) => {
    const serials = owners
      .filter((owner) => answers[`${owner}.port`] === port)
      .map((owner) => answers[`${owner}.serial`] ?? '');
    const name = index === 0 ? 'meters' : `meters${index + 1}`;
    return { name, port, serial: serials.find((serial) => serial !== '') ?? '' };
  });
}

/** The main file. `answers` are complete; whether they are right is for `check` to say. */
export function renderConfig(answers: Answers, hasSecrets: boolean): string {
  const connectors = Number(answers['connectors']);
  const isMock = answers['board'] === 'mock';
  const owners = isMock ? [] : ownersOf(answers, connectors);
  const buses = busesOf(answers, owners);
  return [
    HEAD,
    chargePointText(answers),
    centralSystemText(answers),
    boardText(answers),
    connectorsText(answers, connectors, buses),
    busesText(buses),
    installationText(answers, buses),
    protectionText(answers),
    keysText(answers),
    storageText(answers, hasSecrets, isMock),
  ]
    .filter((section) => section !== '')
    .join('\n');
}

const HEAD = `# Written by \`chargepoint setup\`. Edit it freely; \`chargepoint check FILE\` says what is wrong and what it means.
# Every member and what may stand there: docs/configuration.md and config/chargepoint.schema.json.
`;

const chargePointText = (answers: Answers): string =>
  line('chargePoint', '', 'who we are') +
  line('  identity', textScalar(answers['identity'] ?? ''), 'as the central system knows it; last part of the URL') +
  line('  vendor', textScalar(answers['vendor'] ?? ''), 'maker of the box, at most 20 characters') +
  line('  model', textScalar(answers['model'] ?? ''), 'type of the box, at most 20 characters') +
  answer('  serialNumber', answers['serialNumber'], 'on its label, at most 25 characters');

const centralSystemText = (answers: Answers): string =>
  line('centralSystem', '', 'who runs it: docs/security.md') +
  line('  url', textScalar(answers['url'] ?? ''), 'without the identity') +
  line(
    '  securityProfile',
    plainScalar(answers['securityProfile'] ?? ''),
    '0 none, 1 password, 2 TLS + password, 3 TLS',
  ) +
  answer('  caFile', answers['caFile'], "PEM; trusted besides the system's own; relative to this file");

const boardText = (answers: Answers): string =>
  line('board', textScalar(answers['board'] ?? ''), 'mock, a file in config/boards, or a path') +
  answer('acknowledgeLabUse', answers['labUse'], 'Linux drives pilot and coil: docs/bring-up.md', plainScalar);

function connectorsText(answers: Answers, count: number, buses: readonly Bus[]): string {
  const list = Array.from({ length: count }, (_, index) => {
    const own = (member: string): string | undefined => answers[`connector${index + 1}.${member}`];
    return (
      line('  - id', String(index + 1)) +
      line('    cable', textScalar(own('cable') ?? ''), 'socket: with a lock; attached: a cable of its own') +
      line('    maxA', plainScalar(own('maxA') ?? ''), 'A per phase, 6..80: least of wiring, contactor, cable') +
      line('    phases', plainScalar(own('phases') ?? ''), '1 or 3') +
      meterText(answers, `connector${index + 1}`, buses, '    ')
    );
  });
  return line('connectors', '', 'from 1 without gaps') + list.join('');
}

function meterText(answers: Answers, owner: string, buses: readonly Bus[], indent: string): string {
  const model = answers[`${owner}.meter`];
  const bus = buses.find(({ port }) => port === (answers[`${owner}.port`] ?? ''));
  if (model === undefined || bus === undefined) return '';
  return (
    line(`${indent}meter`, '', 'docs/meters.md; found by: chargepoint meter scan') +
    line(`${indent}  model`, textScalar(model), 'a file in config/meters, or a path') +
    line(`${indent}  bus`, bus.name, 'one of buses') +
    line(`${indent}  unit`, plainScalar(answers[`${owner}.unit`] ?? ''), 'Modbus unit, 1..247')
  );
}

function busesText(buses: readonly Bus[]): string {
  if (buses.length === 0) return '';
  const each = buses.map(({ name, port, serial }) => {
    const [baudRate = '', parity = '', stopBits = ''] = serial.split(/\s+/);
    return (
      line(`  ${name}`, '') +
      line('    port', textScalar(port), 'a name in /dev/serial/by-id stays the same') +
      answer('    baudRate', baudRate, 'bit/s; absent: that of the factory', plainScalar) +
      answer('    parity', parity, 'none, even or odd') +
      answer('    stopBits', stopBits, '1 or 2', plainScalar)
    );
  });
  return line('buses', '', 'RS-485 lines') + each.join('');
}

function installationText(answers: Answers, buses: readonly Bus[]): string {
  const { fuseA = '', houseFuseA = '' } = answers;
  if (fuseA === '' && houseFuseA === '') return '';
  const house =
    houseFuseA === ''
      ? ''
      : line('  gridConnection', '', 'shared with a house: docs/smart-charging.md') +
        line('    fuseA', plainScalar(houseFuseA), 'A per phase, 6..1000: main fuse of the house') +
        meterText(answers, 'house', buses, '    ');
  return (
    line('installation', '', 'what the electrician has connected') +
    answer('  fuseA', fuseA, 'A per phase, 6..1000: one fuse for all connectors', plainScalar) +
    house
  );
}

const protectionText = ({ country = '' }: Answers): string =>
  country === ''
    ? ''
    : line('protection', '', 'what is watched beyond the board: docs/protection.md') +
      line('  country', textScalar(country), 'whose rules are the defaults');

const keysText = ({ cpoName = '' }: Answers): string =>
  cpoName === ''
    ? ''
    : line('keys', '', 'presets of OCPP keys; the central system may change them') +
      line('  CpoName', textScalar(cpoName), 'organisation in the certificate: docs/certificates.md');

const storageText = (answers: Answers, hasSecrets: boolean, isMock: boolean): string =>
  line('stateDir', textScalar(answers['stateDir'] ?? ''), 'the only persistent storage') +
  (hasSecrets ? line('secretsFile', SECRETS_NAME, 'AuthorizationKey; mode 0600, owner: the service') : '') +
  (isMock ? line('bench', '{}', 'an EV that is played over HTTP; only beside the mock board') : '');

export const renderSecrets = (authorizationKey: string): string =>
  `# The password of Basic authentication (docs/security.md). Mode 0600, and its owner is the user of the service.\nAuthorizationKey: ${JSON.stringify(authorizationKey)}\n`;
