/** When a release on trial may ask for its confirmation. */
import { describe, expect, it } from 'vitest';
import type { FaultCode } from '../../hal/contract.ts';
import { FAULTS } from '../../hal/faults.ts';
import { isWell } from '../../src/cli/well.ts';

const OURS: readonly FaultCode[] = ['controllerSilent', 'internalFault', 'meterSilent', 'pilotSilent'];
const CODES = Object.keys(FAULTS) as FaultCode[];
const THEIRS = CODES.filter((code) => !OURS.includes(code));

describe('a release on trial', () => {
  it.each([
    ['Accepted', true],
    ['Pending', false],
    ['Rejected', false],
    [null, false],
  ] as const)('that the central system has answered with %s is well: %s', (boot, well) => {
    expect(isWell({ boot }, [])).toBe(well);
  });

  it.each(OURS)('is not well while the hardware loop has raised %s, whatever else is raised', (code) => {
    expect(isWell({ boot: 'Accepted' }, [{ code }])).toBe(false);
    expect(isWell({ boot: 'Accepted' }, [{ code: 'diodeFault' }, { code }])).toBe(false);
  });

  it.each(THEIRS)('is well in spite of %s, which the release before would show as well', (code) => {
    expect(isWell({ boot: 'Accepted' }, [{ code }])).toBe(true);
    expect(isWell({ boot: 'Pending' }, [{ code }])).toBe(false);
  });
});
