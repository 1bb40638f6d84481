import { SequenceError } from './errors.js';
import { isDataType, type SealedType } from './packet-type.js';

/** Protocol.md section 6: fielded receivers give up after more than this many control frames… */
export const MAX_CONTROL_FRAMES = 8;
/** … within this time, with no data between them. */
export const CONTROL_WINDOW_MS = 1_000;

/** How many frames of a backlog are answered within that time, since the answers come to the peer in one burst too. */
const MAX_BACKLOG_ANSWERS = MAX_CONTROL_FRAMES / 2;

/** Notices a peer that sends control frames without end. Holds at most eight times. */
export class ControlFloodDetector {
  #times: number[] = [];
  #forgiven = 0;

  /**
   * We did not read for this long: as many control frames may wait for us as the peer may have sent in that time, and are no
   * flood.
   */
  forgive(unreadMs: number): void {
    this.#forgiven += Math.ceil(Math.max(0, unreadMs) / CONTROL_WINDOW_MS) * MAX_CONTROL_FRAMES;
  }

  /**
   * Takes note of an authentic frame. Returns whether it is to be answered: all are but for the most of a backlog.
   * @throws SequenceError `CONTROL_FLOOD` at the ninth control frame within a second with no data between them.
   */
  observe(type: SealedType, nowMs: number): boolean {
    if (isDataType(type)) {
      if (this.#times.length > 0) this.#times = [];
      return true;
    }
    this.#times = this.#times.filter((time) => nowMs - time < CONTROL_WINDOW_MS);
    if (this.#forgiven > 0 && this.#times.length >= MAX_BACKLOG_ANSWERS) {
      this.#forgiven--;
      return false;
    }
    if (this.#times.length === MAX_CONTROL_FRAMES) {
      throw new SequenceError(
        'CONTROL_FLOOD',
        `more than ${MAX_CONTROL_FRAMES} control frames within ${CONTROL_WINDOW_MS} ms and no data between them`,
      );
    }
    this.#times.push(nowMs);
    return true;
  }
}
