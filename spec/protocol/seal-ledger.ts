import { toHex, type Aead, type CryptoProvider } from '../../src/protocol/index.js';
import { framesOf } from './pair.js';

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
        const enter = (nonce: Uint8Array) => this.#enter(`${keyDigits} ${toHex(nonce)}`);
        const watched: Aead = {
          seal: (nonce, additionalData, plaintext, out, at) => {
            enter(nonce);
            aead.seal(nonce, additionalData, plaintext, out, at);
          },
          open: (nonce, additionalData, sealed) => aead.open(nonce, additionalData, sealed),
          wipe: () => aead.wipe(),
        };
        if (aead.sealFrames) {
          watched.sealFrames = (bytes, from, to) => {
            aead.sealFrames?.(bytes, from, to);
            for (const { payload } of framesOf(bytes.subarray(from, to))) enter(payload.subarray(0, 12));
          };
        }
        if (aead.openFrames) watched.openFrames = aead.openFrames.bind(aead);
        return watched;
      },
    };
  }

  #enter(keyAndNonce: string): void {
    if (this.#sealed.has(keyAndNonce)) throw new Error('a key and nonce sealed a second frame');
    this.#sealed.add(keyAndNonce);
  }
}
