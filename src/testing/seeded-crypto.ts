import { nobleCrypto } from '../crypto/noble.js';
import { concatBytes, utf8, type CryptoProvider } from '../protocol/index.js';
import { writeUint32 } from '../protocol/bytes.js';
import { HMAC_BYTES, KEY_BYTES } from '../protocol/sizes.js';

/**
 * A provider whose random bytes and key pairs follow from `seed` and the order of the calls: block n of its stream is
 * HMAC-SHA256(seed, n). The same seed gives the same stream with every provider.
 *
 * NEVER FOR PRODUCTION: whoever knows the seed knows every key. Give each side of a test a provider of its own, or one to both;
 * two with the same seed draw the same nonces and keys.
 * @param seed a text stands for its UTF-8 bytes, a number for its digits
 * @param provider does everything that needs no randomness
 */
export function seededCrypto(seed: string | number, provider: CryptoProvider = nobleCrypto): CryptoProvider {
  const key = utf8(`${seed}`);
  let drawn = 0;
  const nextBlock = (): Uint8Array => {
    const counter = new Uint8Array(4);
    writeUint32(counter, 0, drawn++);
    return provider.hmacSha256(key, counter);
  };
  const randomBytes = (length: number): Uint8Array =>
    concatBytes(...Array.from({ length: Math.ceil(length / HMAC_BYTES) }, nextBlock)).slice(0, length);
  return {
    ...provider,
    name: `seeded ${provider.name}`,
    randomBytes,
    generateKeyPair: () => provider.keyPairFrom(randomBytes(KEY_BYTES)),
  };
}
