/** The thin vocabulary over valibot in which the configuration files are described; each message says what is expected. */
import * as v from 'valibot';

/** An object with exactly these members. */
export const object = <E extends v.ObjectEntries>(entries: E) => v.strictObject(entries, 'an object');

export const optional = <S extends v.GenericSchema>(schema: S) => v.exactOptional(schema);

/** A section that may be left out, or stand there empty with everything in it commented out. */
export const section = <S extends v.GenericSchema>(schema: S) => v.exactOptional(v.nullable(schema));

/** `least` to `most` characters, none of them a control character. */
export const text = (most: number, least = 1) => {
  const expected = `a text of ${least} to ${most} characters`;
  return v.pipe(
    v.string(expected),
    v.minLength(least, expected),
    v.maxLength(most, expected),
    v.regex(/^\P{Cc}*$/u, `${expected} without control characters`),
  );
};

/** A text without blanks: it becomes one field of a line in the safe-outputs file. */
export const word = (most: number) => {
  const expected = `a text of 1 to ${most} characters without blanks`;
  return v.pipe(v.string(expected), v.maxLength(most, expected), v.regex(/^[^\s\p{Cc}]+$/u, expected));
};

export const path = () => text(4096);

export const whole = (least: number, most: number, unit = '') => {
  const expected = `a whole number from ${least} to ${most}${unit === '' ? '' : ` ${unit}`}`;
  return v.pipe(v.number(expected), v.integer(expected), v.minValue(least, expected), v.maxValue(most, expected));
};

export const decimal = (least: number, most: number, unit = '') => {
  const expected = `a number from ${least} to ${most}${unit === '' ? '' : ` ${unit}`}`;
  return v.pipe(v.number(expected), v.minValue(least, expected), v.maxValue(most, expected));
};

export const yesNo = () => v.boolean('true or false');

export const oneOf = <const O extends readonly (string | number)[]>(...options: O) =>
  v.picklist(options, options.length === 1 ? String(options[0]) : `one of ${options.join(', ')}`);

export const listOf = <S extends v.GenericSchema>(item: S, least = 0) =>
  v.pipe(v.array(item, 'a list'), v.minLength(least, `a list of at least ${least}`));

/** Says what a member is for; editors show it. */
export const described = <S extends v.GenericSchema>(schema: S, description: string) =>
  v.pipe(schema, v.description(description));
