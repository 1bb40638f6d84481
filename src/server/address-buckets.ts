import { TokenBucket } from './token-bucket.js';

/** So many addresses are remembered for what they took in the last second. */
const MAX_ADDRESSES = 10_000;

/** A token bucket for each address, so that none takes more than its share. Bounded: who was here longest ago is forgotten. */
export class AddressBuckets {
  readonly #perSecond: number;
  /** In the order in which they were used last. */
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param perSecond tokens that each address gets in a second, and has at most */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes a token of this address where there is one. */
  take(address: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(address) ?? new TokenBucket(this.#perSecond);
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    if (this.#buckets.size > MAX_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return bucket.take(nowMs);
  }
}
