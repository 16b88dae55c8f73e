/** The way to the central system, step by step: clock, name, TCP, TLS, WebSocket, BootNotification. */
import { X509Certificate } from 'node:crypto';
import { spoken } from '../ocpp/connection-url.ts';
import { SUBPROTOCOL } from '../ocpp/link.ts';
import { adviceOn } from '../ocpp/link-advice.ts';
import { parseTimestamp } from '../ocpp/timestamp.ts';
import type { Handshake, ShownCertificate } from '../platform/probes.ts';
import { endpointOf, lookUp, reach, shakeHands } from '../platform/probes.ts';
import type { DialRequest, SocketClosed } from '../ports.ts';
import type { AgentStanding } from './agent-standing.ts';
import type { BootAnswer, Visit } from './central-system-visit.ts';
import { httpRemedy, REMEDIES, type Remedy, remedyFor } from './remedies.ts';
import { fail, pass, type Result, type Step, skip } from './sheet.ts';

export type Dial = Omit<DialRequest, 'subprotocol'>;

export interface NetworkContext {
  readonly dial: Dial;
  /** Absent if no agent runs. */
  readonly agent?: AgentStanding;
  /** Dial although the agent is connected with the same identity. */
  readonly force: boolean;
  /** NTP has set the clock of this machine. */
  readonly synchronised: boolean;
  /** Epoch milliseconds. */
  readonly wall: () => number;
  /** The one WebSocket of this sheet, dialled when it is first asked for. */
  readonly visit: () => Promise<Visit>;
}

const DNS_WITHIN_MS = 10_000;
const TCP_WITHIN_MS = 10_000;
/** This program is younger: whoever says an earlier time has no clock. */
const YOUNGEST = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const EXPIRES_SOON_DAYS = 14;
/** More is no delay of the network, and shows in the meter values. */
const CLOCK_OFF_MS = 10_000;

const failing = ({ cause, next }: Remedy, what: string): Result =>
  fail(what === '' ? cause : `${cause} (${what})`, next);

const isoText = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

const clock: Step<NetworkContext> = {
  id: 'clock',
  title: 'Clock',
  needs: ['config'],
  run: ({ wall, synchronised }) => {
    const now = isoText(wall());
    if (wall() < YOUNGEST)
      return fail(`${now}: no certificate is valid then`, 'Set the clock: sudo timedatectl set-ntp true; timedatectl');
    if (synchronised) return pass(`${now}, set by NTP`);
    return pass(`${now}, not confirmed by NTP`, 'The central system will tell the time; NTP is better: timedatectl');
  },
};

const dns: Step<NetworkContext> = {
  id: 'dns',
  title: 'DNS',
  needs: ['config'],
  run: async ({ dial }) => {
    const { host } = endpointOf(dial.url);
    const found = await lookUp(host, DNS_WITHIN_MS);
    if ('trouble' in found) return failing(remedyFor(`dns.${found.trouble.code}`), `${host}: ${found.trouble.code}`);
    const addresses = found.addresses.join(', ');
    return pass(addresses === host ? `${host} is an address` : `${host} is ${addresses}`);
  },
};

const tcp: Step<NetworkContext> = {
  id: 'tcp',
  title: 'TCP',
  needs: ['dns'],
  run: async ({ dial }) => {
    const endpoint = endpointOf(dial.url);
    const reached = await reach(endpoint, TCP_WITHIN_MS);
    const port = `port ${endpoint.port}`;
    if ('trouble' in reached)
      return failing(remedyFor(`tcp.${reached.trouble.code}`), `${endpoint.host} ${port}: ${reached.trouble.code}`);
    return pass(`${reached.address} ${port}, ${Math.ceil(reached.ms)} ms`);
  },
};

const tls: Step<NetworkContext> = {
  id: 'tls',
  title: 'TLS',
  needs: ['tcp'],
  run: async ({ dial, wall }) => {
    if (!endpointOf(dial.url).tls)
      return skip('ws: without TLS', 'Over the internet use wss and security profile 2 or 3 (docs/security.md).');
    const handshake = await shakeHands(dial);
    const { trouble } = handshake;
    if (trouble === undefined) return trusted(handshake, wall());
    const chain = handshake.chain.map(certificateText).join('; below ');
    return failing(tlsRemedy(trouble), [trouble.text, chain].filter((part) => part !== '').join('. It shows '));
  },
};

function tlsRemedy({ code, verdict }: NonNullable<Handshake['trouble']>): Remedy {
  const exact = remedyFor(`tls.${code}`);
  if (exact !== remedyFor('tls')) return exact;
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return remedyFor(verdict === undefined ? 'tls.plain' : `tls.${verdict}`);
  return remedyFor(verdict === undefined ? 'tls' : `tls.${verdict}`);
}

const certificateText = ({ subject, issuer, notAfter }: ShownCertificate): string =>
  `${subject} by ${subject === issuer ? 'itself' : issuer} until ${isoText(notAfter).slice(0, 10)}`;

function trusted({ protocol, chain, byGivenAuthority }: Handshake, now: number): Result {
  const root = chain.at(-1)?.subject ?? '-';
  const whose = byGivenAuthority ? 'caFile or installed' : 'the system';
  const text = `${protocol}: ${chain.slice(0, 2).map(certificateText).join('; below ')}; root ${root} (${whose})`;
  const days = Math.floor((Math.min(...chain.map(({ notAfter }) => notAfter)) - now) / DAY_MS);
  return days >= EXPIRES_SOON_DAYS
    ? pass(text)
    : pass(text, `A certificate of this chain expires in ${days} days: have it renewed.`);
}

