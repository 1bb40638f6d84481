import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/index.js';

export const SUITES: readonly CipherSuite[] = ['aes-256-gcm', 'chacha20-poly1305'];

/** By name, for `describe.each`. */
export const PROVIDERS: readonly [string, CryptoProvider][] = [nobleCrypto, nodeCrypto, fastNodeCrypto].map(
  (crypto) => [crypto.name, crypto],
);

/** Everything that the protocol must do with any provider and either cipher suite. */
export const PROVIDERS_AND_SUITES = PROVIDERS.flatMap(([name, crypto]) =>
  SUITES.map((suite): [string, CipherSuite, CryptoProvider] => [name, suite, crypto]),
);

/** The faster provider, where any will do. */
export const anyCrypto = nodeCrypto;
