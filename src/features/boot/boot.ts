/** BootNotification until we are accepted, then Heartbeat (OCPP 1.6 sections 4.2 and 4.6). */

import { BootNotification } from '../../ocpp/messages/core/boot-notification.ts';
import { Heartbeat } from '../../ocpp/messages/core/heartbeat.ts';
import type { ConfirmationOf } from '../../ocpp/operation.ts';
import { parseTimestamp } from '../../ocpp/timestamp.ts';
import type { Cancel } from '../../ports.ts';
import { type Context, type Feature, isOnline, type Room } from '../feature.ts';
import { integer, key, seconds } from '../keys.ts';

export const heartbeatInterval = key('HeartbeatInterval', seconds(), { default: 300 });
export const webSocketPingInterval = key('WebSocketPingInterval', integer(0, 86_400), { default: 30 });
/** Errata 3.83, in seconds; counted in real time. */
export const messageTimeout = key('MessageTimeout', integer(1, 3600), { default: 30 });

/** Our own choice where the central system leaves it to us (interval 0) or does not answer properly, in seconds. */
const RETRY_S = 60;

export const boot: Feature = {
  name: 'boot',
  profile: 'Core',
  keys: [heartbeatInterval, webSocketPingInterval, messageTimeout],
  start: (context): Room => {
    const booting = new Booting(context);
    const heart = new Heart(context);
    const subscriptions = [
      context.connection.onOpen(() => booting.onOpen()),
      context.registration.onChange((status) => {
        if (status === null) booting.forget();
        heart.restart();
      }),
      context.settings.onChange((name) => name === heartbeatInterval.name && heart.restart()),
    ];
    return {
      triggers: {
        BootNotification: () => () => void booting.send(),
        Heartbeat: () => () => void heart.beat(),
      },
      stop: () => {
        for (const unsubscribe of subscriptions) unsubscribe();
        booting.stop();
        heart.stop();
      },
    };
  },
};

class Booting {
  readonly #context: Context;
  #retry: Cancel | undefined;
  /** Monotonic time before which the central system does not want to hear from us. */
  #notBefore = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** A mere reconnect needs no BootNotification (OCPP-J section 5.4). */
  onOpen(): void {
    const { registration, clock } = this.#context;
    if (registration.accepted) return;
    this.#sendAfter(Math.max(0, this.#notBefore - clock.now()));
  }

  /** Another address is dialled: what the old central system wanted to wait for says nothing about it. */
  forget(): void {
    this.#retry?.();
    this.#notBefore = 0;
  }

  stop(): void {
    this.#retry?.();
  }

  async send(): Promise<void> {
    const { call, clock, config, log, registration } = this.#context;
    this.#retry?.();
    try {
      const { identity: _, vendor, model, serialNumber, ...rest } = config.chargePoint;
      const confirmation = await call(
        BootNotification,
        {
          chargePointVendor: vendor,
          chargePointModel: model,
          ...(serialNumber === undefined ? {} : { chargePointSerialNumber: serialNumber }),
          ...rest,
        },
        { lane: 'urgent' },
      );
      this.#onConfirmed(confirmation);
    } catch (cause) {
      if (registration.accepted) return;
      log.warn('BootNotification came to nothing', { cause });
      this.#notBefore = clock.now() + RETRY_S * 1000;
      // Without a link the next one opens with a BootNotification anyway.
      if (this.#context.connection.open) this.#sendAfter(RETRY_S * 1000);
      else this.#notBefore = clock.now();
    }
  }

  #onConfirmed({ status, currentTime, interval }: ConfirmationOf<typeof BootNotification>): void {
    const { clock, log, registration, settings } = this.#context;
    const wall = parseTimestamp(currentTime);
    if (wall !== undefined) clock.set(wall);
    log.info(`registration ${status}, interval ${interval} s`);
    if (status === 'Accepted') {
      if (interval > 0) settings.adopt(heartbeatInterval, interval);
    } else {
      const retryMs = (interval > 0 ? interval : RETRY_S) * 1000;
      this.#notBefore = clock.now() + retryMs;
      this.#sendAfter(retryMs);
    }
    registration.set(status);
  }

  #sendAfter(delayMs: number): void {
    this.#retry?.();
    if (delayMs === 0) {
      void this.send();
      return;
    }
    this.#retry = this.#context.clock.after(delayMs, () => {
      this.#retry = undefined;
      if (this.#context.connection.open) void this.send();
    });
  }
}

/** Beats at exact multiples of the interval after Accepted, whatever else is sent: it also sets the clock. */
class Heart {
  readonly #context: Context;
  #timer: Cancel | undefined;
  #due = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  restart(): void {
    this.stop();
    if (!this.#context.registration.accepted) return;
    this.#due = this.#context.clock.now();
    this.#next();
  }

  stop(): void {
    this.#timer?.();
  }

  async beat(): Promise<void> {
    try {
      const { currentTime } = await this.#context.call(Heartbeat, {});
      const wall = parseTimestamp(currentTime);
      if (wall !== undefined) this.#context.clock.set(wall);
    } catch {
      // The next beat comes by itself, and the link has its own means to notice that nobody is there.
    }
  }

  #next(): void {
    const { clock, settings } = this.#context;
    const intervalMs = settings.get(heartbeatInterval) * 1000;
    if (intervalMs === 0) return;
    this.#due = Math.max(this.#due + intervalMs, clock.now());
    this.#timer = clock.after(this.#due - clock.now(), () => {
      if (isOnline(this.#context)) void this.beat();
      this.#next();
    });
  }
}
