/** Reservations (OCPP 1.6 sections 3.11, 5.1 and 5.13); the book itself is on the context, because every start looks into it. */
import { CancelReservation } from '../../ocpp/messages/reservation/cancel-reservation.ts';
import { ReserveNow } from '../../ocpp/messages/reservation/reserve-now.ts';
import type { Feature, Room } from '../feature.ts';
import { reservationRange } from './book.ts';
import * as keys from './reservation.keys.ts';
import { cancelReservation, reserveNow } from './reserve-now.ts';

export const reservation: Feature = {
  name: 'reservation',
  profile: 'Reservation',
  keys: Object.values(keys),
  ofCentralSystem: [reservationRange],
  absent: [
    ReserveNow.answeredBy(() => ({ status: 'Rejected' })),
    CancelReservation.answeredBy(() => ({ status: 'Rejected' })),
  ],
  start: ({ reservations, settings }): Room => ({
    handlers: [reserveNow(reservations, settings), cancelReservation(reservations)],
  }),
};
