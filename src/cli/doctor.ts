/** `chargepoint doctor` and `chargepoint central-system test`: from the configuration to the answer of the central system, on one sheet. */

import type { Exercise } from '../../hal/contract.ts';
import type { AgentConfig } from '../config.ts';
import { callAgent } from '../control/client.ts';
import { ControlError, StoreError } from '../errors.ts';
import { passwordOf } from '../features/security/security.keys.ts';
import type { InputsView } from '../features/service/inputs.ts';
import { connectionUrl, spoken } from '../ocpp/connection-url.ts';
import { type PlatformClock, platformClock } from '../platform/clock.ts';
import { nodeFiles } from '../platform/files.ts';
import { platformLog } from '../platform/log.ts';
import { maskText } from '../platform/mask.ts';
import { safeOutputsPath } from '../platform/safe-outputs.ts';
import { EXIT, type ExitCode, onEndSignals } from '../platform/system.ts';
import type { AgentOptions } from './agent-socket.ts';
import { type AgentStanding, standingOf } from './agent-standing.ts';
import { accessBoard, type BoardAccess, type NoAccess } from './board-access.ts';
import { type Visit, visit } from './central-system-visit.ts';
import { type Loaded, loadFor } from './configuration.ts';
import { json } from './format.ts';
import { type Guard, standGuard } from './guard.ts';
import { HARDWARE_STEPS, type HardwareContext } from './hardware-steps.ts';
import { DEFAULT_CONFIG, type Io } from './io.ts';
import { machineWarnings } from './machine.ts';
import { METER_STEPS, type MeterContext } from './meter-steps.ts';
import { type Dial, NETWORK_STEPS, type NetworkContext } from './network-steps.ts';
import { saveReport } from './report.ts';
import { fail, failed, fillIn, type Line, lineText, pass, type Step, totalText } from './sheet.ts';
import { type StoredDial, storedDial } from './stored.ts';
import { versionOf } from './version.ts';

export interface TestOptions extends AgentOptions {
  readonly json?: boolean;
  /** Dial although a running agent is connected with the same identity. */
  readonly force?: boolean;
}

export interface DoctorOptions extends TestOptions {
  readonly only?: 'network' | 'hardware';
  /** The outlets may get live for a moment. */
  readonly yes?: boolean;
}

type Context = HardwareContext & MeterContext & NetworkContext;

const HARDWARE: readonly Step<Context>[] = [...HARDWARE_STEPS, ...METER_STEPS];
const PARTS: { readonly [part in 'all' | 'network' | 'hardware']: readonly Step<Context>[] } = {
  all: [...HARDWARE, ...NETWORK_STEPS],
  network: NETWORK_STEPS,
  hardware: HARDWARE,
};

/** Exit code 0; 1 if the sheet has a FAIL, or was ended before it was through. The report is saved in the state directory. */
export const doctor = (io: Io, options: DoctorOptions): Promise<ExitCode> =>
  examined(io, { name: 'doctor', steps: PARTS[options.only ?? 'all'], options });

/** Exit code 0; 1 if the sheet has a FAIL. */
export const testCentralSystem = (io: Io, options: TestOptions): Promise<ExitCode> =>
  examined(io, { name: 'central-system-test', steps: NETWORK_STEPS, options });

interface Examination {
  /** Of the report. */
  readonly name: string;
  readonly steps: readonly Step<Context>[];
  readonly options: DoctorOptions;
}

async function examined(io: Io, { name, steps, options }: Examination): Promise<ExitCode> {
  const file = options.config ?? DEFAULT_CONFIG;
  const { loaded, line } = configLine(io, file);
  const tell = (each: Line): void => {
    if (options.json !== true) io.out(lineText(each));
  };
  tell(line);
  const surgery =
    loaded === undefined ? undefined : await Surgery.open(io, loaded.config, { ...options, config: file });
  try {
    const lines = await fillIn(steps, {
      context: () => {
        if (surgery === undefined) throw new Error('without a configuration nothing is looked at');
        return surgery.context;
      },
      before: [line],
      told: (each) => tell(surgery?.masked(each) ?? each),
      ...(surgery === undefined ? {} : { signal: surgery.signal }),
    });
    // Before a report can go wrong.
    await surgery?.close();
    return conclude(io, { name, options, surgery, lines: lines.map((each) => surgery?.masked(each) ?? each) });
  } finally {
    await surgery?.close();
  }
}

