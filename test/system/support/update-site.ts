/** A charge point whose releases are updated over OCPP: real agents in a real release layout, root's helpers, a web server, a signer. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CentralSystem, type Payload } from './central-system.ts';
import { archiveOf, type FakeRelease, Machine, Supervisor } from './release-machine.ts';
import { WebServer } from './web-server.ts';

const CHECKOUT = resolve(import.meta.dirname, '../../..');
const NOBODY = 65_534;
const PAST = '2020-01-01T00:00:00Z';
const REQUEST_ID = 7;
const FINAL: ReadonlySet<unknown> = new Set([
  'Installed',
  'DownloadFailed',
  'InvalidSignature',
  'InstallationFailed',
  'InstallVerificationFailed',
]);

const OLD = '1.0.0';
export const NEW = '1.1.0';

/** The dist that is tested, but without a Node of its own: this one runs it. The code cache stays behind, as in a release. */
const agentProgram = (config = '"$3"'): string =>
  `exec ${process.execPath} "$(dirname "$(readlink -f "$0")")/../dist/chargepoint.cjs" run --config ${config}`;

const addons = 'node_modules/classic-level';
const layout = (version: string): string => `
  mkdir -p dist ${addons}/prebuilds
  cp ${CHECKOUT}/dist/*.cjs dist
  cp ${CHECKOUT}/${addons}/package.json ${addons}
  cp -r ${CHECKOUT}/${addons}/prebuilds/linux-${process.arch} ${addons}/prebuilds
  rm -f ${addons}/prebuilds/linux-${process.arch}/*musl*
  cp -r ${CHECKOUT}/config .
  echo '{"name":"chargepoint","version":"${version}"}' >package.json
  chmod -R u=rwX,go=rX .`;

const WRONG = '"$CHARGEPOINT_ROOT/var/lib/chargepoint/wrong.json"';

/** What may be wrong with the new release. */
const RELEASES = {
  good: {},
  throws: { before: `echo 'throw new Error("at import")' >dist/chargepoint.cjs` },
  exits78: { before: `echo 'process.exit(78)' >dist/chargepoint.cjs` },
  /** Neither its event loop nor SIGTERM gets through. */
  hangs: {
    before: `echo 'process.on("SIGTERM", () => {}); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)' >dist/chargepoint.cjs`,
  },
  /** The whole agent, which dials where nobody listens. */
  neverConnects: { program: `sed 's,ws://127.0.0.1:[0-9]*,ws://127.0.0.1:1,' "$3" >${WRONG}; ${agentProgram(WRONG)}` },
  /** Signed, but no release. */
  noRelease: { after: 'echo x >>bin/chargepoint' },
} satisfies Readonly<Record<string, FakeRelease>>;

export type ReleaseName = keyof typeof RELEASES;

/** What the stories share: made once. */
export class Manufacturer {
  readonly folder = mkdtempSync(join(tmpdir(), 'manufacturer-'));
  readonly web: WebServer;
  /** 1.0.0 is installed. */
  readonly machine: Machine;
  readonly #signatures = new Map<ReleaseName, string>();

