/** What `chargepoint setup` asks: one table, in the order of the questions; which there are follows from the answers before. */

import type { Path } from '../../config/document.ts';
import type { Answers } from '../../config/setup/answers.ts';
import { type Catalogue, hasOwnPilot } from './catalogue.ts';

export interface Question {
  readonly name: string;
  readonly ask: string;
  /** One line: what it is, in which unit, within which range. */
  readonly explain: string;
  /** The member of the configuration that the answer becomes: what `check` says of it is said of the answer. */
  readonly place: Path;
  /** What is said of members of that place is none of its business. */
  readonly isExact?: true;
  /** Taken for an empty line. Absent: it must be answered. An empty text: none. */
  readonly fallback?: string;
  /** `none` is an answer although there is another default. */
  readonly mayBeNone?: boolean;
  /** Stands for the answer while others are examined that come before. */
  readonly sample: string;
  /** To choose from by number, too. */
  readonly choices?: readonly { readonly name: string; readonly description: string }[];
  readonly kind?: 'secret' | 'yesNo' | 'meter';
  /** Has a place in a file of its own, or none: what is wrong with it is said here. */
  readonly problem?: (answer: string) => string | undefined;
  /** Only by `--answer` or from a file. */
  readonly isSilent?: true;
}

export interface QuestionSurroundings {
  readonly catalogue: Catalogue;
  /** An AuthorizationKey is in the secrets file already. */
  readonly hasSecret: boolean;
  /** Undefined: right. */
  readonly secretProblem: (secret: string) => string | undefined;
  readonly stateDir: string;
}

/** The questions that these answers lead to. Those at the front never depend on answers to those behind. */
export function questionsFor(answers: Answers, surroundings: QuestionSurroundings): readonly Question[] {
  const count = Number(answers['connectors'] ?? 0);
  const connectors = Number.isInteger(count) && count >= 1 && count <= MOST_CONNECTORS ? count : 0;
  const isMock = answers['board'] === 'mock';
  const numbers = Array.from({ length: connectors }, (_, index) => index + 1);
  return [
    ...boardQuestions(answers, surroundings),
    ...WHO,
    ...centralSystemQuestions(answers, surroundings),
    ...connectorCount(answers, surroundings),
    ...numbers.flatMap((number) => connectorQuestions(number, answers, surroundings)),
    ...siteQuestions(answers, surroundings, isMock),
    {
      name: 'stateDir',
      ask: 'Storage',
      explain: 'directory for transactions and certificates; the only persistent storage',
      place: ['stateDir'],
      fallback: surroundings.stateDir,
      sample: surroundings.stateDir,
      isSilent: true,
    },
  ];
}

const MOST_CONNECTORS = 64;

const boardQuestions = (answers: Answers, { catalogue }: QuestionSurroundings): readonly Question[] => [
  {
    name: 'board',
    ask: 'Board',
    explain: 'what is bolted into the box: a name of the list, or the path of a board file',
    place: ['board'],
    sample: 'mock',
    choices: catalogue.boards,
  },
  ...(hasOwnPilot(catalogue.board(answers['board'] ?? ''))
    ? [
        {
          name: 'labUse',
          ask: 'Linux drives pilot and coil: for the laboratory only. Understood?',
          explain: 'no protective device: RCD, PE and emergency stop must cut the coil in hardware',
          place: ['acknowledgeLabUse'],
          fallback: 'no',
          sample: 'true',
          kind: 'yesNo',
        } as const,
      ]
    : []),
];

const WHO: readonly Question[] = [
  {
    name: 'identity',
    ask: 'Identity',
    explain: 'as the central system knows this charge point; letters, digits, . _ -',
    place: ['chargePoint', 'identity'],
    sample: 'cp001',
  },
  {
    name: 'vendor',
    ask: 'Vendor',
    explain: 'maker of the box, at most 20 characters; some central systems check it',
    place: ['chargePoint', 'vendor'],
    sample: 'Acme',
  },
  {
    name: 'model',
    ask: 'Model',
    explain: 'type of the box, at most 20 characters',
    place: ['chargePoint', 'model'],
    sample: 'Pi',
  },
  {
    name: 'serialNumber',
    ask: 'Serial number of the box',
    explain: 'on its label, at most 25 characters',
    place: ['chargePoint', 'serialNumber'],
    fallback: '',
    sample: '',
  },
];

function centralSystemQuestions(
  { securityProfile = '0', board = '' }: Answers,
  { hasSecret, secretProblem }: QuestionSurroundings,
): readonly Question[] {
  const profile = Number(securityProfile);
  const isTls = profile >= 2;
  const example = isTls ? 'wss://example.com/ocpp' : 'ws://example.com/ocpp';
  const authority: Question = {
    name: 'caFile',
    ask: 'Certificate authority',
    explain: "PEM file of the root that the central system's certificate comes from, besides those of the system",
    place: ['centralSystem', 'caFile'],
    fallback: '',
    sample: '',
  };
  const key: Question = {
    name: 'authorizationKey',
    ask: hasSecret ? 'Password (empty: the one that is there stays)' : 'Password',
    explain: 'the AuthorizationKey of the operator, 16 to 40 characters; it is not shown',
    place: ['centralSystem'],
    isExact: true,
    ...(hasSecret ? { fallback: '' } : {}),
    sample: hasSecret ? '' : '0'.repeat(16),
    kind: 'secret',
    problem: secretProblem,
  };
  return [
    {
      name: 'securityProfile',
      ask: 'Security profile',
      explain:
        '0 none, 1 password without TLS, 2 TLS and password, 3 TLS with a certificate of our own, which a new box has not yet',
      place: ['centralSystem', 'securityProfile'],
      fallback: board === 'mock' ? '0' : '2',
      sample: '0',
    },
    {
      name: 'url',
      ask: 'Address of the central system',
      explain: `without the identity, like ${example}`,
      place: ['centralSystem', 'url'],
      ...(board === 'mock' && profile === 0 ? { fallback: 'ws://127.0.0.1:9000' } : {}),
      sample: example,
    },
    ...(isTls ? [authority] : []),
    ...(profile === 1 || profile === 2 ? [key] : []),
    ...(isTls
      ? [
          {
            name: 'cpoName',
            ask: 'Operator (CpoName)',
            explain: 'organisation in the certificate of the charge point; without it none is requested',
            place: ['keys', 'CpoName'],
            fallback: '',
            sample: '',
          },
        ]
      : []),
  ];
}

