/** Holds an answer against the rules of `check`: the file that it would make is loaded, and what is said of its member is said of it. */
import { pathText } from '../../config/document.ts';
import type { Answers } from '../../config/setup/answers.ts';
import { renderConfig, renderSecrets } from '../../config/setup/render.ts';
import type { ConfigProblem, LoadedConfig } from '../../config.ts';
import { type Question, type QuestionSurroundings, questionsFor } from './questions.ts';

export interface Finding {
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Findings {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** What would be written. `secrets` undefined: that file stays as it is, if there is one. */
export interface Texts {
  readonly main: string;
  readonly secrets?: string;
}

export interface Examiner {
  readonly surroundings: QuestionSurroundings;
  /** Absolute path of the file that is written. */
  readonly file: string;
  /** What loading these texts gives. */
  load(texts: Texts): LoadedConfig;
}

/** Every question has an answer: the given one, read as it was meant, else what `otherwise` says. Unknown names stay. */
function filled(
  given: Answers,
  surroundings: QuestionSurroundings,
  otherwise: (question: Question) => string,
): Answers {
  const all: Record<string, string> = { ...given };
  for (let index = 0; ; index += 1) {
    const question = questionsFor(all, surroundings)[index];
    if (question === undefined) return all;
    const told = given[question.name];
    all[question.name] = told === undefined ? otherwise(question) : read(told, question);
  }
}

/** With the defaults; an empty text where there is none. */
export const withDefaults = (given: Answers, surroundings: QuestionSurroundings): Answers =>
  filled(given, surroundings, (question) => read('', question));

/** What was meant: the default, the number of a choice, yes and no. */
export function read(
  typed: string,
  { fallback, mayBeNone, choices, kind }: Pick<Question, 'fallback' | 'mayBeNone' | 'choices' | 'kind'>,
): string {
  const text = kind === 'secret' ? typed : typed.trim();
  if (text === 'none' && (fallback === '' || mayBeNone === true)) return '';
  const meant = text === '' ? (fallback ?? '') : text;
  if (kind === 'yesNo') return isYes(meant) ? 'true' : /^(n|no)$/i.test(meant) ? 'false' : meant;
  const chosen = /^\d+$/.test(meant) ? choices?.[Number(meant) - 1] : undefined;
  return chosen?.name ?? meant;
}

export const isYes = (text: string): boolean => /^(y|yes|true)$/i.test(text.trim());

/** Of complete answers. */
export function textsOf(answers: Answers, { hasSecret }: QuestionSurroundings): Texts {
  const { authorizationKey } = answers;
  const isNew = authorizationKey !== undefined && authorizationKey !== '';
  const isKept = authorizationKey === '' && hasSecret;
  return {
    main: renderConfig(answers, isNew || isKept),
    ...(isNew ? { secrets: renderSecrets(authorizationKey) } : {}),
  };
}

/** What is wrong with the answer to this question, the earlier answers taken as they are. */
export function examineAnswer(examiner: Examiner, answers: Answers, question: Question): Findings {
  const answer = answers[question.name] ?? '';
  if (answer === '' && question.fallback === undefined) {
    return { errors: [{ message: `an answer is needed: ${question.explain}` }], warnings: [] };
  }
  const own = question.problem?.(answer);
  if (own !== undefined) return { errors: [{ message: own }], warnings: [] };
  const { surroundings, file } = examiner;
  const loaded = examiner.load(
    textsOf(
      filled(answers, surroundings, ({ sample }) => sample),
      surroundings,
    ),
  );
  const isSecret = question.kind === 'secret';
  const concerns = ({ file: where, path }: ConfigProblem): boolean =>
    where === file
      ? isWithin(path, pathText(question.place), question.isExact === true) || (isSecret && path === 'secretsFile')
      : namesFile(question);
  return {
    errors: 'errors' in loaded ? loaded.errors.filter(concerns).map(findingOf) : [],
    warnings: loaded.warnings.filter(concerns).map(findingOf),
  };
}

/** `connectors[0].meter` holds `connectors[0].meter.unit`. */
const isWithin = (path: string, place: string, isExact: boolean): boolean =>
  path === place || (!isExact && path.startsWith(place) && /^[.[]/.test(path.slice(place.length)));

/** What is wrong in a board file is said of the board. */
const namesFile = ({ choices, kind }: Question): boolean =>
  choices !== undefined || kind === 'meter' || kind === 'secret';

const findingOf = ({ message, hint }: ConfigProblem): Finding => ({ message, hint });

/** Answers to what is not asked, because the name is wrong or other answers make it needless. `answers` hold the given ones. */
export function needless(given: Answers, answers: Answers, surroundings: QuestionSurroundings): readonly string[] {
  const asked = new Set(questionsFor(answers, surroundings).map(({ name }) => name));
  return Object.keys(given).filter((name) => !asked.has(name));
}