  private constructor(web: WebServer) {
    this.web = web;
    this.#makeKeys();
    const bare = new Machine();
    this.machine = new Machine(bare);
    bare.remove();
    this.machine.run('unpack-release', this.#archive(OLD, {}));
    if (this.machine.current !== OLD) throw new Error('the first release is not installed');
    for (const [name, release] of Object.entries(RELEASES) as [ReleaseName, FakeRelease][]) {
      const archive = this.#archive(NEW, release);
      web.put(name, readFileSync(archive));
      this.#signatures.set(name, this.#sign(archive));
    }
  }

  static async start(): Promise<Manufacturer> {
    return new Manufacturer(await WebServer.start({}));
  }

  firmware(name: ReleaseName, path = ''): Payload {
    return {
      location: `http://${this.web.plain}/${path}${name}`,
      retrieveDateTime: PAST,
      signingCertificate: this.pem('signer'),
      signature: this.#signatures.get(name),
    };
  }

  pem(name: 'root' | 'signer'): string {
    return readFileSync(join(this.folder, `${name}.pem`), 'utf8');
  }

  async stop(): Promise<void> {
    await this.web.stop();
    this.machine.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #archive(version: string, { before = ':', program = agentProgram(), ...more }: FakeRelease): string {
    return archiveOf(this.folder, { version, program, ...more, before: `set -e; ${layout(version)}\n${before}` });
  }

  #makeKeys(): void {
    const subject = (name: string): string[] => ['-subj', `/O=Acme/CN=${name}`];
    const key = (name: string, ...options: string[]): Buffer =>
      this.#openssl('genpkey', '-algorithm', ...options, '-out', `${name}.key`);
    key('root', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1');
    const authority = ['-addext', 'keyUsage=critical,keyCertSign'];
    this.#openssl('req', '-x509', '-key', 'root.key', '-out', 'root.pem', '-days', '30', ...subject('M'), ...authority);
    key('signer', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048');
    this.#openssl('req', '-new', '-key', 'signer.key', '-out', 'signer.csr', ...subject('Signer'));
    writeFileSync(join(this.folder, 'ext'), 'basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\n');
    const issuer = ['-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '10', '-extfile', 'ext'];
    this.#openssl('x509', '-req', '-in', 'signer.csr', '-out', 'signer.pem', ...issuer);
  }

  #sign(file: string): string {
    const padding = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:digest'];
    return this.#openssl('dgst', '-sha256', '-sign', 'signer.key', ...padding, file).toString('base64');
  }

  #openssl(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  }
}

export interface UpdateSiteOptions {
  readonly deadlineMs?: number;
  readonly environment?: NodeJS.ProcessEnv;
  /** Before anything runs. What it returns is called when nothing runs any more. */
  readonly prepare?: (machine: Machine) => () => void;
}

const WITHIN_MS = 60_000;

export class UpdateSite {
  readonly machine: Machine;
  readonly central: CentralSystem;
  readonly supervisor: Supervisor;
  readonly #manufacturer: Manufacturer;
  readonly #undo: () => void;

  private constructor(manufacturer: Manufacturer, central: CentralSystem, options: UpdateSiteOptions) {
    const { deadlineMs = WITHIN_MS, environment = {}, prepare = () => () => {} } = options;
    this.#manufacturer = manufacturer;
    this.central = central;
    this.machine = new Machine(manufacturer.machine);
    const { root } = this.machine;
    const stateDir = join(root, 'var/lib/chargepoint');
    mkdirSync(stateDir);
    chownSync(stateDir, NOBODY, NOBODY);
    const config = join(root, 'etc/chargepoint/site.json');
    writeFileSync(
      config,
      JSON.stringify({
        chargePoint: { identity: 'cp001', vendor: 'Acme', model: 'Pi' },
        centralSystem: { url: `ws://127.0.0.1:${central.port}` },
        board: 'mock',
        connectors: [{ id: 1, cable: 'attached' }],
        options: { RetryBackoffWaitMinimum: 0, RetryBackoffRandomRange: 0 },
        stateDir,
        firmware: { installer: 'release', allowUnsigned: true },
      }),
    );
    this.#undo = prepare(this.machine);
    this.supervisor = new Supervisor({
      machine: this.machine,
      config,
      deadlineMs,
      environment: { CHARGEPOINT_CONFIRM_AFTER_S: '1', ...environment },
      uid: NOBODY,
    });
  }

  /** Runs 1.0.0, which knows the root of the manufacturer. */
  static async start(manufacturer: Manufacturer, options: UpdateSiteOptions = {}): Promise<UpdateSite> {
    const site = new UpdateSite(manufacturer, await CentralSystem.start(), options);
    site.supervisor.start();
    await site.#registered(0);
    const certificate = manufacturer.pem('root');
    await site.call('InstallCertificate', { certificateType: 'ManufacturerRootCertificate', certificate });
    return site;
  }

  call(action: string, payload: Payload): Promise<Payload> {
    return this.central.call(action, payload);
  }

  /** `path`: `slow/` for 2 MB/s. */
  order(name: ReleaseName, path = ''): Promise<Payload> {
    const firmware = this.#manufacturer.firmware(name, path);
    return this.call('SignedUpdateFirmware', { requestId: REQUEST_ID, firmware });
  }

  /** UpdateFirmware. */
  orderUnsigned(name: ReleaseName): Promise<Payload> {
    const { location } = this.#manufacturer.firmware(name);
    return this.call('UpdateFirmware', { location, retrieveDate: PAST });
  }

  /** All that were told, in the order of the wire. Throws if one is of another request. */
  get statuses(): readonly string[] {
    return this.central.calls.flatMap(({ action, payload: { status, requestId } }) => {
      if (!/FirmwareStatus/.test(action)) return [];
      if (action.startsWith('Signed') && requestId !== REQUEST_ID) throw new Error(`requestId ${requestId}`);
      return [String(status)];
    });
  }

  get isOver(): boolean {
    return this.statuses.some((status) => FINAL.has(status));
  }

  /** Of the agent that was started last. */
  get running(): string | undefined {
    return [...this.supervisor.output.matchAll(/chargepoint (\d\S*) starts/g)].at(-1)?.[1];
  }

  /** Resolves in the turn in which it arrives. */
  async told(status: string): Promise<void> {
    await this.central.until('SignedFirmwareStatusNotification', (payload) => payload['status'] === status, {
      withinMs: WITHIN_MS,
    });
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    await this.supervisor.until(`${what}; statuses ${this.statuses}`, holds, WITHIN_MS);
  }

  /** Resolves once the final status has been told and confirmed, and an agent that was started once more has nothing to add. */
  async over(): Promise<void> {
    await this.until('the update is over', () => this.isOver);
    await this.#heard();
    const from = this.central.calls.length;
    this.supervisor.end();
    await this.#registered(from);
    await this.#heard();
  }

  /** One call at a time: what was to be said before has been said and answered. */
  async #heard(): Promise<void> {
    const from = this.central.calls.length;
    for (const end = performance.now() + WITHIN_MS; !(await this.#asked()); await delay(50)) {
      if (performance.now() > end) throw new Error('nobody takes a TriggerMessage');
    }
    await this.central.until('Heartbeat', undefined, { from, withinMs: WITHIN_MS });
  }

  /** False while there is no agent that listens: it may have been killed in the moment in which it said its last word. */
  async #asked(): Promise<boolean> {
    return this.call('TriggerMessage', { requestedMessage: 'Heartbeat' }).then(
      ({ status }) => status === 'Accepted',
      () => false,
    );
  }

  async close(): Promise<void> {
    await this.supervisor.stop();
    await this.central.stop();
    this.#undo();
    this.machine.remove();
  }

  async #registered(from: number): Promise<void> {
    const isConnector = ({ connectorId }: Payload): boolean => connectorId === 1;
    await this.central.until('BootNotification', undefined, { from, withinMs: WITHIN_MS });
    await this.central.until('StatusNotification', isConnector, { from, withinMs: WITHIN_MS });
  }
}