function connectorCount({ board = '' }: Answers, { catalogue }: QuestionSurroundings): readonly Question[] {
  const count = catalogue.board(board)?.connectors.length ?? 1;
  return [
    {
      name: 'connectors',
      ask: 'Connectors',
      explain: 'how many of those that the board has are wired',
      place: ['connectors'],
      isExact: true,
      fallback: String(count),
      sample: String(count),
      problem: (answer) => {
        const isOne = /^\d{1,2}$/.test(answer) && Number(answer) >= 1 && Number(answer) <= MOST_CONNECTORS;
        return isOne ? undefined : `expected a whole number from 1 to ${MOST_CONNECTORS}`;
      },
    },
  ];
}

function connectorQuestions(number: number, answers: Answers, surroundings: QuestionSurroundings): readonly Question[] {
  const { board = '' } = answers;
  const hardware = surroundings.catalogue.board(board)?.connectors[number - 1];
  const at = (member: string): Path => ['connectors', number - 1, member];
  const name = `connector${number}`;
  const maxA = String(hardware?.maxA ?? 32);
  const cable = hardware?.lock === undefined && hardware !== undefined ? 'attached' : 'socket';
  const phases = String(hardware?.phases ?? 3);
  return [
    {
      name: `${name}.cable`,
      ask: `Connector ${number}: cable`,
      explain: 'socket: a lock holds the plug; attached: a cable of its own',
      place: at('cable'),
      fallback: cable,
      sample: cable,
    },
    {
      name: `${name}.maxA`,
      ask: `Connector ${number}: most current`,
      explain: 'A per phase, 6 to 80: the least of fuse, wiring, contactor and cable',
      place: at('maxA'),
      fallback: maxA,
      sample: maxA,
    },
    {
      name: `${name}.phases`,
      ask: `Connector ${number}: phases`,
      explain: 'that the contactor connects: 1 or 3',
      place: at('phases'),
      fallback: phases,
      sample: phases,
    },
    ...(board === 'mock' ? [] : meterQuestions(name, `Connector ${number}`, at('meter'), answers, surroundings)),
  ];
}

function siteQuestions(answers: Answers, surroundings: QuestionSurroundings, isMock: boolean): readonly Question[] {
  const place = ['installation', 'gridConnection'];
  const hasHouse = (answers['houseFuseA'] ?? '') !== '';
  return [
    {
      name: 'country',
      ask: 'Country',
      explain: 'whose rules are the defaults for voltage window, RCD and delay: AT, CH, DE, DK, FR, GB, or none',
      place: ['protection', 'country'],
      fallback: '',
      sample: '',
    },
    {
      name: 'fuseA',
      ask: 'Fuse before all connectors',
      explain: 'A per phase, 6 to 1000; none where each connector has a fuse of its own',
      place: ['installation', 'fuseA'],
      fallback: '',
      sample: '',
    },
    {
      name: 'houseFuseA',
      ask: 'Main fuse of the house',
      explain: 'A per phase, 6 to 1000, if a meter measures the whole house; none: the house is not looked at',
      place: [...place, 'fuseA'],
      fallback: '',
      sample: '',
    },
    ...(hasHouse && !isMock ? meterQuestions('house', 'House', [...place, 'meter'], answers, surroundings) : []),
  ];
}

function meterQuestions(
  name: string,
  whose: string,
  place: Path,
  answers: Answers,
  { catalogue }: QuestionSurroundings,
): readonly Question[] {
  // A second meter usually hangs on the bus of the first.
  const port = name === 'connector1' ? catalogue.port : (answers['connector1.port'] ?? catalogue.port);
  const unit = String(catalogue.meterUnit(answers[`${name}.meter`] ?? '') ?? 1);
  return [
    {
      name: `${name}.port`,
      ask: `${whose}: serial port of the meter`,
      explain: 'RS-485 adapter, best by its name in /dev/serial/by-id; never that of an EVSE controller',
      place: ['buses'],
      ...(port === undefined ? {} : { fallback: port }),
      sample: '/dev/ttyUSB0',
    },
    {
      name: `${name}.meter`,
      ask: `${whose}: meter`,
      explain: 'a name in config/meters or a path; ? lists them, scan looks for it on the bus',
      place: [...place, 'model'],
      sample: 'eastron-sdm630',
      kind: 'meter',
    },
    {
      name: `${name}.unit`,
      ask: `${whose}: Modbus unit of the meter`,
      explain: '1 to 247, as set in its menu',
      place: [...place, 'unit'],
      fallback: unit,
      sample: unit,
    },
    {
      name: `${name}.serial`,
      ask: `${whose}: serial settings`,
      explain: 'like 9600 none 1; without them those of the factory',
      place: ['buses'],
      fallback: '',
      sample: '',
      isSilent: true,
      problem: (answer) =>
        answer === '' || /^\d+ (none|even|odd) [12]$/.test(answer)
          ? undefined
          : 'expected baud rate, parity and stop bits, like 9600 none 1',
    },
  ];
}
