/** A tag at the reader: who may charge, where, and who may stop (OCPP 1.6 sections 3.5 and 4.1). */
import { canBegin } from '../../core/connector/session.ts';
import { type Connector, transactionOf } from '../../core/connector/state.ts';
import { CallFailure } from '../../errors.ts';
import { Authorize } from '../../ocpp/messages/core/authorize.ts';
import { type Context, type Feature, isOnline, type Room } from '../feature.ts';
import { boolean, key } from '../keys.ts';

export const allowOfflineTxForUnknownId = key('AllowOfflineTxForUnknownId', boolean(), { default: false });

export const authorization: Feature = {
  name: 'authorization',
  profile: 'Core',
  keys: [allowOfflineTxForUnknownId],
  start: (context): Room => {
    const desk = new Desk(context);
    const subscriptions = context.board.readers.map((reader) =>
      reader.onTag((idTag) => void desk.present(idTag, reader.connectors)),
    );
    return {
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
      },
    };
  },
};

/** OCPP 1.6 section 7.28: idTags are compared without regard to case. */
const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The connectors where a presented tag could begin: one with an EV before a free one. */
function connectorFor(connectors: readonly Connector[]): Connector | undefined {
  const free = connectors.filter(canBegin);
  return free.find(({ phase }) => phase.name === 'occupied') ?? free[0];
}

class Desk {
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  async present(idTag: string, connectorIds: readonly number[]): Promise<void> {
    const { station, log } = this.#context;
    const connectors = connectorIds.flatMap((id) => station.connector(id) ?? []);
    if (this.#stopOwn(idTag, connectors) || this.#giveUpOwn(idTag, connectors)) return;
    const isPossible = connectorFor(connectors) !== undefined || connectors.some(hasParent);
    if (!isPossible) {
      log.info('a tag was presented, but nothing can begin or stop here', { connectorIds });
      return;
    }
    const verdict = await this.#authorize(idTag);
    if (!verdict.accepted) {
      log.info('the idTag was not accepted', { idTag });
      return;
    }
    this.#admit(idTag, verdict.parentIdTag, connectorIds);
  }

  /** The tag that began a transaction ends it, online or not. */
  #stopOwn(idTag: string, connectors: readonly Connector[]): boolean {
    const own = connectors.find(({ phase }) => phase.name === 'transaction' && isSame(phase.transaction.idTag, idTag));
    if (own === undefined) return false;
    this.#stop(own, idTag);
    return true;
  }

  /** The same tag once more, before anything was plugged in, takes the authorisation back. */
  #giveUpOwn(idTag: string, connectors: readonly Connector[]): boolean {
    const own = connectors.find(({ phase }) => phase.name === 'authorized' && isSame(phase.authorization.idTag, idTag));
    if (own === undefined) return false;
    this.#stop(own, idTag);
    return true;
  }

  #admit(idTag: string, parentIdTag: string | undefined, connectorIds: readonly number[]): void {
    const { station, clock, transactions, log } = this.#context;
    const connectors = connectorIds.flatMap((id) => station.connector(id) ?? []);
    const sameGroup = connectors.find((connector) => {
      const parent = connector.phase.name === 'transaction' ? transactionOf(connector)?.parentIdTag : undefined;
      return parent !== undefined && parentIdTag !== undefined && isSame(parent, parentIdTag);
    });
    if (sameGroup !== undefined) {
      this.#stop(sameGroup, idTag);
      return;
    }
    const connector = connectorFor(connectors);
    if (connector === undefined) return;
    if (!transactions.canBegin) {
      log.error('the store is in trouble: no new transaction begins', { connectorId: connector.id });
      return;
    }
    const authorization = { idTag, ...(parentIdTag === undefined ? {} : { parentIdTag }) };
    station.dispatch(connector.id, { type: 'authorized', authorization, at: clock.now() });
  }

  #stop({ id }: Connector, idTag: string): void {
    const { station, clock } = this.#context;
    station.dispatch(id, { type: 'stop', stop: { reason: 'Local', idTag, trip: false }, at: clock.now() });
  }

  async #authorize(idTag: string): Promise<{ accepted: boolean; parentIdTag?: string }> {
    const { call, settings, log } = this.#context;
    if (isOnline(this.#context)) {
      try {
        const { idTagInfo } = await call(Authorize, { idTag });
        const { status, parentIdTag } = idTagInfo;
        return { accepted: status === 'Accepted', ...(parentIdTag === undefined ? {} : { parentIdTag }) };
      } catch (cause) {
        log.warn('Authorize came to nothing', { cause });
        if (!(cause instanceof CallFailure) || cause.code !== 'disconnected') return { accepted: false };
      }
    }
    return { accepted: settings.get(allowOfflineTxForUnknownId) };
  }
}

const hasParent = (connector: Connector): boolean =>
  connector.phase.name === 'transaction' && transactionOf(connector)?.parentIdTag !== undefined;
