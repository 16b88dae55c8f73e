/** `chargepoint setup`: asks what matters and writes a configuration with comments, that `check` has nothing to say against. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { problemText } from '../config/examine.ts';
import { nearest } from '../config/nearest.ts';
import { type Answers, readAnswers } from '../config/setup/answers.ts';
import { currentAnswers } from '../config/setup/current.ts';
import { FEATURES } from '../features/all.ts';
import { EXIT, type ExitCode } from '../platform/system.ts';
import { loadOver } from './configuration.ts';
import { json } from './format.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { catalogueFor } from './setup/catalogue.ts';
import { BACK, dialogue } from './setup/dialogue.ts';
import {
  type Examiner,
  examineAnswer,
  type Finding,
  isYes,
  needless,
  type Texts,
  textsOf,
  withDefaults,
} from './setup/examination.ts';
import { type QuestionSurroundings, questionsFor } from './setup/questions.ts';
import { scanFor } from './setup/scan.ts';
import { openTerminal, type Terminal } from './setup/terminal.ts';
import { secretsPath, targetTrouble, type Written, writeSetup } from './setup/write.ts';

export interface SetupOptions {
  /** The file that is written. */
  readonly config: string;
  /** YAML or JSON: names and answers. Nobody is asked then. */
  readonly answers?: string;
  /** `name=value`. */
  readonly answer: readonly string[];
  /** Nobody is asked: what was not answered takes its default. */
  readonly yes?: boolean;
  /** Nobody has to agree before a file is replaced. */
  readonly replace?: boolean;
  readonly json?: boolean;
}

/** Exit code 0; 70 if the file could not be written, 78 for a wrong or missing answer, and if it was ended. Then nothing was written. */
export async function setup(
  io: Io,
  options: SetupOptions,
  open: () => Terminal | undefined = openTerminal,
): Promise<ExitCode> {
  const given = givenAnswers(io, options);
  if (given === undefined) return EXIT.config;
  const trouble = targetTrouble(resolve(options.config));
  if (trouble !== undefined) {
    io.err(`${resolve(options.config)} cannot be written: ${trouble}.\nNothing was written.\n`);
    return EXIT.internal;
  }
  const examiner = await examinerFor(io, resolve(options.config));
  const isAsking = options.answers === undefined && options.yes !== true;
  const terminal = isAsking ? open() : undefined;
  try {
    if (terminal === undefined) return await withoutAsking(io, options, examiner, given);
    return await asking(io, options, examiner, given, terminal);
  } finally {
    terminal?.close();
  }
}

