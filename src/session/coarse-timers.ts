/* eslint-disable no-restricted-globals -- here is where real time comes from */
/** Something that runs when its time has come. */
export interface Due {
  run(): void;
}

/** All that is due at the same moment. */
interface Appointment {
  readonly due: Set<Due>;
  timer: ReturnType<typeof setTimeout>;
}

/** No moment is nearer to the next than this. */
const MIN_STEP_MS = 4;
/** A delay is prolonged by less than this part of it, or by a step. */
const PRECISION = 1 / 64;
/** What setTimeout takes. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Few timers for very many delays: moments lie on a grid that is the coarser the longer the delay is, and all that is due at the
 * same moment shares a timer of the runtime. Nothing ever runs too early.
 */
export class CoarseTimers {
  readonly #now: () => number;
  readonly #appointments = new Map<number, Appointment>();

  /** @param now a clock in milliseconds that nobody sets back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many timers of the runtime are in use. */
  get timers(): number {
    return this.#appointments.size;
  }

  /** Runs `due` once, after `delayMs` milliseconds and at most a 64th, or 4 ms, more. Returns what takes it back. */
  add(due: Due, delayMs: number): () => void {
    const stepMs = Math.max(MIN_STEP_MS, 2 ** Math.floor(Math.log2(delayMs * PRECISION)));
    const atMs = Math.ceil((this.#now() + delayMs) / stepMs) * stepMs;
    const appointment = this.#appointments.get(atMs) ?? this.#appoint(atMs);
    appointment.due.add(due);
    return () => {
      appointment.due.delete(due);
      if (appointment.due.size > 0) return;
      clearTimeout(appointment.timer);
      if (this.#appointments.get(atMs) === appointment) this.#appointments.delete(atMs);
    };
  }

  #appoint(atMs: number): Appointment {
    const appointment = { due: new Set<Due>(), timer: this.#wait(atMs) };
    this.#appointments.set(atMs, appointment);
    return appointment;
  }

  #wait(atMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#keep(atMs), Math.min(Math.ceil(atMs - this.#now()), MAX_TIMEOUT_MS));
  }

  /** A timer may be up to a millisecond early, and one for more than its most is. */
  #keep(atMs: number): void {
    const appointment = this.#appointments.get(atMs);
    if (!appointment) return;
    if (this.#now() < atMs) {
      appointment.timer = this.#wait(atMs);
      return;
    }
    this.#appointments.delete(atMs);
    for (const due of appointment.due) {
      appointment.due.delete(due);
      due.run();
    }
  }
}
