import { InvalidStateError } from '../errors.js';
import { RoundTripEstimate } from './round-trip-estimate.js';

/** Protocol.md section 7: a frame is sent at most this often. */
export const MAX_ATTEMPTS = 5;
const MAX_WAIT_MS = 5_000;

type State =
  | { readonly awaits: 'datagram' }
  | {
      readonly awaits: 'acknowledgement';
      readonly datagram: Uint8Array;
      readonly attempts: number;
      readonly maxAttempts: number;
      /** When it was sent last. */
      readonly sentMs: number;
      readonly dueMs: number;
    };

const IDLE: State = Object.freeze({ awaits: 'datagram' });

/**
 * Stop-and-wait delivery (protocol.md section 7): one datagram at a time is repeated until its acknowledgement comes, after
 * ever longer waits. Sends nothing itself, and times are those of the caller's clock in milliseconds.
 */
export class StopAndWait {
  readonly #roundTrip = new RoundTripEstimate();
  #state: State = IDLE;

  /** What waits for its acknowledgement. */
  get outstanding(): Uint8Array | undefined {
    return this.#state.awaits === 'acknowledgement' ? this.#state.datagram : undefined;
  }

  /** When `expire` is due. */
  get dueMs(): number | undefined {
    return this.#state.awaits === 'acknowledgement' ? this.#state.dueMs : undefined;
  }

  /** How often it was sent; 0 when nothing is outstanding. */
  get attempts(): number {
    return this.#state.awaits === 'acknowledgement' ? this.#state.attempts : 0;
  }

  /**
   * Takes a datagram that is sent now for the first time; it is kept, not copied.
   * @param maxAttempts Infinity repeats it until it is answered; waits stay at most 5 s.
   * @throws InvalidStateError `WRONG_STATE` while one is outstanding.
   */
  send(datagram: Uint8Array, nowMs: number, maxAttempts = MAX_ATTEMPTS): void {
    if (this.#state.awaits === 'acknowledgement') {
      throw new InvalidStateError('WRONG_STATE', 'a datagram waits for its acknowledgement already');
    }
    this.#sent(datagram, 1, maxAttempts, nowMs);
  }

  /** The acknowledgement came, or something that implies it. Harmless when nothing is outstanding. */
  acknowledged(nowMs: number): void {
    const state = this.#state;
    this.#state = IDLE;
    // Karn's rule: which of several sends was acknowledged can't be known.
    if (state.awaits === 'acknowledgement' && state.attempts === 1) this.#roundTrip.sample(nowMs - state.sentMs);
  }

  /**
   * The time has come. `repeat`: send `outstanding` again now. `lost`: given up, and nothing is outstanding any more. `early`:
   * not due yet, or nothing outstanding.
   */
  expire(nowMs: number): 'repeat' | 'lost' | 'early' {
    const state = this.#state;
    if (state.awaits === 'datagram') return 'early';
    const { datagram, attempts, maxAttempts, sentMs, dueMs } = state;
    // A clock that was set back must not put the repeat off until it has caught up.
    if (nowMs >= sentMs && nowMs < dueMs) return 'early';
    if (attempts >= maxAttempts) {
      this.#state = IDLE;
      return 'lost';
    }
    this.#sent(datagram, attempts + 1, maxAttempts, nowMs);
    return 'repeat';
  }

  /** Forgets what is outstanding without a sample. */
  abandon(): void {
    this.#state = IDLE;
  }

  #sent(datagram: Uint8Array, attempts: number, maxAttempts: number, sentMs: number): void {
    // The lower bound of 50 ms needs no word: the timeout itself is never below 100 ms.
    const waitMs = Math.min(this.#roundTrip.rtoMs * 2 ** (attempts - 1), MAX_WAIT_MS);
    this.#state = { awaits: 'acknowledgement', datagram, attempts, maxAttempts, sentMs, dueMs: sentMs + waitMs };
  }
}
