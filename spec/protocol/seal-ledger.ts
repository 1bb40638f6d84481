import { toHex, type CryptoProvider } from '../../src/protocol/index.js';

/** Watches every sealing of the providers that it wraps: a (key, nonce) pair must never seal twice (protocol.md section 4). */
export class SealLedger {
  readonly #sealed = new Set<string>();

  get seals(): number {
    return this.#sealed.size;
  }

  watch(crypto: CryptoProvider): CryptoProvider {
    return {
      ...crypto,
      aead: (suite, key) => {
        const keyDigits = toHex(key);
        const aead = crypto.aead(suite, key);
        return {
          seal: (nonce, additionalData, plaintext, out, at) => {
            this.#enter(`${keyDigits} ${toHex(nonce)}`);
            aead.seal(nonce, additionalData, plaintext, out, at);
          },
          open: (nonce, additionalData, sealed) => aead.open(nonce, additionalData, sealed),
          wipe: () => aead.wipe(),
        };
      },
    };
  }

  #enter(keyAndNonce: string): void {
    if (this.#sealed.has(keyAndNonce)) throw new Error('a key and nonce sealed a second frame');
    this.#sealed.add(keyAndNonce);
  }
}
