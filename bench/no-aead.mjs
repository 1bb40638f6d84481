const TAG_BYTES = 16;

/** Copies where an AEAD would encrypt, frame by frame. */
const copying = {
  seal(_nonce, _additionalData, plaintext, out, at) {
    out.set(plaintext, at);
  },
  open: (_nonce, _additionalData, sealed) => sealed.slice(0, sealed.length - TAG_BYTES),
  wipe() {},
};

/** A provider without its AEAD: for measuring what the rest costs. It protects nothing. */
export const withoutAead = (provider) => ({ ...provider, name: 'no AEAD', aead: () => copying });
