/** The table of causes: the most exact one counts, and nobody is left without something to do. */
import { describe, expect, it } from 'vitest';
import { httpRemedy, REMEDIES, remedyFor } from '../../src/cli/remedies.ts';

describe('the table of causes', () => {
  it.each(Object.entries(REMEDIES))('says what it is and what to do: %s', (_code, { cause, next }) => {
    expect(cause).toMatch(/^[^A-Z]?\S.*[^.]$/);
    expect(next.length).toBeGreaterThan(10);
  });

  it('takes the most exact one that there is', () => {
    expect(remedyFor('tls.CERT_HAS_EXPIRED')).toBe(REMEDIES['tls.CERT_HAS_EXPIRED']);
    expect(remedyFor('tls.SOMETHING_NEW')).toBe(REMEDIES['tls']);
    expect(remedyFor('dns.')).toBe(REMEDIES['dns']);
  });

  it.each([
    [400, true, 'http.400'],
    [400, false, 'http.400'],
    [401, true, 'http.401'],
    [401, false, 'http.401.withoutKey'],
    [403, true, 'http.403'],
    [404, true, 'http.404'],
    [426, true, 'http.426'],
    [429, true, 'http.429'],
    [301, true, 'http.3xx'],
    [308, false, 'http.3xx'],
    [500, true, 'http.5xx'],
    [503, false, 'http.5xx'],
    [200, true, 'http'],
    [418, false, 'http'],
  ])('reads HTTP %i, AuthorizationKey shown: %s', (status, showsKey, code) => {
    expect(httpRemedy(status, showsKey)).toBe(REMEDIES[code]);
  });

  it('does not give up over what nobody has heard of', () => {
    expect(remedyFor('nonsense').next).not.toBe('');
  });
});