/** A second connection with the same identity would throw the agent off many a central system: then this is what it says. */
function byAgent({ agent, force }: NetworkContext, said: (agent: AgentStanding) => Result): Result | undefined {
  if (agent === undefined || !agent.connected || force) return undefined;
  if (agent.silent === undefined) return said(agent);
  if (agent.forbidden === true) return skip(`whether an agent is connected is not known: ${agent.silent}`, 'Use sudo.');
  return skip(`an agent runs, but does not say how it is: ${agent.silent}`, 'Ask it with sudo, or stop it first.');
}

const upgrade: Step<NetworkContext> = {
  id: 'upgrade',
  title: 'WebSocket and login',
  needs: ['tcp', 'tls'],
  run: async (context) => {
    const { dial, visit, wall } = context;
    const left = byAgent(context, () =>
      pass('the running agent is connected; no second connection is made', 'To make one all the same: --force'),
    );
    if (left !== undefined) return left;
    const expired = ownExpiry(dial);
    if (expired !== undefined && expired < wall())
      return fail(`our own certificate has expired on ${isoText(expired)}`, remedyFor('tls.refusedUs').next);
    const { refused } = await visit();
    if (refused === undefined || refused.failure === 'subprotocol')
      return pass(`${shownUrl(dial)}, ${identification(dial)}`);
    return refusal(refused, dial);
  },
};

function ownExpiry({ clientCertificate }: Dial): number | undefined {
  if (clientCertificate === undefined) return undefined;
  try {
    return Date.parse(new X509Certificate(clientCertificate.chain).validTo);
  } catch {
    return undefined;
  }
}

const shownUrl = ({ url }: Dial): string => spoken(url);

const identification = ({ basicAuth, clientCertificate }: Dial): string => {
  if (clientCertificate !== undefined) return 'with our certificate';
  return basicAuth === undefined ? 'without a password' : 'with the AuthorizationKey';
};

function refusal(how: SocketClosed, dial: Dial): Result {
  const { failure, httpStatus, tls: verdict, reason } = how;
  if (httpStatus !== undefined)
    return failing(httpRemedy(httpStatus, dial.basicAuth !== undefined), `HTTP ${httpStatus} from ${shownUrl(dial)}`);
  if (failure === 'tls') {
    // The chain was good a moment ago: with TLS 1.3 the server looks at ours only now.
    const showsUs = dial.clientCertificate !== undefined;
    return failing(remedyFor(verdict === undefined && showsUs ? 'tls.refusedUs' : `tls.${verdict ?? ''}`), reason);
  }
  const { cause, next } = remedyFor(`dial.${failure ?? ''}`);
  return fail(`${cause}: ${adviceOn(how)}`, next);
}

const subprotocol: Step<NetworkContext> = {
  id: 'subprotocol',
  title: 'Subprotocol',
  needs: ['upgrade'],
  run: async (context) => {
    const left = byAgent(context, () => pass(`${SUBPROTOCOL}, by the running agent`));
    if (left !== undefined) return left;
    const { refused } = await context.visit();
    return refused === undefined ? pass(SUBPROTOCOL) : failing(remedyFor('subprotocol'), refused.reason);
  },
};

const boot: Step<NetworkContext> = {
  id: 'boot',
  title: 'BootNotification',
  needs: ['subprotocol'],
  run: async (context) => {
    const left = byAgent(context, ({ boot: status }) => registration(status ?? 'no answer', 'by the running agent'));
    if (left !== undefined) return left;
    const answer = await (await context.visit()).boot();
    if ('failure' in answer) return failing(remedyFor(`boot.${answer.failure}`), answer.message);
    return registration(answer.status, `interval ${answer.interval} s, ${answer.ms} ms`);
  },
};

function registration(status: string, what: string): Result {
  if (status === 'Accepted') return pass(`Accepted, ${what}`);
  return failing(
    remedyFor(`boot.${REMEDIES[`boot.${status}`] === undefined ? 'timeout' : status}`),
    `${status}, ${what}`,
  );
}

const offset: Step<NetworkContext> = {
  id: 'offset',
  title: 'Time difference',
  needs: ['boot'],
  run: async (context) => {
    const left = byAgent(context, () => skip('the running agent follows the central system by itself'));
    if (left !== undefined) return left;
    const answer = await (await context.visit()).boot();
    return 'failure' in answer ? skip('no answer to compare with') : difference(answer, context.synchronised);
  },
};

function difference(
  { currentTime, receivedAt }: Extract<BootAnswer, { status: string }>,
  synchronised: boolean,
): Result {
  const told = parseTimestamp(currentTime);
  if (told === undefined)
    return fail(`currentTime ${currentTime} is no time`, 'Tell the operator of the central system.');
  const behindS = Math.round((told - receivedAt) / 1000);
  const text = behindS === 0 ? 'less than 1 s' : `ours is ${Math.abs(behindS)} s ${behindS > 0 ? 'behind' : 'ahead'}`;
  if (Math.abs(told - receivedAt) < CLOCK_OFF_MS) return pass(text);
  return synchronised
    ? fail(text, 'Ours is set by NTP: the clock of the central system is wrong, tell its operator.')
    : fail(text, 'The agent will follow the central system. To set the machine itself: sudo timedatectl set-ntp true');
}

export const NETWORK_STEPS: readonly Step<NetworkContext>[] = [
  clock,
  dns,
  tcp,
  tls,
  upgrade,
  subprotocol,
  boot,
  offset,
];
