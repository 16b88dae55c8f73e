/** What a configuration file may say, and how everything wrong with it is reported at once with its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, lab, load, MAIN } from './support.ts';

describe('the main file', () => {
  it('is read as JSON in the form of bench.md, with every default filled in', () => {
    const { config, errors, warnings } = load({
      chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi', serialNumber: 'cp001', firmwareVersion: '0.1' },
      centralSystem: { url: 'ws://127.0.0.1:40123', securityProfile: 0, caFile: null, verifyHostname: true },
      board: 'mock',
      connectors: [
        { id: 1, cable: 'socket' },
        { id: 2, cable: 'attached' },
      ],
      keys: { HeartbeatInterval: '86400', AuthorizeRemoteTxRequests: 'true' },
      options: { RetryBackoffWaitMinimum: '2' },
      stateDir: 'state',
      bench: { host: '127.0.0.1', port: 40124, inputs: {} },
    });
    expect([errors, warnings]).toEqual([[], []]);
    expect(config).toMatchObject({
      file: MAIN,
      board: 'mock',
      connectors: [
        { id: 1, cable: 'socket', maxA: 32, phases: 3, ventilated: false },
        { id: 2, cable: 'attached' },
      ],
      keys: { HeartbeatInterval: '86400', AuthorizeRemoteTxRequests: 'true' },
      options: { retryBackoffWaitMinimumS: 2, retryBackoffRepeatTimes: 6, retryBackoffRandomRangeS: 1 },
      stateDir: '/etc/chargepoint/state',
      bench: { host: '127.0.0.1', port: 40124, inputs: {} },
      control: { socket: '/etc/chargepoint/state/control.sock' },
      log: { level: 'info' },
      faultGraceS: 300,
      wakeUps: 1,
      resumeWithinS: 0,
    });
  });

  it('turns numbers and booleans of keys into the texts that are written there', () => {
    const { config } = load(`
chargePoint: { identity: cp001, vendor: Acme, model: Pi }
centralSystem: { url: "ws://127.0.0.1:9000" }
board: mock
stateDir: state
bench: {}
keys:
  HeartbeatInterval: 300
  AuthorizeRemoteTxRequests: true
  AuthorizationKey: 00123456789012345678
  Odd: 0x10
`);
    expect(config?.keys).toEqual({
      HeartbeatInterval: '300',
      AuthorizeRemoteTxRequests: 'true',
      AuthorizationKey: '00123456789012345678',
      Odd: '16',
    });
  });

  it('may have sections in which everything is commented out', () => {
    const { config } = load({ ...bench, keys: null, options: null, log: null, control: null, buses: null });
    expect(config?.keys).toEqual({});
  });

  it('is reported as a whole when it cannot be read', () => {
    expect(load(bench, {}, { files: { ...nothing, read: missing } }).errors).toEqual([
      'chargepoint.yaml:1:1 cannot be read: there is no such file\n    to write one: chargepoint setup --config chargepoint.yaml',
    ]);
  });

  it('reports every error at once, each with line, column, path and expectation', () => {
    const { config, errors } = load(`chargePoint:
  identity: cp001
  vendor: A name that is much too long for OCPP
  modell: Pi
centralSystem: { url: "ws://127.0.0.1:9000", securityProfil: 1 }
board: mock
connectors:
  - { id: 1, cable: sockets }
  - { id: one, cable: attached, maxA: 5 }
stateDir: state
bench: { port: 70000 }
faultGrace: 10
`);
    expect(config).toBeUndefined();
    expect(errors).toEqual([
      'chargepoint.yaml:1:1 chargePoint.model: is missing, expected a text of 1 to 20 characters',
      'chargepoint.yaml:3:3 chargePoint.vendor: is "A name that is much too long for OCPP", expected a text of 1 to 20 characters',
      'chargepoint.yaml:4:3 chargePoint.modell: is unknown\n    did you mean model?',
      'chargepoint.yaml:5:46 centralSystem.securityProfil: is unknown\n    did you mean securityProfile?',
      'chargepoint.yaml:8:14 connectors[0].cable: is "sockets", expected one of socket, attached\n    did you mean socket?',
      'chargepoint.yaml:9:7 connectors[1].id: is "one", expected a whole number from 1 to 64',
      'chargepoint.yaml:9:33 connectors[1].maxA: is 5, expected a number from 6 to 80 A',
      'chargepoint.yaml:11:10 bench.port: is 70000, expected a whole number from 0 to 65535',
      'chargepoint.yaml:12:1 faultGrace: is unknown\n    did you mean faultGraceS?',
    ]);
  });

  it.each([
    ['a tab', 'board:\n\tmock: 1\n', /:2:1 .*tab/i],
    ['a duplicate member', 'board: mock\nboard: mock\n', /:2:1 .*unique.*\n {4}keep one/i],
    ['an open bracket', 'keys: { a: 1\nboard: mock\n', /chargepoint\.yaml:\d/],
    ['two documents', 'board: mock\n---\nboard: mock\n', /one file holds one document|multiple documents/i],
    ['no object', '- 1\n', /:1:1 is a list, expected an object/],
    ['nothing at all', '', /:1:1 is empty, expected an object/],
    ['a file in Latin-1', Buffer.from('board: mock\nkeys: { a: M\xfcller }\n', 'latin1').toString(), NO_UTF8(2, 13)],
    ['one in UTF-16', Buffer.from('\ufeffboard: mock\n', 'utf16le').toString(), NO_UTF8(1, 1)],
    ['one in UTF-16 without a mark', Buffer.from('board: mock\n', 'utf16le').toString(), NO_UTF8(1, 2)],
    ['an alias bomb', `a: &a [1,1]\n${bomb(12)}`, /./],
  ])('refuses %s with its place', (_, text, expected) => {
    const { config, errors } = load(text);
    expect(config).toBeUndefined();
    expect(errors.join('\n')).toMatch(expected);
  });

  it('says of an encoding that is not UTF-8 nothing else, in a board file as well', () => {
    const latin1 = Buffer.from('name: M\xfcller\nboards: 1\n', 'latin1').toString();
    expect(
      load({ ...bench, board: './mine.yaml', bench: undefined }, { '/etc/chargepoint/mine.yaml': latin1 }).errors,
    ).toEqual(['mine.yaml:1:8 is not UTF-8\n    save it as UTF-8']);
  });

  it.each(['0012345', '1e3', 'true', '-7', '0x1F'])(
    'tells a text that YAML takes for something else, %s, by its quotes',
    (written) => {
      const text = JSON.stringify(bench).replace('"vendor":"Acme"', `"vendor": ${written}`);
      expect(load(text).errors).toEqual([
        `chargepoint.yaml:1:36 chargePoint.vendor: is ${written}, expected a text of 1 to 20 characters\n    put it in quotes: "${written}"`,
      ]);
      expect(load(text.replace(`: ${written}`, `: "${written}"`)).config?.chargePoint.vendor).toBe(written);
    },
  );

  it('knows the board or the meter that a misspelt one was meant to be', () => {
    expect(load({ ...lab, board: 'raspbery-pi-hat' }).errors).toEqual([
      expect.stringMatching(
        /board: cannot read the board file .*: there is no such file\n {4}did you mean raspberry-pi-hat\?/,
      ),
    ]);
    expect(load({ ...lab, board: 'moc' }).errors.join()).toContain('did you mean mock?');
    const meter = { model: 'eastron-sdm360', bus: { port: '/dev/ttyUSB0' }, unit: 1 };
    const connectors = [{ id: 1, cable: 'attached', meter }];
    expect(load({ ...lab, connectors }).errors.join()).toContain('did you mean eastron-sdm');
    expect(load({ ...lab, board: './raspbery-pi-hat' }).errors.join()).not.toContain('did you mean');
  });

  it('needs a folder, or nothing yet, for its state', () => {
    expect(load(bench, { '/var/lib/chargepoint': 'a file' }).errors).toEqual([
      expect.stringMatching(
        /stateDir: \/var\/lib\/chargepoint is a file, expected a folder\n {4}mv \/var\/lib\/chargepoint \/var\/lib\/chargepoint\.old/,
      ),
    ]);
    expect(load(bench, { '/var/lib/chargepoint/': '' }).errors).toEqual([]);
  });

  it('gives the lines of this file even after another one was read', () => {
    const wrong = `# one\n# two\nboard: 1\n`;
    expect(load(wrong).errors).toEqual(load(wrong).errors);
    expect(load(wrong).errors.join()).toContain(':3:1 board');
  });

  it('never throws and never passes a file without its required members, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.json(), fc.string({ unit: fc.constantFrom(...'&*!|>{}[]:-,#\n\t "\'?a1') })),
        (text) => {
          const { config, errors } = load(text);
          expect(config).toBeUndefined();
          expect(errors.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('never throws when one member of a good file is replaced by anything', () => {
    const members = [
      'chargePoint',
      'centralSystem',
      'board',
      'connectors',
      'buses',
      'keys',
      'options',
      'stateDir',
      'bench',
      'log',
    ];
    fc.assert(
      fc.property(fc.constantFrom(...members), fc.jsonValue(), (member, value) => {
        const { config, errors } = load({ ...bench, [member]: value });
        expect(config === undefined).toBe(errors.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});

function NO_UTF8(line: number, column: number): RegExp {
  return new RegExp(`^chargepoint\\.yaml:${line}:${column} is not UTF-8\n {4}save it as UTF-8$`);
}

const missing = (): never => {
  throw Object.assign(new Error('gone'), { code: 'ENOENT' });
};
const nothing = {
  takenByFile: () => false,
  list: () => [],
  exists: () => false,
  mode: () => 0,
  writableDirectory: () => false,
  resolved: (path: string) => path,
};

function bomb(levels: number): string {
  const names = 'abcdefghijklmnop';
  return Array.from({ length: levels }, (_, n) => {
    const alias = `*${names[n]}`;
    return `${names[n + 1]}: &${names[n + 1]} [${Array(10).fill(alias).join(',')}]\n`;
  }).join('');
}

describe('keys', () => {
  const positive = {
    expected: 'a whole number',
    parse: (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined),
  };
  const knownKeys = [
    { name: 'HeartbeatInterval', type: positive },
    { name: 'AuthorizationKey', type: { expected: '16 to 40 characters', parse: () => undefined } },
  ];

  it('that are unknown are ignored with a warning that names the line', () => {
    const main = JSON.stringify(
      { ...bench, keys: { HeartbeatIntervall: 1, HeartbeatInterval: 2, Q: 3 } },
      undefined,
      1,
    );
    const { config, warnings } = load(main, {}, { knownKeys });
    expect(config?.keys).toEqual({ HeartbeatInterval: '2' });
    const line = main.split('\n').findIndex((text) => text.includes('HeartbeatIntervall')) + 1;
    expect(warnings[0]).toBe(
      `chargepoint.yaml:${line}:3 keys.HeartbeatIntervall: is no configuration key of this version and is ignored\n    did you mean HeartbeatInterval?`,
    );
    expect(warnings).toHaveLength(2);
  });

  it('whose value the key does not take are ignored with a warning, a secret without its value', () => {
    const { config, warnings } = load(
      { ...bench, keys: { HeartbeatInterval: 'often', AuthorizationKey: 'hush' } },
      {},
      { knownKeys },
    );
    expect(config?.keys).toEqual({});
    expect(warnings[0]).toContain('is "often", expected a whole number');
    expect(warnings.join()).not.toContain('hush');
  });

  it('named like a member of every object are just unknown', () => {
    const { config, warnings } = load({ ...bench, keys: { toString: 'x', constructor: 'y' } }, {}, { knownKeys });
    expect(config?.keys).toEqual({});
    expect(warnings.length).toBeGreaterThan(0);
  });
});

describe('options', () => {
  it('that are unknown are reported and never fatal', () => {
    const { config, warnings } = load({ ...bench, options: { RetryBackoffWaitMin: 1, SomethingNew: true } });
    expect(config).toBeDefined();
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain('options.RetryBackoffWaitMin: is no option of this version');
  });

  it('take texts, numbers, booleans, and the public keys as a list or as its JSON text', () => {
    for (const keys of [['a', 'b'], '["a","b"]']) {
      const { config } = load({
        ...bench,
        options: {
          MeterPublicKeys: keys,
          RejectRemoteStartTransactionWithoutConnectorId: 'true',
          RemoteStartTransactionWithoutConnectorIdFindFirst: true,
          CompositeScheduleDefaultLimitAmps: '48.5',
          RetryBackoffRandomRange: 0,
        },
      });
      expect(config?.options).toMatchObject({
        meterPublicKeys: ['a', 'b'],
        rejectRemoteStartTransactionWithoutConnectorId: true,
        remoteStartTransactionWithoutConnectorIdFindFirst: true,
        compositeScheduleDefaultLimitAmps: 48.5,
        retryBackoffRandomRangeS: 0,
      });
    }
  });

  it('with a value of the wrong type are errors', () => {
    const { errors } = load({ ...bench, options: { RetryBackoffRandomRange: 'soon', MeterPublicKeys: '{}' } });
    expect(errors).toHaveLength(2);
    expect(errors[0]).toContain('options.RetryBackoffRandomRange: is "soon", expected a whole number from 0 to 3600 s');
  });
});

describe('a change of the connection', () => {
  it('has 300 s to be confirmed, or what the options say within their bounds', () => {
    const within = (ConfirmConnectionWithin?: number) =>
      load({ ...bench, options: ConfirmConnectionWithin === undefined ? {} : { ConfirmConnectionWithin } });
    expect(within().config?.options.confirmConnectionWithinS).toBe(300);
    for (const good of [30, 86_400]) expect(within(good).config?.options.confirmConnectionWithinS).toBe(good);
    for (const bad of [29, 86_401])
      expect(within(bad).errors[0]).toContain(`is ${bad}, expected a whole number from 30 to 86400 s`);
  });

  it('is no preset of its key: the section says it', () => {
    const { warnings } = load({ ...bench, keys: { CentralSystemUrl: 'ws://other' } });
    expect(warnings[0]).toContain('keys.CentralSystemUrl: is ignored: centralSystem.url says it');
  });
});

describe('the bench', () => {
  it('reports inputs that it does not know, at their place, and starts', () => {
    const { config, warnings } = load(
      { ...bench, bench: { port: 0, inputs: { connectors: { 1: { wings: 2 } } } } },
      {},
      { bench: { unknown: () => [['connectors', '1', 'wings']], problem: () => undefined } },
    );
    expect(config?.bench?.inputs).toEqual({ connectors: { 1: { wings: 2 } } });
    expect(warnings.join()).toMatch(/:\d+:\d+ bench\.inputs\.connectors\.1\.wings: is no input/);
  });

  it('refuses a value that an input does not take', () => {
    const { config, errors } = load(
      { ...bench, bench: { inputs: { link: 'sideways' } } },
      {},
      { bench: { unknown: () => [], problem: () => 'link takes up or down' } },
    );
    expect(config).toBeUndefined();
    expect(errors.join()).toContain('bench.inputs: link takes up or down');
  });

  it('is refused beside a real board', () => {
    const { errors } = load({ ...lab, bench: { port: 9001 } });
    expect(errors.join()).toContain('bench: is there beside the real board');
  });

  it('listens on the loopback only', () => {
    expect(load({ ...bench, bench: { host: '0.0.0.0' } }).errors.join()).toContain('bench.host');
  });
});

describe('the secrets file', () => {
  const main = { ...bench, centralSystem: { ...bench.centralSystem, securityProfile: 1 }, secretsFile: 'secrets.yaml' };
  const file = '/etc/chargepoint/secrets.yaml';

  it('gives the AuthorizationKey and wins over keys', () => {
    const { config, warnings } = load(
      { ...main, keys: { AuthorizationKey: 'from keys' } },
      { [file]: { text: 'AuthorizationKey: 0123456789012345\n', mode: 0o600 } },
    );
    expect(config?.keys['AuthorizationKey']).toBe('0123456789012345');
    expect(warnings).toEqual([]);
  });

  it.each([0o644, 0o640, 0o604])('is refused with mode %o', (mode) => {
    const { config, errors } = load(main, { [file]: { text: 'AuthorizationKey: a\n', mode } });
    expect(config).toBeUndefined();
    expect(errors.join()).toMatch(/secretsFile: .* expected 0600.*\n {4}chmod 600/);
  });

  it('is reported when it is not there or says something else, without its content', () => {
    expect(load(main).errors.join()).toContain('cannot read the secrets file');
    const { errors } = load(main, { [file]: { text: 'AuthorisationKey: hush\n', mode: 0o600 } });
    expect(errors.join()).toContain(
      'secrets.yaml:1:1 AuthorisationKey: is unknown\n    did you mean AuthorizationKey?',
    );
    expect(errors.join()).not.toContain('hush');
  });
});

describe('the control socket', () => {
  it('is in the run directory of the service where there is one', () => {
    const { config } = load(lab, { '/run/chargepoint/': '' });
    expect(config?.control.socket).toBe('/run/chargepoint/control.sock');
  });

  it('is in the state directory on a bench, so that two benches do not meet', () => {
    const { config } = load(bench, { '/run/chargepoint/': '' });
    expect(config?.control.socket).toBe('/var/lib/chargepoint/control.sock');
  });

  it('is done without, and said so, where no path is short enough; a given one that is too long is an error', () => {
    const deep = `/tmp/${'deep/'.repeat(30)}`;
    const { config, warnings } = load({ ...bench, stateDir: deep });
    expect(config?.control.socket).toBeUndefined();
    expect(warnings.join()).toContain('too long for a control socket');
    expect(load({ ...bench, control: { socket: `${deep}x` } }).errors.join()).toContain('control.socket');
  });
});

describe('the central system', () => {
  const withUrl = (url: string, more: object = {}) => load({ ...bench, centralSystem: { url, ...more } });

  it.each(['http://127.0.0.1', '127.0.0.1:9000', 'ws://', 'nonsense', 'ws://u:p@host/', 'ws://host/#x'])(
    'refuses the address %s',
    (url) => {
      const { errors } = withUrl(url);
      expect(errors).toHaveLength(1);
      expect(errors[0]).toContain('centralSystem.url');
    },
  );

  it.each([
    'ws://user:s3cret/p@ss@host/',
    'http://user:s3cret@host/',
    'user:s3cret@host',
    'ws://user:s3cret@host/',
    'https://host/ocpp?k=s3cret',
  ])('refuses an address with a secret without showing it: %s', (url) => {
    const { errors } = withUrl(url);
    expect(errors).toHaveLength(1);
    expect(errors[0]).not.toMatch(/s3cret|p@ss/);
  });

  it('warns when the identity is already in the address', () => {
    for (const url of ['ws://h/ocpp/cp001', 'ws://h/ocpp/cp001/']) {
      expect(withUrl(url).warnings.join()).toContain('ends in the identity cp001');
    }
    expect(withUrl('ws://h/ocpp/cp0011').warnings).toEqual([]);
  });

  it('warns when scheme and effective security profile differ, the key first', () => {
    expect(withUrl('wss://h/').warnings.join()).toContain('ws:// will be dialled');
    expect(withUrl('ws://h/', { securityProfile: 3 }).warnings.join()).toContain('wss:// will be dialled');
    const { warnings } = load({
      ...bench,
      centralSystem: { url: 'wss://h/' },
      keys: { SecurityProfile: 2, AuthorizationKey: 'sixteen letters!' },
    });
    expect(warnings).toEqual([]);
  });

  it('warns of security profile 3 where it stands: a new charge point has no certificate to show', () => {
    const DEAD_END = 'is 3: without a certificate of its own, which a new charge point has not, nobody lets it in';
    const { warnings } = withUrl('wss://h/', { securityProfile: 3 });
    expect(warnings).toEqual([expect.stringContaining(`centralSystem.securityProfile: ${DEAD_END}`)]);
    expect(warnings[0]).toContain('begin with 1 or 2');
    const asKey = load({
      ...bench,
      centralSystem: { url: 'wss://h/', securityProfile: 1 },
      keys: { SecurityProfile: 3 },
    });
    expect(asKey.warnings).toEqual([expect.stringContaining(`keys.SecurityProfile: ${DEAD_END}`)]);
    for (const securityProfile of [0, 1, 2])
      expect(withUrl('wss://h/', { securityProfile }).warnings.join()).not.toContain(DEAD_END);
  });

  it('warns of an identity that some central systems refuse, and of a missing password', () => {
    expect(load({ ...bench, chargePoint: { ...bench.chargePoint, identity: 'RDAM|123' } }).warnings.join()).toContain(
      'identity',
    );
    expect(withUrl('ws://h/', { securityProfile: 1 }).warnings.join()).toContain('no AuthorizationKey');
  });

  it('takes every certificate of caFile, and refuses a file without any', () => {
    const pem = (body: string) => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`;
    const files = {
      '/etc/chargepoint/ca.pem': `first\n${pem('AAAA')}\n\n${pem('BBBB')}\n`,
      '/etc/chargepoint/no.pem': 'x',
    };
    const { config } = load({ ...bench, centralSystem: { url: 'ws://h', caFile: 'ca.pem' } }, files);
    expect(config?.centralSystem.certificateAuthorities).toEqual([pem('AAAA'), pem('BBBB')]);
    const refused = load({ ...bench, centralSystem: { url: 'ws://h', caFile: 'no.pem' } }, files);
    expect(refused.errors.join()).toContain('holds no certificate');
    expect(load({ ...bench, centralSystem: { url: 'ws://h', caFile: 'gone.pem' } }).errors.join()).toContain(
      'no such file',
    );
  });
});
