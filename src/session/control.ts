import type { SchedulerLike } from 'rxjs';
import type { UsmpError } from '../protocol/errors.js';
import { ControlPacing } from './control-pacing.js';
import { Heartbeat } from './heartbeat.js';
import type { Link } from './link.js';
import { Rekeying } from './rekeying.js';
import type { SessionLimits } from './session-limits.js';

/** The control frames that this side sends of its own accord: PING and REKEY, paced. Most sessions of a server never need it. */
export class Control {
  readonly heartbeat: Heartbeat;
  readonly rekeying: Rekeying;
  readonly #pacing: ControlPacing;

  constructor(link: Link, scheduler: SchedulerLike, { keepaliveMs, rekey }: SessionLimits) {
    this.#pacing = new ControlPacing(scheduler);
    this.heartbeat = new Heartbeat({
      scheduler,
      keepaliveMs,
      lastSentMs: () => link.lastSentMs,
      lastHeardMs: () => link.lastHeardMs,
      sendPing: (onSealed) =>
        this.#pacing.run(1, () =>
          link.ping(() => {
            this.#pacing.sent(1);
            onSealed();
          }),
        ),
    });
    this.rekeying = new Rekeying({
      scheduler,
      policy: rekey,
      link,
      sendRekey: (onSealed) =>
        this.#pacing.run(2, () =>
          link.rekey(() => {
            this.#pacing.sent(2);
            this.heartbeat.pingSent();
            onSealed();
          }),
        ),
    });
  }

  /** Starts nothing any more; what has left may still be answered. */
  stop(): void {
    this.heartbeat.stopKeepalive();
    this.rekeying.stop();
    this.#pacing.stop();
  }

  /** Whoever waits is told `error`. */
  end(error: UsmpError): void {
    this.#pacing.stop();
    this.heartbeat.end(error);
    this.rekeying.end(error);
  }
}
