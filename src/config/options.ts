/** The settings that are no OCPP key (bench.md, section 2): one table of names, types and defaults. */
import type { Options } from '../config.ts';
import type { ConfigDocument } from './document.ts';
import { shown } from './examine.ts';
import type { Findings } from './findings.ts';
import { nearest } from './nearest.ts';

type Given = string | number | boolean | readonly string[] | null;

interface Type<T> {
  readonly expected: string;
  /** Undefined for a value that is not of this type. */
  readonly parse: (given: Given) => T | undefined;
}

const whole = (most: number, unit: string, least = 0): Type<number> => ({
  expected: `a whole number from ${least} to ${most}${unit}`,
  parse: (given) => {
    const digits = String(given).trim();
    if (!/^\d{1,9}$/.test(digits)) return undefined;
    return Number(digits) >= least && Number(digits) <= most ? Number(digits) : undefined;
  },
});

const amps: Type<number> = {
  expected: 'a current from 0 to 1000 A',
  parse: (given) => {
    const digits = String(given).trim();
    return /^\d{1,4}(\.\d+)?$/.test(digits) && Number(digits) <= 1_000 ? Number(digits) : undefined;
  },
};

const yesNo: Type<boolean> = {
  expected: 'true or false',
  parse: (given) => ({ true: true, false: false })[String(given).trim().toLowerCase()],
};

const texts: Type<readonly string[]> = {
  expected: 'a list of texts, or its JSON text',
  parse: (given) => {
    const list = typeof given === 'string' ? jsonOf(given) : given;
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
  },
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TYPES: { readonly [name: string]: { readonly member: keyof Options; readonly type: Type<unknown> } } = {
  RetryBackoffRandomRange: { member: 'retryBackoffRandomRangeS', type: whole(3_600, ' s') },
  RetryBackoffWaitMinimum: { member: 'retryBackoffWaitMinimumS', type: whole(3_600, ' s') },
  RetryBackoffRepeatTimes: { member: 'retryBackoffRepeatTimes', type: whole(1_000, '') },
  SwitchSecurityProfileConnectionTimeout: {
    member: 'switchSecurityProfileConnectionTimeoutS',
    type: whole(86_400, ' s'),
  },
  ConfirmConnectionWithin: { member: 'confirmConnectionWithinS', type: whole(86_400, ' s', 30) },
  RejectRemoteStartTransactionWithoutConnectorId: {
    member: 'rejectRemoteStartTransactionWithoutConnectorId',
    type: yesNo,
  },
  RemoteStartTransactionWithoutConnectorIdFindFirst: {
    member: 'remoteStartTransactionWithoutConnectorIdFindFirst',
    type: yesNo,
  },
  CompositeScheduleDefaultLimitAmps: { member: 'compositeScheduleDefaultLimitAmps', type: amps },
  MeterPublicKeys: { member: 'meterPublicKeys', type: texts },
};

export const DEFAULT_OPTIONS: Options = {
  retryBackoffRandomRangeS: 1,
  retryBackoffWaitMinimumS: 1,
  retryBackoffRepeatTimes: 6,
  switchSecurityProfileConnectionTimeoutS: 60,
  confirmConnectionWithinS: 300,
  rejectRemoteStartTransactionWithoutConnectorId: false,
  remoteStartTransactionWithoutConnectorIdFindFirst: false,
  meterPublicKeys: [],
};

/** Unknown options are reported and passed over: a newer rig may know more of them than we do. */
export function readOptions(
  findings: Findings,
  document: ConfigDocument,
  given: Readonly<Record<string, Given>>,
): Options {
  const read: Partial<Record<keyof Options, unknown>> = {};
  for (const [name, value] of Object.entries(given)) {
    const option = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    const path = ['options', name];
    if (option === undefined) {
      const guess = nearest(name, Object.keys(TYPES));
      findings.warnings.push(
        document.problem(path, 'is no option of this version and is ignored', guess && `did you mean ${guess}?`),
      );
      continue;
    }
    if (value === null) continue;
    const parsed = option.type.parse(value);
    if (parsed === undefined) {
      findings.errors.push(document.problem(path, `is ${shown(value)}, expected ${option.type.expected}`));
    } else {
      read[option.member] = parsed;
    }
  }
  return { ...DEFAULT_OPTIONS, ...read } as Options;
}