/** Undefined after it has been said what is wrong. Those of the command line win. */
function givenAnswers(io: Io, { answers: file, answer }: SetupOptions): Answers | undefined {
  const typed = answer.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  if (typed.some(([name]) => name === 'authorizationKey')) {
    io.err('A password on the command line can be seen by all: put authorizationKey into a file for --answers.\n');
    return undefined;
  }
  if (file === undefined) return Object.fromEntries(typed);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    io.err(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.\n`);
    return undefined;
  }
  const found = readAnswers(file, text);
  if ('answers' in found) return { ...found.answers, ...Object.fromEntries(typed) };
  for (const problem of found.problems) io.err(`error ${problemText(problem)}\n`);
  return undefined;
}

async function examinerFor(io: Io, file: string): Promise<Examiner> {
  const secrets = secretsPath(file);
  const key = FEATURES.flatMap(({ keys }) => keys).find(({ name }) => name === 'AuthorizationKey');
  const surroundings: QuestionSurroundings = {
    catalogue: await catalogueFor(io, dirname(file)),
    hasSecret: existsSync(secrets),
    secretProblem: (secret) =>
      key === undefined || key.type.parse(secret) !== undefined ? undefined : `expected ${key.type.expected}`,
    stateDir: file.startsWith('/etc/') ? '/var/lib/chargepoint' : 'state',
  };
  return {
    surroundings,
    file,
    load: ({ main, secrets: secretsText }: Texts) =>
      loadOver(
        io,
        file,
        new Map([[file, main], ...(secretsText === undefined ? [] : [[secrets, secretsText] as const])]),
      ),
  };
}

/** With a script or a file: everything that is wrong or missing at once. */
async function withoutAsking(io: Io, options: SetupOptions, examiner: Examiner, given: Answers): Promise<ExitCode> {
  const { surroundings, file } = examiner;
  const answers = withDefaults(given, surroundings);
  const errors = questionsFor(answers, surroundings).flatMap((question) =>
    examineAnswer(examiner, withoutMissing(answers, surroundings, question.name), question).errors.map(
      (finding) => [question.name, finding] as const,
    ),
  );
  const texts = textsOf(answers, surroundings);
  const problems = [
    ...unknownNames(given, answers, surroundings),
    ...errors.map(([name, finding]) => errorText(name, finding)),
  ];
  if (problems.length === 0) problems.push(...restOf(examiner, texts));
  if (problems.length === 0 && options.replace !== true && existsSync(file)) {
    problems.push(`${file} is there already\n    --replace; what it was stays beside it as .bak`);
  }
  for (const problem of problems) io.err(`error ${problem}\n`);
  if (problems.length === 0) return written(io, options, examiner, answers, texts);
  io.err('\nNothing was written.\n');
  return EXIT.config;
}

/** What is not answered stands in nobody's way but its own. */
const withoutMissing = (answers: Answers, surroundings: QuestionSurroundings, name: string): Answers => {
  const missing = new Set(
    questionsFor(answers, surroundings)
      .filter((question) => question.fallback === undefined && answers[question.name] === '' && question.name !== name)
      .map((question) => question.name),
  );
  return Object.fromEntries(Object.entries(answers).filter(([member]) => !missing.has(member)));
};

const errorText = (name: string, { message, hint }: Finding): string =>
  `${name}: ${message}${hint === undefined ? '' : `\n    ${hint}`}`;

function unknownNames(given: Answers, answers: Answers, surroundings: QuestionSurroundings): readonly string[] {
  const known = questionsFor(answers, surroundings).map(({ name }) => name);
  return needless(given, answers, surroundings).map((name) => {
    const guess = nearest(name, known);
    const hint = guess === undefined ? `with these answers there are ${known.join(', ')}` : `did you mean ${guess}?`;
    return errorText(name, { message: 'is not asked', hint });
  });
}

/** What no question is to blame for. */
function restOf(examiner: Examiner, texts: Texts): readonly string[] {
  const loaded = examiner.load(texts);
  return 'errors' in loaded ? loaded.errors.map(problemText) : [];
}

const INTRODUCTION = `This writes a configuration with comments. Enter takes what stands in [brackets],
< goes back one question, Ctrl-C ends it: until the end nothing is written.
`;

async function asking(
  io: Io,
  options: SetupOptions,
  examiner: Examiner,
  given: Answers,
  terminal: Terminal,
): Promise<ExitCode> {
  const { surroundings, file } = examiner;
  terminal.say(INTRODUCTION);
  const scan = scanFor(io, terminal);
  const current = existsSync(file) ? currentAnswers(file, readFileSync(file, 'utf8')) : {};
  const answers = await dialogue(given, { asker: terminal, examiner, scan, current }, async (all) => {
    for (const name of needless(given, all, surroundings)) terminal.say(`\n${name} was not needed.\n`);
    const texts = textsOf(all, surroundings);
    terminal.say(`\n${texts.main}\n`);
    for (const problem of restOf(examiner, texts)) terminal.say(`  ${problem}\n`);
    return options.replace === true || (await agreed(terminal, file));
  });
  if (answers !== undefined) return written(io, options, examiner, answers, textsOf(answers, surroundings));
  terminal.say('\nNothing was written.\n');
  return EXIT.config;
}

/** Enter will do where nothing is lost by it. False as well if it was ended. */
async function agreed(terminal: Terminal, file: string): Promise<boolean | typeof BACK> {
  const isThere = existsSync(file);
  const question = isThere
    ? `${file} is there already. Replace all of it, and keep it as .bak? (yes, no, <): `
    : `Write it to ${file}? (yes, no, <) [yes]: `;
  for (;;) {
    const typed = (await terminal.line(question))?.trim();
    if (typed === undefined || /^(n|no)$/i.test(typed)) return false;
    if (typed === BACK) return BACK;
    if (isYes(typed) || (typed === '' && !isThere)) return true;
  }
}

async function written(
  io: Io,
  options: SetupOptions,
  { file }: Examiner,
  answers: Answers,
  texts: Texts,
): Promise<ExitCode> {
  const stateDir = resolve(dirname(file), answers['stateDir'] ?? '');
  let result: Written;
  try {
    result = writeSetup(file, texts, stateDir);
  } catch (cause) {
    io.err(`${file} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.\n`);
    return EXIT.internal;
  }
  const [out, err]: [string[], string[]] = [[], []];
  const { check } = await import('./check.ts');
  const code = await check({ ...io, out: (text) => void out.push(text), err: (text) => void err.push(text) }, file);
  const next = nextCommands(file, answers, result);
  if (options.json === true) {
    const findings = err.join('').trimEnd();
    const said = findings === '' ? [] : findings.split(/\n(?! )/);
    io.out(json({ ...result, check: code === EXIT.ok ? 'PASS' : 'FAIL', findings: said, next }));
    return code;
  }
  const { backups, secretsFile } = result;
  io.out(`Written: ${[file, ...(secretsFile === undefined ? [] : [secretsFile])].join(', ')}\n`);
  for (const backup of backups) io.out(`Kept: ${backup}\n`);
  io.out(`\n${out.join('')}`);
  io.err(err.join(''));
  io.out(`\nNext:\n${next.map((command) => `  ${command}\n`).join('')}`);
  return code;
}

/** In this order. */
function nextCommands(file: string, { board }: Answers, { secretsFile }: Written): readonly string[] {
  if (board === 'mock') return [`chargepoint bench --config ${file}`];
  const isService = file === DEFAULT_CONFIG;
  // Without the directory of the service nobody could be asked who it runs as.
  const isForeign = isService && secretsFile !== undefined && statSync(secretsFile).uid === 0;
  return [
    ...(isForeign ? [`sudo chown chargepoint: ${secretsFile}`] : []),
    `chargepoint doctor${isService ? '' : ` --config ${file}`}`,
    isService ? 'sudo systemctl enable --now chargepoint' : `chargepoint run --config ${file}`,
  ];
}
