/** Merge patches on the inputs: what they do, and what is refused and by which words. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULTS } from '../../hal/faults.ts';
import { BARE_SITE, type BenchInputs, FAULT_OF, inputsAtPowerUp, WHOLE_SITE } from '../../src/bench/inputs.ts';
import { knownInputs, patched, unknownInputs } from '../../src/bench/merge-patch.ts';
import { CHARGE_POINT_ERROR_CODES } from '../../src/ocpp/messages/types/connector.ts';

const atPowerUp = inputsAtPowerUp([1, 2]);

const afterwards = (...patches: unknown[]): BenchInputs =>
  patches.reduce<BenchInputs>((inputs, patch) => {
    const result = patched(inputs, patch);
    if (!result.ok) throw new Error(result.error);
    return result.inputs;
  }, atPowerUp);

const connector = (change: unknown) => ({ connectors: { '1': change } });

describe('a merge patch on the inputs (RFC 7396)', () => {
  it('changes the members that it names and no others', () => {
    const { connectors, ...others } = afterwards(connector({ ev: { plugged: true } }), { link: 'down' });
    expect(connectors['1']?.ev).toEqual({ ...atPowerUp.connectors['1']?.ev, plugged: true });
    expect(connectors['2']).toEqual(atPowerUp.connectors['2']);
    expect(others).toMatchObject({ link: 'down', power: 'on', storage: 'ok' });
  });

  it('merges faults, and null takes one away', () => {
    const raised = afterwards(connector({ faults: { GroundFailure: { info: 'a' }, WeakSignal: {} } }));
    expect(raised.connectors['1']?.faults).toEqual({ GroundFailure: { info: 'a' }, WeakSignal: {} });
    const patch = connector({ faults: { GroundFailure: null, WeakSignal: { vendorId: 'V' } } });
    const result = patched(raised, patch);
    expect(result.ok && result.inputs.connectors['1']?.faults).toEqual({ WeakSignal: { vendorId: 'V' } });
  });

  it('puts back to power-up what null names', () => {
    const changed = afterwards(
      { clock: { rate: 60 } },
      connector({ ev: { amps: 10 }, jam: 'welded', meter: { watts: 5 } }),
    );
    expect(changed.connectors['1']?.jam).toBe('welded');
    const result = patched(changed, {
      clock: null,
      ...connector({ ev: { amps: null }, jam: null, meter: { watts: null } }),
    });
    expect(result).toEqual({ ok: true, inputs: atPowerUp });
  });

  it.each<[string, unknown, string]>([
    ['an output', { out: { connected: true } }, 'out is an output'],
    ['the time', { now: '2026-01-01T00:00:00Z' }, 'now is an output'],
    ['an output of a connector', connector({ out: { pilot: 'C' } }), 'connectors.1.out is an output'],
    ['an unknown member', { lnik: 'down' }, 'lnik is no input of this bench'],
    [
      'an unknown member that null would remove',
      connector({ ev: { pluged: null } }),
      'connectors.1.ev.pluged is no input',
    ],
    ['a connector that is not there', { connectors: { '3': {} } }, 'connectors.3 is no input of this bench'],
    [
      'a fault that no hardware raises',
      connector({ faults: { NoError: {} } }),
      'connectors.1.faults.NoError is no input',
    ],
    ['a prototype', JSON.parse('{"__proto__": {"link": "down"}}'), '__proto__ is no input'],
    ['a method of objects', { constructor: {} }, 'constructor is no input'],
    ['a wrong word', { link: 'sideways' }, 'link takes one of "up", "down"'],
    ['a wrong type', connector({ ev: { plugged: 'yes' } }), 'connectors.1.ev.plugged takes true or false'],
    ['a number out of range', connector({ ev: { amps: -1 } }), 'connectors.1.ev.amps takes a number from 0 to 80'],
    ['a clock that stands still', { clock: { rate: 0 } }, 'clock.rate takes a number'],
    ['a value for an object', { clock: 7 }, 'clock is an object'],
    ['an object for a value', { link: {} }, 'link takes one of'],
    ['a list', [], 'the document is an object'],
    ['null', null, 'the document is an object'],
  ])('refuses %s', (_name, patch, error) => {
    const result = patched(atPowerUp, patch);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.error).toContain(error);
  });

  it('is all or nothing', () => {
    const patch = { link: 'down', ...connector({ ev: { plugged: true, amps: 'many' } }) };
    expect(patched(atPowerUp, patch).ok).toBe(false);
    expect(atPowerUp).toEqual(inputsAtPowerUp([1, 2]));
  });

  it('never throws, and what it accepts it accepts again', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (junk) => {
        for (const patch of [junk, { connectors: junk }, connector(junk), connector({ ev: junk, faults: junk })]) {
          const result = patched(atPowerUp, patch);
          if (result.ok) expect(patched(atPowerUp, result.inputs)).toEqual(result);
        }
      }),
    );
  });
});

describe('the inputs of a house', () => {
  const inHouse = inputsAtPowerUp([1], WHOLE_SITE);
  const gridAfter = (patch: unknown, inputs = inHouse) => {
    const result = patched(inputs, patch);
    return result.ok ? result.inputs.grid : result.error;
  };

  it('stand before the connectors, with nothing drawn and nothing asked for', () => {
    expect(Object.keys(inHouse)).toEqual([
      'clock',
      'link',
      'power',
      'storage',
      'firmware',
      'grid',
      'dimming',
      'rcd',
      'connectors',
    ]);
    expect(inHouse).toMatchObject({ grid: { amps: [0, 0, 0], drop: false }, dimming: false });
    expect(patched(inHouse, {})).toEqual({ ok: true, inputs: inHouse });
  });

  it('take the currents of the phases as one value, which null puts back', () => {
    expect(gridAfter({ grid: { amps: [1, 2.5, 1000] } })).toEqual({ amps: [1, 2.5, 1000], drop: false });
    const drawn = { ...inHouse, grid: { amps: [1, 2, 3] as const, drop: false } };
    expect(gridAfter({ grid: { drop: true } }, drawn)).toEqual({ amps: [1, 2, 3], drop: true });
    expect(gridAfter({ grid: { amps: null } }, drawn)).toEqual({ amps: [0, 0, 0], drop: false });
    expect(gridAfter({ grid: null }, drawn)).toEqual({ amps: [0, 0, 0], drop: false });
  });

  it.each([[[1, 2]], [[1, 2, 3, 4]], [[1, 2, '3']], [[1, 2, null]], [[1, 2, -1]], [[1, 2, 1001]], [{ 0: 1 }], [7]])(
    'refuse the currents %j',
    (amps) => {
      expect(gridAfter({ grid: { amps } })).toContain('grid.amps takes three values, one per phase');
    },
  );

  it('refuse a contact that is neither open nor closed, and a member that is not there', () => {
    expect(gridAfter({ dimming: 1 })).toBe('dimming takes true or false');
    expect(gridAfter({ rcd: 'dead' })).toBe('rcd takes one of "ok", "deaf"');
    expect(gridAfter({ grid: { volts: 230 } })).toBe('grid.volts is no input of this bench');
  });

  it('are unknown on a bench without it', () => {
    expect(patched(atPowerUp, { grid: {} })).toEqual({ ok: false, error: 'grid is no input of this bench' });
    expect(patched(atPowerUp, { rcd: 'ok' })).toEqual({ ok: false, error: 'rcd is no input of this bench' });
    expect(patched(atPowerUp, { dimming: null })).toEqual({ ok: false, error: 'dimming is no input of this bench' });
    expect(unknownInputs({ grid: {}, dimming: true }, ['1'], BARE_SITE)).toEqual([['grid'], ['dimming']]);
    expect(knownInputs({ grid: {}, link: 'up' }, ['1'], BARE_SITE)).toEqual({ link: 'up' });
    expect(patched(inputsAtPowerUp([1], { ...BARE_SITE, dimming: true }), { grid: {} }).ok).toBe(false);
  });

  it('pass in a file where the site is not known yet', () => {
    expect(unknownInputs({ grid: { amps: [1, 1, 1] }, dimming: true })).toEqual([]);
    expect(unknownInputs({ grid: { apms: [1, 1, 1] } })).toEqual([['grid', 'apms']]);
  });
});

describe('the faults of the bench', () => {
  it('have a name for everything that hardware can report in OCPP 1.6, section 7.6', () => {
    const ofHardware = CHARGE_POINT_ERROR_CODES.filter((code) => code !== 'NoError' && code !== 'LocalListConflict');
    expect(Object.keys(FAULT_OF).sort()).toEqual([...ofHardware].sort());
  });

  it('block what the manual says', () => {
    const blocking = (blocks: string) =>
      Object.keys(FAULT_OF).filter((name) => FAULTS[FAULT_OF[name] ?? 'otherFault'].blocks === blocks);
    expect(blocking('nothing')).toEqual(['ReaderFailure', 'WeakSignal']);
    expect(blocking('offer')).toEqual(['EVCommunicationError']);
  });
});

describe('bench.inputs of a configuration', () => {
  it('may be a document of an older version: what is unknown is named and left out', () => {
    const old = { now: 'x', link: 'down', wind: 'north', ...connector({ ev: { plugged: true, smell: 1 }, out: {} }) };
    expect(unknownInputs(old)).toEqual([
      ['now'],
      ['wind'],
      ['connectors', '1', 'ev', 'smell'],
      ['connectors', '1', 'out'],
    ]);
    expect(knownInputs(old, ['1'])).toEqual({ link: 'down', ...connector({ ev: { plugged: true } }) });
  });

  it('takes any connector where the board is not known yet', () => {
    expect(unknownInputs({ connectors: { '7': {}, seven: {} } })).toEqual([['connectors', 'seven']]);
  });
});
