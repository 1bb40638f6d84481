import type { CryptoProvider } from '../../src/protocol/index.js';

export interface Script {
  /** 32 bytes each, one for every key pair in turn. */
  readonly privateKeys?: readonly Uint8Array[];
  /** One for every drawing of random bytes in turn, each as long as what is asked for. */
  readonly randomBytes?: readonly Uint8Array[];
}

/** A provider whose randomness was written down before; it throws when it is asked for anything else. */
export function scriptedCrypto(crypto: CryptoProvider, script: Script): CryptoProvider {
  const privateKeys = (script.privateKeys ?? []).values();
  const drawings = (script.randomBytes ?? []).values();
  return {
    ...crypto,
    generateKeyPair() {
      const { value } = privateKeys.next();
      if (!value) throw new Error('no key pair is left in the script');
      return crypto.keyPairFrom(value);
    },
    randomBytes(length) {
      const { value } = drawings.next();
      if (value?.length !== length) throw new Error(`${length} random bytes are not next in the script`);
      return value;
    },
  };
}
