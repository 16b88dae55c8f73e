/** ReserveNow and CancelReservation (OCPP 1.6 sections 5.1 and 5.13): durable before the answer, shown after it, or without it. */
import { CancelReservation } from '../../ocpp/messages/reservation/cancel-reservation.ts';
import { ReserveNow } from '../../ocpp/messages/reservation/reserve-now.ts';
import type { Handler } from '../../ocpp/operation.ts';
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import type { Reservations, Settings } from '../feature.ts';
import { reserveConnectorZeroSupported } from './reservation.keys.ts';

export const reserveNow = (book: Reservations, settings: Settings): Handler =>
  ReserveNow.answeredBy(async ({ connectorId, expiryDate, idTag, parentIdTag, reservationId }, { inAnyCase }) => {
    const expiresAt = parseTimestamp(expiryDate);
    if (expiresAt === undefined) return { status: 'Rejected' };
    if (connectorId === 0 && !settings.get(reserveConnectorZeroSupported)) return { status: 'Rejected' };
    const group = parentIdTag === undefined ? {} : { parentIdTag };
    const status = await book.reserve({ id: reservationId, connectorId, idTag, ...group, expiresAt });
    if (status === 'Accepted') inAnyCase(() => book.show());
    return { status };
  });

export const cancelReservation = (book: Reservations): Handler =>
  CancelReservation.answeredBy(async ({ reservationId }, { inAnyCase }) => {
    if (!(await book.cancel(reservationId))) return { status: 'Rejected' };
    inAnyCase(() => book.show());
    return { status: 'Accepted' };
  });
