import type { CryptoProvider } from '../../src/protocol/index.js';
import { anyCrypto } from './providers.js';

/** A provider that knows every AEAD it made and every key that it made one of. */
export function watchWipes() {
  const aeads = new Set<object>();
  const keys: Uint8Array[] = [];
  const crypto: CryptoProvider = {
    ...anyCrypto,
    aead(suite, key) {
      const aead = anyCrypto.aead(suite, key);
      aeads.add(aead);
      keys.push(key);
      return {
        seal: (...plain) => aead.seal(...plain),
        open: (...sealed) => aead.open(...sealed),
        wipe: () => void aeads.delete(aead),
      };
    },
  };
  const unwiped = () => ({ aeads: aeads.size, keys: keys.filter((key) => key.some((byte) => byte !== 0)).length });
  return { crypto, unwiped };
}
