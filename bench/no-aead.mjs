const TAG_BYTES = 16;
/** Of a text in the ranges of a batch. */
const RANGE_WORDS = 5;

/** Copies where an AEAD would encrypt. */
const copying = {
  seal(_nonce, _additionalData, plaintext, out, at) {
    out.set(plaintext, at);
  },
  open: (_nonce, _additionalData, sealed) => sealed.slice(0, sealed.length - TAG_BYTES),
  sealBatch() {},
  openBatch: (bytes, { count, ranges }) =>
    Array.from({ length: count }, (_, n) => {
      const at = ranges[n * RANGE_WORDS + 3];
      return bytes.slice(at, at + ranges[n * RANGE_WORDS + 4]);
    }),
  wipe() {},
};

/** A provider without its AEAD: for measuring what the rest costs. It protects nothing. */
export const withoutAead = (provider) => ({ ...provider, name: 'no AEAD', aead: () => copying });
