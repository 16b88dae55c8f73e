/** The section `firmware` of the configuration file. */
import { describe, expect, it } from 'vitest';
import { bench, lab, load } from './support.ts';

const firmwareOf = (main: object, firmware?: object) => {
  const { config, errors } = load({ ...main, ...(firmware === undefined ? {} : { firmware }) });
  return config === undefined ? errors : config.firmware;
};

describe('firmware', () => {
  it('allows unsigned updates on a bench only, unless the file says otherwise', () => {
    expect(firmwareOf(bench)).toEqual({ allowUnsigned: true });
    expect(firmwareOf(lab)).toEqual({ allowUnsigned: false });
    expect(firmwareOf(lab, { allowUnsigned: true })).toEqual({ allowUnsigned: true });
    expect(firmwareOf(bench, { allowUnsigned: false })).toEqual({ allowUnsigned: false });
  });

  it.each([
    [
      { installer: 'release' },
      { kind: 'release', command: ['/usr/lib/chargepoint/install-release'], reboot: true, timeoutS: 1800 },
    ],
    [
      { installer: 'rauc', timeoutS: 60 },
      {
        kind: 'rauc',
        command: ['rauc', 'install'],
        reboot: true,
        restart: ['/usr/lib/chargepoint/restart-machine'],
        timeoutS: 60,
      },
    ],
    [
      { installer: 'rauc', restart: ['reboot'] },
      { kind: 'rauc', command: ['rauc', 'install'], reboot: true, restart: ['reboot'], timeoutS: 1800 },
    ],
    [
      { installer: 'command', command: ['./flash', '-v'], reboot: false },
      { kind: 'command', command: ['/etc/chargepoint/flash', '-v'], reboot: false, timeoutS: 1800 },
    ],
    [
      { installer: 'command', command: ['swupdate', '-i'] },
      { kind: 'command', command: ['swupdate', '-i'], reboot: true, timeoutS: 1800 },
    ],
  ])('knows %j', (section, installer) => {
    expect(firmwareOf(lab, section)).toEqual({ allowUnsigned: false, installer });
  });

  it('takes every certificate of rootFile, a path beside the file', () => {
    const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
    const files = { '/etc/chargepoint/maker.pem': `Acme\n${pem('AAAA')}\n${pem('BBBB')}\n` };
    const { config } = load({ ...lab, firmware: { rootFile: 'maker.pem' } }, files);
    expect(config?.firmware).toEqual({ allowUnsigned: false, manufacturerRoots: [pem('AAAA'), pem('BBBB')] });
    expect(load({ ...lab, firmware: { rootFile: null } }).config?.firmware).toEqual({ allowUnsigned: false });
  });

  it.each([
    ['gone.pem', 'cannot read the certificate file gone.pem: there is no such file'],
    ['no.pem', 'no.pem holds no certificate, expected PEM text'],
  ])('says where, what is wrong with rootFile %s, and what to do', (rootFile, problem) => {
    const text = JSON.stringify(lab).replace(/}$/, `,\n"firmware": { "rootFile": "${rootFile}" } }`);
    const remedy = 'the PEM file of the root below which firmware is signed; its manufacturer has it';
    const { errors } = load(text, { '/etc/chargepoint/no.pem': 'x' });
    expect(errors).toEqual([`chargepoint.yaml:2:15 firmware.rootFile: ${problem}\n    ${remedy}`]);
  });

  it.each([
    [{ installer: 'command' }, 'is missing, expected an executable and its arguments'],
    [{ installer: 'rauc', command: ['x'] }, 'is for installer: command only'],
    [{ command: ['x'] }, 'is for installer: command only'],
    [{ installer: 'release', reboot: true }, 'is for installer: command only'],
  ])('refuses %j', (section, problem) => {
    expect(firmwareOf(lab, section)).toEqual([expect.stringContaining(problem)]);
  });
});
