/** Which connection is in force after each of the things that can happen to it. */
import { describe, expect, it } from 'vitest';
import {
  begin,
  type Candidate,
  type Endpoint,
  inForce,
  noticeOf,
  noticeText,
  type Phase,
  type PhaseEvent,
  patienceS,
  step,
  wantedOf,
} from '../../../src/features/security/connection-phase.ts';

const OLD: Endpoint = {
  url: 'ws://old',
  identity: 'cp001',
  verifyHostname: true,
  securityProfile: 1,
  authorizationKey: 'canary-old',
};
const NEW: Endpoint = { ...OLD, url: 'ws://new' };
const THIRD: Endpoint = { ...OLD, url: 'ws://third' };
const byFile: Candidate = { endpoint: NEW, by: 'file' };
const byCentral: Candidate = { endpoint: NEW, by: 'centralSystem' };
const COUNTS = ['url', 'identity', 'verifyHostname', 'securityProfile', 'authorizationKey'] as const;

const settled: Phase = { phase: 'settled', endpoint: OLD };
const undecided = (phase: 'trial' | 'returned' | 'again', candidate: Candidate): Phase => ({
  phase,
  candidate,
  confirmed: OLD,
});
const expired = (answers = false): PhaseEvent => ({ type: 'expired', answers });
const accepted = (as: Endpoint): PhaseEvent => ({ type: 'accepted', as });
const wanted = (candidate: Candidate, confirmed: Endpoint | undefined = OLD): PhaseEvent => ({
  type: 'wanted',
  candidate,
  confirmed,
});

describe('a phase of the connection', () => {
  it.each<[string, Phase, PhaseEvent, Phase]>([
    ['settled, another address wanted', settled, wanted(byCentral), undecided('trial', byCentral)],
    [
      'settled, nothing to go back to',
      settled,
      { ...wanted(byFile), confirmed: undefined } as PhaseEvent,
      { phase: 'settled', endpoint: NEW },
    ],
    [
      'on trial, the old address wanted again',
      undecided('trial', byCentral),
      wanted({ endpoint: OLD, by: 'centralSystem' }),
      settled,
    ],
    [
      'on trial, the old address wanted again with another password',
      undecided('trial', byCentral),
      wanted({ endpoint: { ...OLD, authorizationKey: 'canary-other' }, by: 'centralSystem' }),
      undecided('trial', { endpoint: { ...OLD, authorizationKey: 'canary-other' }, by: 'centralSystem' }),
    ],
    [
      'gone back, a third address wanted',
      undecided('returned', byFile),
      wanted({ endpoint: THIRD, by: 'centralSystem' }),
      undecided('trial', { endpoint: THIRD, by: 'centralSystem' }),
    ],
    ['settled, accepted otherwise', settled, accepted(NEW), { phase: 'settled', endpoint: NEW }],
    ['on trial, accepted', undecided('trial', byFile), accepted(NEW), { phase: 'settled', endpoint: NEW }],
    ['tried again, accepted', undecided('again', byFile), accepted(NEW), { phase: 'settled', endpoint: NEW }],
    [
      'gone back from the file, accepted: the file still says otherwise',
      undecided('returned', byFile),
      accepted(OLD),
      undecided('returned', byFile),
    ],
    ['gone back from the central system, accepted', undecided('returned', byCentral), accepted(OLD), settled],
    ['on trial, time over', undecided('trial', byFile), expired(), undecided('returned', byFile)],
    ['on trial, time over, Pending', undecided('trial', byFile), expired(true), undecided('trial', byFile)],
    ['gone back, time over', undecided('returned', byCentral), expired(), undecided('again', byCentral)],
    ['gone back, time over, Pending', undecided('returned', byFile), expired(true), undecided('returned', byFile)],
    ['tried again, time over', undecided('again', byFile), expired(), undecided('returned', byFile)],
    ['settled, time over', settled, expired(), settled],
  ])('%s', (_what, before, event, after) => {
    expect(step(before, event)).toEqual(after);
  });

  it.each<[Phase, Endpoint, number | undefined]>([
    [settled, OLD, undefined],
    [undecided('trial', byFile), NEW, 300],
    [undecided('returned', byFile), OLD, 300],
    [undecided('again', byFile), NEW, 60],
  ])('has an address in force, and a time: %j', (phase, endpoint, within) => {
    expect([inForce(phase), patienceS(phase, 300)]).toEqual([endpoint, within]);
    expect(patienceS(phase, 40)).toBe(within === undefined ? undefined : 40);
  });
});

