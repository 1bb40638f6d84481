const INITIAL_RTO_MS = 500;
const MIN_RTO_MS = 100;
const MAX_RTO_MS = 5_000;

/** How long an acknowledgement may take, learned from those that came: RFC 6298 with the bounds of protocol.md section 7. */
export class RoundTripEstimate {
  #smoothedMs = 200;
  #variationMs = 100;
  #rtoMs = INITIAL_RTO_MS;

  /** The retransmission timeout: 500 ms until the first sample, then 100 to 5000 ms. */
  get rtoMs(): number {
    return this.#rtoMs;
  }

  /** Takes the time from sending a datagram once to its acknowledgement. */
  sample(roundTripMs: number): void {
    // A clock that was set in between would otherwise spoil the estimate for a long time.
    const takenMs = clamp(roundTripMs, 0, MAX_RTO_MS);
    this.#variationMs += (Math.abs(this.#smoothedMs - takenMs) - this.#variationMs) / 4;
    this.#smoothedMs += (takenMs - this.#smoothedMs) / 8;
    this.#rtoMs = clamp(this.#smoothedMs + 4 * this.#variationMs, MIN_RTO_MS, MAX_RTO_MS);
  }
}

const clamp = (value: number, min: number, max: number): number => Math.min(Math.max(value, min), max);
