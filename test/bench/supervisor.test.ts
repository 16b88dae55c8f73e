/** The configuration that the agent of a bench gets: that of the file, with the addresses of this bench. */
import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../src/bench/supervisor.ts';

const DECIDED = { stateDir: '/tmp/state', centralSystemPort: 9000, benchPort: 9001 };
const effective = (base: Parameters<typeof effectiveConfig>[0]) =>
  effectiveConfig(base, '/etc/chargepoint/chargepoint.yaml', DECIDED);

describe('the configuration of a bench', () => {
  it('names every file by its absolute path, because it lies elsewhere', () => {
    const base = {
      secretsFile: 'secrets.yaml',
      centralSystem: { caFile: 'ca.pem' },
      firmware: { installer: 'release', rootFile: 'maker.pem' },
    };
    expect(effective(base)).toMatchObject({
      secretsFile: '/etc/chargepoint/secrets.yaml',
      centralSystem: { caFile: '/etc/chargepoint/ca.pem' },
      firmware: { installer: 'release', rootFile: '/etc/chargepoint/maker.pem' },
    });
  });

  it('says nothing of a file or a section that nobody has named', () => {
    expect(effective({ centralSystem: {} })).not.toHaveProperty('firmware');
    expect(effective({ centralSystem: {} })).not.toHaveProperty('secretsFile');
    expect(effective({ firmware: { allowUnsigned: false } })['firmware']).toEqual({ allowUnsigned: false });
  });
});
