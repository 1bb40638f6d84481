/**
 * Bytes that must not show where objects are printed: the only way to them is `expose()`, so neither `util.inspect` nor
 * `JSON.stringify` nor a log line can hold them.
 */
export class Secret {
  readonly #bytes: Uint8Array;

  /** Copies `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = Uint8Array.from(bytes);
  }

  /** The bytes themselves, not a copy: for the crypto provider and nobody else. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** Overwrites the bytes with zeros. */
  wipe(): void {
    this.#bytes.fill(0);
  }
}
