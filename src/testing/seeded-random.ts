import { nobleCrypto } from '../crypto/noble.js';
import { utf8 } from '../protocol/index.js';

/**
 * Random numbers that follow from a seed: the generator sfc32, fast enough to ask it a few times for each of a million
 * datagrams. For faults only; whoever sees its numbers can tell the next ones.
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed a text stands for its UTF-8 bytes, a number for its digits */
  constructor(seed: string | number) {
    // Seeds that look alike must not give sequences that look alike.
    const words = new DataView(nobleCrypto.hmacSha256(utf8(`${seed}`), new Uint8Array()).buffer);
    this.#a = words.getInt32(0);
    this.#b = words.getInt32(4);
    this.#c = words.getInt32(8);
  }

  /** From 0 up to, but not including, 1. */
  next(): number {
    const drawn = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + drawn) | 0;
    return (drawn >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 up to, but not including, `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Whether something of this probability, 0 to 1, happens. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }
}
