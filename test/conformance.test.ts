/** docs/conformance.md says what the code says. `npm run conformance` writes it anew. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FEATURES } from '../src/features/all.ts';
import { OPERATIONS } from '../src/ocpp/messages/all.ts';
import { CASES } from './conformance/cases.ts';
import { documentOf } from './conformance/document.ts';
import { testsOf } from './conformance/scan.ts';
import { World } from './sim/world.ts';

const ROOT = join(import.meta.dirname, '..');

const filesIn = (folder: string, ending: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .toSorted();

const read = (...path: readonly string[]): string => readFileSync(join(ROOT, ...path), 'utf8');

/** This file speaks of tests, and is none of them. */
const files = filesIn('test', '.test.ts').filter((file) => file !== 'conformance.test.ts');
const tests = files.flatMap((file) => testsOf(file.replace('.test.ts', ''), read('test', file)));
const rooms = new Map(
  FEATURES.map(({ name }) => {
    const folder = join('src/features', name);
    return [
      name,
      filesIn(folder, '.ts')
        .map((file) => read(folder, file))
        .join('\n'),
    ];
  }),
);
const conformance = { features: FEATURES, operations: OPERATIONS, cases: CASES, tests, rooms };

describe('docs/conformance.md', () => {
  it('is fresh (else: npm run conformance)', async () => {
    await expect(documentOf(conformance)).toMatchFileSnapshot(join(ROOT, 'docs/conformance.md'));
  });

  it.each(OPERATIONS.filter(({ operation }) => operation.initiator !== 'ChargePoint'))(
    'names a room for $operation.action just when the charge point answers it',
    async ({ operation: { action } }) => {
      const world = await World.start();
      // A member of the wrong type stops every handler before it does anything.
      const answer = await world.central.call(action, { type: 5, key: 5, idTag: 5, vendorId: 5, connectorId: 'x' });
      const row = documentOf(conformance)
        .split('\n')
        .find((line) => line.startsWith(`| ${action} |`));
      expect(row?.split('|')[4]?.trim() === 'not yet').toBe(answer === 'NotSupported');
    },
  );
});

describe('the names of tests', () => {
  const source = `
    describe('a (thing)', () => {
      it('is \\'good\\'', () => { f(')'); /* it('not') */ });
      it.each([
        ['x', ')'],
      ] as const)('is %s', async (x) => g(x));
    });
    it(\`runs \${n} times\`, () => {});
    const it2 = split(it);`;

  it('are found with their describes and tables, whatever stands in strings and comments', () => {
    const found = testsOf('some/file', source);
    expect(found.map(({ name }) => name)).toEqual(["a (thing): is 'good'", 'a (thing): is %s', 'runs n times']);
    expect(found[1]?.source).toContain("['x', ')']");
  });

  it('are no less than those of a file that is known', () => {
    const core = tests.filter(({ file }) => file === 'scenarios/octt-core').map(({ name }) => name);
    expect(core).toContain('a cold boot: TC_002: while Pending only calls are answered; after Accepted it is as ever');
    const calls = read('test/scenarios/octt-core.test.ts').match(/^\s*it(\.each\(|\()/gm) ?? [];
    expect(core).toHaveLength(calls.length);
  });
});