function configLine(io: Io, file: string): { readonly loaded: Loaded | undefined; readonly line: Line } {
  const said: string[] = [];
  const loaded = loadFor(
    { ...io, err: (text) => void said.push(...text.split('\n').filter((part) => part !== '')) },
    file,
  );
  const line = { id: 'config', title: 'Configuration' };
  if (loaded === undefined) {
    const errors = said.filter((text) => text.startsWith('error '));
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
    return { loaded, line: { ...line, ...fail(`${errors[0] ?? said.join(' ')}${more}`, `chargepoint check ${file}`) } };
  }
  const { config, warnings } = loaded;
  const count = config.connectors.length;
  const text = `${config.file}: ${config.chargePoint.identity}, ${count} ${count === 1 ? 'connector' : 'connectors'}`;
  const warned = `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}: chargepoint check ${file}`;
  // What would keep a contactor closed is said here, not only counted.
  const next = [...machineWarnings(io, config), ...(warnings.length === 0 ? [] : [warned])].join('; ');
  return { loaded, line: { ...line, ...(next === '' ? pass(text) : pass(text, next)) } };
}

interface Conclusion {
  readonly name: string;
  readonly options: TestOptions;
  readonly surgery: Surgery | undefined;
  /** Masked. */
  readonly lines: readonly Line[];
}

function conclude(io: Io, { name, options, surgery, lines }: Conclusion): ExitCode {
  const time = new Date(Date.now()).toISOString();
  const cutOff = surgery?.signal.aborted === true;
  const passed = !failed(lines) && !cutOff;
  const head = { tool: name, time, version: versionOf(io), ...surgery?.head, passed, lines };
  const text = `chargepoint ${name}, ${time}, version ${head.version}\n\n${lines.map(lineText).join('')}${totalText(lines)}`;
  const saved = surgery === undefined ? undefined : saveReport(surgery.stateDir, { name, time, text, content: head });
  if (options.json === true)
    io.out(json(saved !== undefined && 'file' in saved ? { ...head, report: saved.file } : head));
  else io.out(totalText(lines));
  if (saved !== undefined && 'trouble' in saved) io.err(`The report was not saved: ${saved.trouble}\n`);
  else if (saved !== undefined && options.json !== true) io.out(`Report: ${saved.file}\n`);
  if (cutOff) io.err('It was ended before it was through.\n');
  return passed ? EXIT.ok : EXIT.different;
}

/** All that a sheet needs, opened when it is needed, and given back whatever happens. */
class Surgery {
  readonly context: Context;
  readonly head: { readonly config: string; readonly identity: string; readonly url: string };
  readonly stateDir: string;
  readonly #secrets: readonly string[];
  readonly #clock: PlatformClock;
  readonly #ending = new AbortController();
  readonly #forget: () => void;
  #access: Promise<BoardAccess | NoAccess> | undefined;
  #guard: Guard | undefined;
  #visit: Promise<Visit> | undefined;

  static async open(
    io: Io,
    config: AgentConfig,
    options: DoctorOptions & { readonly config: string },
  ): Promise<Surgery> {
    const socket = options.socket ?? config.control.socket;
    const [agent, stored] = await Promise.all([
      socket === undefined ? undefined : standingOf(socket),
      dialOf(io, config),
    ]);
    return new Surgery(io, config, { options, agent, stored });
  }

