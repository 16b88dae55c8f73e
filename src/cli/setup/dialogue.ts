/** Asks one question after the other; `<` goes back, a wrong answer is explained and asked for again. */
import type { Answers } from '../../config/setup/answers.ts';
import { columns, wrapped } from '../format.ts';
import { type Examiner, examineAnswer, type Finding, isYes, read } from './examination.ts';
import { type Question, questionsFor } from './questions.ts';

/** Somebody at a terminal. Both answer undefined when he has pressed Ctrl-C or Ctrl-D. */
export interface Asker {
  line(prompt: string): Promise<string | undefined>;
  /** What is typed is not shown. */
  secret(prompt: string): Promise<string | undefined>;
  say(text: string): void;
}

export interface DialogueSurroundings {
  readonly asker: Asker;
  readonly examiner: Examiner;
  /** What the file that is there says: the defaults, before those of the board. */
  readonly current: Answers;
  /** Looks for meters on this port; what it has found as answers for `owner`, or undefined. */
  scan(port: string, owner: string): Promise<Answers | undefined>;
}

export const BACK = '<';

/**
 * All answers, or undefined if it was ended. What is `given` is asked only if it is wrong. `agreed` comes last: true, false, or `<` for
 * the question before.
 */
export async function dialogue(
  given: Answers,
  surroundings: DialogueSurroundings,
  agreed: (answers: Answers) => Promise<boolean | typeof BACK>,
): Promise<Answers | undefined> {
  const { asker, examiner } = surroundings;
  let answers: Answers = {};
  /** What was asked and how things stood before: the way back. */
  const asked: { readonly index: number; readonly before: Answers }[] = [];
  for (let index = 0; ; index += 1) {
    const question = questionsFor(answers, examiner.surroundings)[index];
    if (question !== undefined) {
      const known = knownAnswer(question, answers, given, surroundings);
      if (known !== undefined) {
        answers = { ...answers, [question.name]: known };
        continue;
      }
    }
    const answer =
      question === undefined
        ? await agreed(answers)
        : await askUntilRight(asBefore(question, surroundings.current), answers, surroundings);
    if (answer === undefined || answer === false) return undefined;
    if (answer === true) return answers;
    if (answer !== BACK) {
      asked.push({ index, before: answers });
      answers = { ...answers, ...answer };
      continue;
    }
    const last = asked.pop();
    if (last === undefined) asker.say('  This is the first question.\n');
    answers = last?.before ?? answers;
    index = (last?.index ?? index) - 1;
  }
}

/** With the default of the last time. What may be none still may: `none`. */
const asBefore = (question: Question, current: Answers): Question => {
  const fallback = current[question.name];
  return fallback === undefined ? question : { ...question, fallback, mayBeNone: question.fallback === '' };
};

/** What need not be asked; undefined if it has to be, because nobody has said it, or something wrong. */
function knownAnswer(
  question: Question,
  answers: Answers,
  given: Answers,
  { asker, examiner, current }: DialogueSurroundings,
): string | undefined {
  const { name, isSilent } = question;
  if (answers[name] !== undefined) return answers[name];
  const told = given[name] ?? (isSilent === true ? (current[name] ?? '') : undefined);
  if (told === undefined) return undefined;
  const text = read(told, question);
  const { errors } = examineAnswer(examiner, { ...answers, [name]: text }, question);
  for (const error of errors) asker.say(`${name}\n${findingText('No good', error)}`);
  return errors.length === 0 ? text : undefined;
}

/** The answer and what follows from it; `<`, or undefined if it was ended. */
async function askUntilRight(
  question: Question,
  answers: Answers,
  surroundings: DialogueSurroundings,
): Promise<Answers | typeof BACK | undefined> {
  const { asker, examiner } = surroundings;
  asker.say(`\n${wrapped(question.explain, 0)}`);
  if (question.choices !== undefined) asker.say(choicesText(question.choices));
  for (;;) {
    const typed = await ask(asker, question);
    if (typed === undefined || typed === BACK) return typed;
    const special = question.kind === 'meter' ? await meterHelp(typed, question, answers, surroundings) : undefined;
    if (special === 'again') continue;
    const answer = special ?? { [question.name]: read(typed, question) };
    const { errors, warnings } = examineAnswer(examiner, { ...answers, ...answer }, question);
    for (const error of errors) asker.say(findingText('No good', error));
    for (const warning of warnings) asker.say(findingText('Careful', warning));
    if (errors.length > 0) continue;
    if (warnings.length === 0 || isSureAnyhow(question)) return answer;
    const keep = await asker.line('  Keep it all the same? (yes, no) [no]: ');
    if (keep === undefined) return undefined;
    if (isYes(keep)) return answer;
  }
}

/** What is doubtful about a meter or a board is doubtful of the thing, not of the answer; and yes or no has been thought of. */
const isSureAnyhow = ({ kind, choices }: Question): boolean =>
  kind === 'meter' || kind === 'yesNo' || choices !== undefined;

function ask(asker: Asker, { ask, fallback, kind }: Question): Promise<string | undefined> {
  const shown = fallback === undefined ? '' : ` [${fallback === '' ? 'none' : fallback}]`;
  return kind === 'secret' ? asker.secret(`${ask}: `) : asker.line(`${ask}${shown}: `);
}

/** `?` and `scan`; undefined for a name. */
async function meterHelp(
  typed: string,
  { name }: Question,
  answers: Answers,
  { asker, examiner, scan }: DialogueSurroundings,
): Promise<Answers | 'again' | undefined> {
  if (typed.trim() === '?') {
    asker.say(columns(examiner.surroundings.catalogue.meters().map(([file, model]) => [`  ${file}`, model])));
    return 'again';
  }
  if (typed.trim() !== 'scan') return undefined;
  const owner = name.replace(/\.meter$/, '');
  return (await scan(answers[`${owner}.port`] ?? '', owner)) ?? 'again';
}

const choicesText = (choices: NonNullable<Question['choices']>): string =>
  columns(choices.map(({ name, description }, index) => [`  ${index + 1}`, name, description]));

const findingText = (kind: 'No good' | 'Careful', { message, hint }: Finding): string =>
  `${wrapped(`${kind}: ${message}.`, 2)}${hint === undefined ? '' : wrapped(hint, 4)}`;