describe('a start', () => {
  const file = { candidate: byFile, counts: COUNTS };

  it('that is the first one ever has nothing to prove', () => {
    expect(begin(file, { confirmed: undefined, returned: undefined })).toEqual({ phase: 'settled', endpoint: NEW });
  });

  it('with what was confirmed is settled, whatever was gone back from at the word of the file', () => {
    const same = { candidate: { endpoint: OLD, by: 'file' as const }, counts: COUNTS };
    expect(begin(same, { confirmed: OLD, returned: { candidate: byFile, since: 0 } })).toEqual(settled);
  });

  it.each(COUNTS)('with another %s is a trial', (member) => {
    const endpoint = {
      ...OLD,
      [member]: { ...NEW, identity: 'x', verifyHostname: false, securityProfile: 2, authorizationKey: 'y' }[member],
    };
    const candidate: Candidate = { endpoint: endpoint as Endpoint, by: 'file' };
    expect(begin({ candidate, counts: COUNTS }, { confirmed: OLD, returned: undefined })).toEqual(
      undecided('trial', candidate),
    );
    const others = COUNTS.filter((other) => other !== member);
    expect(begin({ candidate, counts: others }, { confirmed: OLD, returned: undefined }).phase).toBe('settled');
  });

  it('with what was gone back from stays there; with anything else it is a new trial', () => {
    const returned = { candidate: byFile, since: 0 };
    expect(begin(file, { confirmed: OLD, returned })).toEqual(undecided('returned', byFile));
    const third = { candidate: { endpoint: THIRD, by: 'file' as const }, counts: COUNTS };
    expect(begin(third, { confirmed: OLD, returned }).phase).toBe('trial');
  });

  it('after the central system was gone back from goes on with taking turns until somebody accepts', () => {
    const same = { candidate: { endpoint: OLD, by: 'file' as const }, counts: COUNTS };
    expect(begin(same, { confirmed: OLD, returned: { candidate: byCentral, since: 0 } })).toEqual(
      undecided('returned', byCentral),
    );
  });
});

describe('what is wanted', () => {
  const config = {
    chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
    centralSystem: { url: 'ws://file', securityProfile: 0 as const, certificateAuthorities: [], verifyHostname: true },
  };
  type Found = { readonly value: string; readonly source: 'file' | 'centralSystem' | 'default' };

  it('is what the keys say; what the central system has set of profile and password is not on this trial', () => {
    const keys: Readonly<Record<string, Found>> = {
      CentralSystemUrl: { value: 'ws://set', source: 'centralSystem' },
      SecurityProfile: { value: '1', source: 'centralSystem' },
      AuthorizationKey: { value: 'secret', source: 'file' },
    };
    expect(wantedOf(config, ({ name }) => keys[name])).toEqual({
      candidate: {
        endpoint: {
          url: 'ws://set',
          identity: 'cp001',
          verifyHostname: true,
          securityProfile: 1,
          authorizationKey: 'secret',
        },
        by: 'centralSystem',
      },
      counts: ['url', 'identity', 'verifyHostname', 'authorizationKey'],
    });
  });

  it('is what the file says without keys', () => {
    expect(wantedOf(config, () => undefined).candidate).toEqual({
      endpoint: { url: 'ws://file', identity: 'cp001', verifyHostname: true, securityProfile: 0, authorizationKey: '' },
      by: 'file',
    });
  });
});

describe('the notice', () => {
  it('names what was changed, but no password', () => {
    const endpoint: Endpoint = {
      url: 'ws://new',
      identity: 'x',
      verifyHostname: false,
      securityProfile: 2,
      authorizationKey: 'canary',
    };
    expect(noticeOf({ phase: 'returned', candidate: { endpoint, by: 'file' }, confirmed: OLD }, 300, 0)).toBe(
      'centralSystem.url ws://new, chargePoint.identity x, centralSystem.verifyHostname false, SecurityProfile 2, a new AuthorizationKey ' +
        'has not led to a BootNotification Accepted within 300 s: back to ws://old since 1970-01-01T00:00:00.000Z; edit the file to try again',
    );
    expect(noticeOf({ phase: 'returned', candidate: byCentral, confirmed: OLD }, 30)).toBe(
      'CentralSystemUrl ws://new has not led to a BootNotification Accepted within 30 s: back to ws://old',
    );
  });

  it('is there only once the old connection is in force again', () => {
    expect(noticeText(settled, undefined, 300)).toBeUndefined();
    expect(noticeText(undecided('trial', byFile), undefined, 300)).toBeUndefined();
    expect(noticeText(undecided('again', byFile), { candidate: byFile, since: 0 }, 300)).toContain(
      'back to ws://old since',
    );
  });
});
