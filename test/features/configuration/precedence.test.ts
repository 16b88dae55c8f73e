/** Which value of a key wins, as a table over everything that can be known about it. */
import { describe, expect, it } from 'vitest';
import {
  competitionOf,
  disclosed,
  effectiveOf,
  type Given,
  standingOf,
} from '../../../src/features/configuration/precedence.ts';
import { key, seconds } from '../../../src/features/keys.ts';
import { authorizationKey, centralSystemUrl } from '../../../src/features/security/security.keys.ts';

const interval = key('HeartbeatInterval', seconds(), { default: 300 });
const setAt = Date.UTC(2026, 0, 5, 8);
const set = (value: string) => ({ value, setAt });
const NOTHING: Given = { preset: undefined, lastPreset: undefined, stored: undefined };

describe('the value of a key', () => {
  it.each<[string, Partial<Given>, string, string]>([
    ['nobody has said anything', {}, '300', 'default'],
    ['the file says something', { preset: '120', lastPreset: '120' }, '120', 'file'],
    ['the central system has set something', { stored: set('60') }, '60', 'centralSystem'],
    ['both have', { preset: '120', lastPreset: '120', stored: set('60') }, '60', 'centralSystem'],
    ['the file was edited after that', { preset: '90', lastPreset: '120', stored: set('60') }, '90', 'file'],
    ['it came into the file after that', { preset: '90', stored: set('60') }, '90', 'file'],
    ['it was taken out of the file', { lastPreset: '120', stored: set('60') }, '60', 'centralSystem'],
    ['the file was edited to nonsense', { preset: 'x', lastPreset: '120', stored: set('60') }, '60', 'centralSystem'],
    ['the store holds nonsense', { preset: '120', lastPreset: '120', stored: set('x') }, '120', 'file'],
  ])('when %s', (_, given, value, source) => {
    const { layers } = standingOf(interval, { ...NOTHING, ...given });
    expect(effectiveOf(interval, layers)).toMatchObject({ value, source });
  });

  it('names what it overrides, the strongest first, and since when', () => {
    const { layers } = standingOf(interval, { preset: '120', lastPreset: '120', stored: set('60') });
    expect(effectiveOf(interval, layers)).toEqual({
      name: 'HeartbeatInterval',
      value: '60',
      source: 'centralSystem',
      access: 'RW',
      since: setAt,
      overrides: [
        { source: 'file', value: '120' },
        { source: 'default', value: '300' },
      ],
    });
  });
});

describe('the sentence of the start-up log', () => {
  const said = (given: Partial<Given>, of = interval as Parameters<typeof standingOf>[0]) =>
    competitionOf(of, standingOf(of, { ...NOTHING, ...given }));

  it.each<[Partial<Given>, string | undefined]>([
    [{}, undefined],
    [{ preset: '120', lastPreset: '120' }, undefined],
    [
      { preset: '120', lastPreset: '120', stored: set('60') },
      'file 120, central system set 60 on 2026-01-05T08:00:00Z (wins)',
    ],
    [{ stored: set('60') }, 'default 300, central system set 60 on 2026-01-05T08:00:00Z (wins)'],
    [
      { preset: '90', lastPreset: '120', stored: set('60') },
      'file 90, edited since the last start (wins), central system set 60 on 2026-01-05T08:00:00Z (forgotten)',
    ],
  ])('for %j is %s', (given, sentence) => {
    expect(said(given)).toBe(sentence);
  });

  it('shows no query of an address, whoever wins', () => {
    const [file, central] = ['wss://host/ocpp?k=file-key', 'wss://host/ocpp?k=cent-key'];
    const given = { preset: file, lastPreset: file, stored: set(central) };
    expect(said(given, centralSystemUrl)).toMatch(
      /^file wss:\/\/host\/ocpp\?\*{3}, central system set wss:\/\/host\/ocpp\?\*{3} on /,
    );
    const { layers } = standingOf(centralSystemUrl, given);
    expect(JSON.stringify(disclosed(effectiveOf(centralSystemUrl, layers)))).not.toMatch(/file-|cent-/);
  });

  it('shows no secret, whoever wins', () => {
    const [file, central] = ['file-file-file-file', 'cent-cent-cent-cent'];
    for (const lastPreset of [file, 'before-before-before']) {
      const given = { preset: file, lastPreset, stored: set(central) };
      expect(said(given, authorizationKey)).toContain('***');
      expect(said(given, authorizationKey)).not.toMatch(/file-|cent-/);
      const { layers } = standingOf(authorizationKey, given);
      expect(JSON.stringify(disclosed(effectiveOf(authorizationKey, layers)))).not.toMatch(/file-|cent-/);
    }
  });
});
