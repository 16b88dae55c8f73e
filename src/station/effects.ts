/** Carries out what a step has decided: hardware at once and in order, what takes time as a later event. */
import type { ConnectorHardware } from '../../hal/contract.ts';
import type { Effect } from '../core/connector/outputs.ts';
import type { Event } from '../core/connector/step.ts';
import type { Clock, Log } from '../ports.ts';
import type { Journal } from './journal.ts';

export interface EffectPorts {
  readonly hardware: ConnectorHardware;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  dispatch(event: Event): void;
}

export function carryOut(effect: Effect, ports: EffectPorts): void {
  const { hardware, clock } = ports;
  switch (effect.type) {
    case 'permit':
      hardware.evse.permit(effect.given);
      return;
    case 'offer':
      hardware.evse.offer(effect.offer);
      return;
    case 'lock':
    case 'unlock':
      void turnLock(effect.type, ports);
      return;
    case 'switchPhases':
      void hardware.phaseSwitch
        ?.switchTo(effect.phases)
        .then((phases) => ports.dispatch({ type: 'phasesConnected', phases, at: clock.now() }));
      return;
    case 'begin': {
      const { type: _, ...authorization } = effect;
      // What the next step throws is no refusal of the journal, and nobody's to catch.
      void ports.journal.begin({ connectorId: hardware.id, ...authorization, at: clock.now() }).then(
        (transaction) => ports.dispatch({ type: 'begun', transaction, at: clock.now() }),
        (cause: unknown) => {
          ports.log.error('a transaction could not be made durable and does not begin', {
            connectorId: hardware.id,
            cause,
          });
          ports.dispatch({ type: 'refused', at: clock.now() });
        },
      );
      return;
    }
    case 'end':
      void ports.journal
        .end({ connectorId: hardware.id, transaction: effect.transaction, stop: effect.stop })
        .then(() => ports.dispatch({ type: 'ended', at: clock.now() }));
  }
}

async function turnLock(direction: 'lock' | 'unlock', { hardware, clock, log, dispatch }: EffectPorts): Promise<void> {
  const { lock } = hardware;
  if (lock === undefined) return;
  try {
    await lock[direction]();
  } catch (cause) {
    log.error(`the connector could not be ${direction}ed`, { connectorId: hardware.id, cause });
  }
  dispatch({ type: 'locked', locked: lock.locked, at: clock.now() });
}