  private constructor(
    io: Io,
    config: AgentConfig,
    given: {
      readonly options: DoctorOptions & { readonly config: string };
      readonly agent: AgentStanding | undefined;
      readonly stored: StoredDial;
    },
  ) {
    const { options, agent, stored } = given;
    const { json: asJson, yes, force = false, socket } = options;
    const dial = requestOf(stored);
    const ask = asJson === true ? undefined : io.ask;
    this.stateDir = config.stateDir;
    this.head = { config: config.file, identity: stored.endpoint.identity, url: spoken(dial.url) };
    this.#secrets = [stored.endpoint.authorizationKey, config.keys['AuthorizationKey'] ?? ''].filter(
      (key) => key !== '',
    );
    this.#clock = platformClock('doctor');
    this.#forget = onEndSignals(
      () => this.#ending.abort(),
      () => process.exit(EXIT.internal),
    );
    const askAgent = async (question: Parameters<typeof callAgent>[1]): Promise<unknown> => {
      const asked = socket ?? config.control.socket;
      if (asked === undefined) throw new ControlError('noAgent', 'there is no control socket');
      return callAgent(asked, question);
    };
    this.context = {
      config,
      ...(agent === undefined ? {} : { agent }),
      io,
      configFile: options.config,
      ...(socket === undefined ? {} : { socket }),
      signal: this.signal,
      inputs: async () => (await askAgent({ path: '/inputs' })) as InputsView,
      clickByAgent: async (connectorId) =>
        (await askAgent({ method: 'POST', path: '/service/click', body: { connectorId } })) as Exercise,
      board: () => {
        this.#access ??= this.#opened(io, config);
        return this.#access;
      },
      giveBoardBack: () => this.#giveBoardBack(),
      mayClick: async () => {
        if (yes === true) {
          io.err('The outlet gets live for 0.3 s.\n');
          return true;
        }
        const answer = await ask?.(CLICK_QUESTION, this.signal);
        return ask === undefined ? undefined : /^\s*y(es)?\s*$/i.test(answer ?? '');
      },
      ...(ask === undefined ? {} : { askToSkip: async (request, signal) => void (await ask(request, signal)) }),
      dial,
      force,
      synchronised: this.#clock.trusted,
      wall: () => this.#clock.wall(this.#clock.now()),
      visit: () => {
        this.#visit ??= this.#dialled(dial, config);
        return this.#visit;
      },
    };
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  masked(line: Line): Line {
    const mask = (text: string): string =>
      this.#secrets.reduce((safe, secret) => safe.replaceAll(secret, '***'), maskText(text));
    return { ...line, detail: mask(line.detail), ...(line.next === undefined ? {} : { next: mask(line.next) }) };
  }

  async close(): Promise<void> {
    await this.#giveBoardBack();
    (await this.#visit)?.close();
    this.#forget();
    this.#clock.close();
  }

  async #opened(io: Io, config: AgentConfig): Promise<BoardAccess | NoAccess> {
    const access = await accessBoard(io, config);
    if (config.board !== 'mock' && 'board' in access)
      this.#guard = standGuard(io, safeOutputsPath(config.stateDir, nodeFiles));
    return access;
  }

  async #giveBoardBack(): Promise<void> {
    const access = await this.#access?.catch(() => undefined);
    if (access !== undefined && 'close' in access) await access.close();
    this.#guard?.dismiss();
  }

  async #dialled(dial: Dial, config: AgentConfig): Promise<Visit> {
    const { WebSockets } = await import('../platform/web-sockets.ts');
    const wall = (): number => this.#clock.wall(this.#clock.now());
    const log = platformLog({ level: 'error', style: 'plain', wall, write: () => {} });
    return visit(dial, config.chargePoint, { sockets: new WebSockets(), clock: this.#clock, log });
  }
}

const CLICK_QUESTION =
  'The contactor closes for 0.3 s now: THE OUTLET GETS LIVE. Nothing may be plugged in, and\nnobody may touch its contacts. Do it? [y/N] ';
const HANDSHAKE_WITHIN_MS = 20_000;

/** A store that cannot be read says nothing: then the file counts. */
async function dialOf(io: Io, config: AgentConfig): Promise<StoredDial> {
  try {
    return await storedDial(io, config);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const { centralSystem, chargePoint, keys } = config;
    const { url, verifyHostname, securityProfile, certificateAuthorities: roots } = centralSystem;
    const authorizationKey = keys['AuthorizationKey'] ?? '';
    const { identity } = chargePoint;
    return { endpoint: { url, identity, verifyHostname, securityProfile, authorizationKey }, roots, own: undefined };
  }
}

/** As the agent would dial (features/security/credentials.ts). */
function requestOf({ endpoint, roots, own }: StoredDial): Dial {
  const { url, identity, securityProfile, authorizationKey, verifyHostname } = endpoint;
  const password = securityProfile === 3 ? undefined : passwordOf(authorizationKey);
  return {
    url: connectionUrl(url, identity, securityProfile >= 2),
    ...(password === undefined ? {} : { basicAuth: { user: identity, password } }),
    ...(securityProfile === 3 && own !== undefined ? { clientCertificate: own } : {}),
    certificateAuthorities: roots,
    verifyHostname,
    handshakeTimeoutMs: HANDSHAKE_WITHIN_MS,
  };
}
