import { SequenceError } from './errors.js';
import { PacketType, type SealedType } from './packet-type.js';

/** Protocol.md section 6: fielded receivers give up after more than this many control frames… */
export const MAX_CONTROL_FRAMES = 8;
/** … within this time, with no data between them. */
export const CONTROL_WINDOW_MS = 1_000;

/** Notices a peer that sends control frames without end. Holds at most eight times. */
export class ControlFloodDetector {
  #times: number[] = [];

  /**
   * Takes note of an authentic frame.
   * @throws SequenceError `CONTROL_FLOOD` at the ninth control frame within a second with no data between them.
   */
  observe(type: SealedType, nowMs: number): void {
    if (type === PacketType.DATA || type === PacketType.DATA_FRAG) {
      if (this.#times.length > 0) this.#times = [];
      return;
    }
    this.#times = this.#times.filter((time) => nowMs - time < CONTROL_WINDOW_MS);
    if (this.#times.length === MAX_CONTROL_FRAMES) {
      throw new SequenceError(
        'CONTROL_FLOOD',
        `more than ${MAX_CONTROL_FRAMES} control frames within ${CONTROL_WINDOW_MS} ms and no data between them`,
      );
    }
    this.#times.push(nowMs);
  }
}
