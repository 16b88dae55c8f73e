/** What the diagnostics say besides the log: configuration in force, store, hardware and connectors. Secrets are masked here already. */
import { whyOf } from '../../core/why.ts';
import type { DeadLetter } from '../../ocpp/outbox/fact.ts';
import type { DiagnosticsRequest } from '../../ports.ts';
import type { Context } from '../feature.ts';
import { attachmentsOf } from './attachments.ts';

const MASK = '***';
const PAGE = 200;
/** A store that holds more is counted up to here. */
const MOST_ROWS = 20_000;
const DEAD_LETTERS = 50;

/** All of it but the log. Never rejects. */
export async function contentOf(context: Context): Promise<Pick<DiagnosticsRequest, 'documents' | 'files'>> {
  const [documents, files] = await Promise.all([documentsOf(context), attachmentsOf(context)]);
  return { documents, files };
}

/** Never rejects: what cannot be found out is said to be so. */
async function documentsOf(context: Context): Promise<Readonly<Record<string, unknown>>> {
  const [store, deadLetters] = await Promise.all([orWhyNot(storeSummary(context)), orWhyNot(deadLettersOf(context))]);
  return {
    configuration: configurationOf(context),
    keys: keysOf(context),
    store: { healthy: context.store.healthy, outbox: context.transactions.outbox.size, rows: store, deadLetters },
    hardware: hardwareOf(context),
    connectors: connectorsOf(context),
    link: linkOf(context),
  };
}

const orWhyNot = (work: Promise<unknown>): Promise<unknown> =>
  work.catch((cause: unknown) => ({ unknown: cause instanceof Error ? cause.message : String(cause) }));

/** What the central system may not read stands nowhere else either. */
function configurationOf({ config, settings }: Context): unknown {
  const { keys, centralSystem, ...rest } = config;
  const hidden = new Set(
    settings.effective.filter(({ access }) => access === 'W').map(({ name }) => name.toLowerCase()),
  );
  const shown = Object.entries(keys).map(([name, value]) => [name, hidden.has(name.toLowerCase()) ? MASK : value]);
  const { certificateAuthorities, ...where } = centralSystem;
  return {
    ...rest,
    centralSystem: { ...where, certificateAuthorities: `${certificateAuthorities.length} certificates` },
    keys: Object.fromEntries(shown),
  };
}

const keysOf = ({ settings }: Context): unknown =>
  settings.effective.map(({ name, value, source, access, since, overrides }) =>
    access === 'W'
      ? { name, value: value === '' ? '' : MASK, source, access }
      : { name, value, source, access, since, overrides },
  );

/** How many rows begin with the same word. */
async function storeSummary({ store }: Context): Promise<unknown> {
  const counts = new Map<string, number>();
  let counted = 0;
  for (let from = ''; counted < MOST_ROWS; ) {
    const rows = await store.list({ from, to: '\uffff', limit: PAGE });
    for (const [key] of rows) {
      const [word = ''] = key.split('/', 1);
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    counted += rows.length;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) break;
    from = `${last[0]}\0`;
  }
  return { ...Object.fromEntries(counts), ...(counted < MOST_ROWS ? {} : { countedOnly: counted }) };
}

async function deadLettersOf({ transactions }: Context): Promise<unknown> {
  const letters = await transactions.outbox.deadLetters(DEAD_LETTERS);
  return letters.map(({ fact: { action, transaction }, attempts, failure, gaveUpAt }: DeadLetter) => ({
    action,
    transaction,
    attempts,
    failure,
    gaveUpAt,
  }));
}

const hardwareOf = ({ board }: Context): unknown => ({
  mains: board.mains,
  faults: board.faults,
  connectors: board.connectors.map(({ id, maxA, phases, wear }) => ({
    id,
    maxA,
    phases,
    ...(wear === undefined ? {} : { wear: wear.counts }),
  })),
  readers: board.readers.length,
  mainMeter: board.mainMeter !== undefined,
  gridMeter: board.gridMeter !== undefined,
});

const connectorsOf = ({ station }: Context): unknown =>
  station.connectors.map((connector) => ({
    status: station.report(connector.id),
    why: whyOf(connector),
    state: connector,
  }));

const linkOf = ({ connection, registration, clock, trust }: Context): unknown => ({
  open: connection.open,
  registration: registration.status,
  clock: { bootId: clock.bootId, now: clock.now(), wall: clock.wall(clock.now()), trusted: clock.trusted },
  roots: trust.roots('CentralSystemRootCertificate').length,
});
