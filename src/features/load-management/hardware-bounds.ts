/** What the hardware itself says of the offer: a hot enclosure, and the contact of the grid operator. */
import type { Unsubscribe } from '../../ports.ts';
import type { Context } from '../feature.ts';

/** A hot enclosure leaves a part of what the connector carries, in whole ampere. */
export function boundByTemperature({ board, limits }: Context): Unsubscribe {
  const tell = (): void => {
    limits.bound(
      'temperature',
      board.connectors.flatMap(({ id, maxA, derating }) => {
        if (derating === undefined || derating.factor >= 1) return [];
        const limitA = Math.floor(maxA * derating.factor);
        const { celsius } = derating;
        const why = celsius === undefined ? 'the thermometer is silent' : `the enclosure is hot`;
        return [
          { source: 'temperature', connectorId: id, limitA, reason: `${why}: ${limitA} A`, urgent: true },
        ] as const;
      }),
    );
  };
  const subscriptions = board.connectors.flatMap(({ derating }) => derating?.onChange(tell) ?? []);
  tell();
  return () => {
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

/** Section 14a EnWG and its like: so many watt for all connectors together while the contact is active. Each change is logged, as the law wants it. */
export function boundByDimming({ board, config, limits, log }: Context): Unsubscribe {
  const { dimming, nominalV } = config.installation;
  const contact = board.dimming;
  if (contact === undefined || dimming === undefined) return () => {};
  const phases = Math.max(...board.connectors.map((connector) => connector.phases));
  const limitA = Math.floor((dimming.limitW / nominalV / phases) * 10) / 10;
  const tell = (active: boolean): void => {
    const reason = limitA < 6 ? 'dimmed by the grid operator' : `dimmed by the grid operator to ${limitA} A`;
    limits.bound('dimming', active ? [{ source: 'dimming', connectorId: 0, limitA, reason, urgent: true }] : []);
  };
  tell(contact.active);
  if (contact.active) log.warn('the grid operator dims', { limitW: dimming.limitW, limitA });
  return contact.onChange((active) => {
    tell(active);
    if (active) log.warn('the grid operator dims', { limitW: dimming.limitW, limitA });
    else log.info('the grid operator does not dim any more');
  });
}
