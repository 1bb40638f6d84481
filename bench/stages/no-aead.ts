import { nodeCrypto } from '../../src/crypto/node.js';
import type { AeadBatch } from '../../src/protocol/aead-batch.js';
import type { Aead, CryptoProvider } from '../../src/protocol/crypto-provider.js';

const TAG_BYTES = 16;
/** Of a text in the ranges of a batch. */
const RANGE_WORDS = 5;

/** Copies where an AEAD would encrypt, so that what is left can be measured. */
const copying: Aead = {
  seal: (_nonce, _additionalData, plaintext, out, at) => out.set(plaintext, at),
  open: (_nonce, _additionalData, sealed) => sealed.slice(0, sealed.length - TAG_BYTES),
  sealBatch: () => {},
  openBatch(bytes, { count, ranges }: AeadBatch) {
    return Array.from({ length: count }, (_, n) => {
      const at = ranges[n * RANGE_WORDS + 3]!;
      return bytes.slice(at, at + ranges[n * RANGE_WORDS + 4]!);
    });
  },
  wipe: () => {},
};

export const noAead: CryptoProvider = { ...nodeCrypto, name: 'no AEAD', aead: () => copying };
