import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/crypto-provider.js';
import { failureOf } from './failure-of.js';

const providers: readonly CryptoProvider[] = [nodeCrypto, nobleCrypto, fastNodeCrypto];

const bytes = (minLength: number, maxLength = minLength) => fc.uint8Array({ minLength, maxLength });
const suites = fc.constantFrom<CipherSuite>('aes-256-gcm', 'chacha20-poly1305');
const key = bytes(32);
const nonce = bytes(12);
const additionalData = bytes(0, 40);
const plaintext = bytes(0, 452);

/** Seals at index `at` of an array that has a byte 0xee on every place around. */
function seal(
  crypto: CryptoProvider,
  suite: CipherSuite,
  [k, n, ad, text]: [Uint8Array, Uint8Array, Uint8Array, Uint8Array],
  at: number,
): Uint8Array {
  const out = new Uint8Array(at + text.length + 16 + 3).fill(0xee);
  crypto.aead(suite, k).seal(n, ad, text, out, at);
  return out;
}

describe('the node and the noble provider agree on random input', () => {
  it('seal writes the same bytes and nothing around them, and open of each takes what the other sealed', () => {
    fc.assert(
      fc.property(suites, key, nonce, additionalData, plaintext, fc.nat(30), (suite, k, n, ad, text, at) => {
        const byNode = seal(nodeCrypto, suite, [k, n, ad, text], at);
        for (const crypto of [nobleCrypto, fastNodeCrypto]) {
          expect(seal(crypto, suite, [k, n, ad, text], at)).toEqual(byNode);
        }
        expect(byNode.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
        expect(byNode.subarray(at + text.length + 16)).toEqual(Uint8Array.of(0xee, 0xee, 0xee));
        const sealed = byNode.subarray(at, at + text.length + 16);
        for (const crypto of providers) expect(crypto.aead(suite, k).open(n, ad, sealed)).toEqual(text);
      }),
      { numRuns: 300 },
    );
  });

  it('open is undefined for any flipped bit of key, nonce, additional data, ciphertext or tag', () => {
    fc.assert(
      fc.property(suites, key, nonce, bytes(10), plaintext, fc.nat(), (suite, k, n, ad, text, bit) => {
        const sealed = seal(nodeCrypto, suite, [k, n, ad, text], 0).subarray(0, text.length + 16);
        const parts = [k, n, ad, sealed].map((part) => Uint8Array.from(part)) as [
          Uint8Array,
          Uint8Array,
          Uint8Array,
          Uint8Array,
        ];
        let index = bit % (8 * parts.reduce((length, part) => length + part.length, 0));
        for (const part of parts) {
          const byte = index >>> 3;
          if (byte < part.length) {
            part[byte] = (part[byte] as number) ^ (1 << (index & 7));
            break;
          }
          index -= 8 * part.length;
        }
        for (const crypto of providers) {
          expect(crypto.aead(suite, parts[0]).open(parts[1], parts[2], parts[3])).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('open is undefined for a tag that is wrong at any one of its 128 bits', () => {
    for (const suite of ['aes-256-gcm', 'chacha20-poly1305'] as const) {
      const k = new Uint8Array(32).fill(1);
      const n = new Uint8Array(12).fill(2);
      const ad = new Uint8Array(10).fill(3);
      const sealed = seal(nodeCrypto, suite, [k, n, ad, Uint8Array.of(1, 2, 3, 4, 5)], 0).subarray(0, 21);
      for (const crypto of providers) {
        const aead = crypto.aead(suite, k);
        for (let bit = 0; bit < 128; bit++) {
          const forged = Uint8Array.from(sealed);
          const at = 5 + (bit >>> 3);
          forged[at] = (forged[at] as number) ^ (1 << (bit & 7));
          expect(aead.open(n, ad, forged)).toBeUndefined();
        }
        expect(aead.open(n, ad, sealed)).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
      }
    }
  });

  it('HMAC-SHA256', () => {
    fc.assert(
      fc.property(bytes(0, 200), bytes(0, 300), (k, data) => {
        expect(nobleCrypto.hmacSha256(k, data)).toEqual(nodeCrypto.hmacSha256(k, data));
      }),
    );
  });

  it('HKDF-SHA256', () => {
    fc.assert(
      fc.property(
        bytes(0, 100),
        bytes(0, 100),
        bytes(0, 100),
        fc.integer({ min: 1, max: 300 }),
        (ikm, salt, info, length) => {
          const byNode = nodeCrypto.hkdfSha256(ikm, salt, info, length);
          expect(byNode.length).toBe(length);
          expect(nobleCrypto.hkdfSha256(ikm, salt, info, length)).toEqual(byNode);
        },
      ),
    );
  });

  it('X25519 of any private key with any 32 bytes as the public key', () => {
    fc.assert(
      fc.property(key, key, (privateKey, peerPublicKey) => {
        const [byNode, byNoble] = providers.map((crypto) => crypto.keyPairFrom(privateKey));
        expect(byNoble?.publicKey).toEqual(byNode?.publicKey);
        expect(byNoble?.agree(peerPublicKey)).toEqual(byNode?.agree(peerPublicKey));
      }),
    );
  });

  it('X25519 around p and 2^255, where public keys are not canonical', () => {
    const low = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(key, low, fc.constantFrom(0x7f, 0xff), (privateKey, lowest, highest) => {
        const peerPublicKey = new Uint8Array(32).fill(0xff);
        peerPublicKey[0] = lowest;
        peerPublicKey[31] = highest;
        const [byNode, byNoble] = providers.map((crypto) => {
          let shared: Uint8Array | undefined;
          const failure = failureOf(() => (shared = crypto.keyPairFrom(privateKey).agree(peerPublicKey)));
          return { shared, failure };
        });
        expect(byNoble).toEqual(byNode);
      }),
    );
  });

  it('fresh key pairs of one agree with those of the other', () => {
    for (let round = 0; round < 20; round++) {
      const [mine, theirs] = providers.map((crypto) => crypto.generateKeyPair());
      if (!mine || !theirs) throw new Error('two providers');
      expect(mine.publicKey).not.toEqual(theirs.publicKey);
      expect(mine.agree(theirs.publicKey)).toEqual(theirs.agree(mine.publicKey));
    }
  });

  it('equal', () => {
    const pairs = fc.oneof(
      fc.tuple(bytes(0, 64), bytes(0, 64)),
      bytes(0, 64).map((a): [Uint8Array, Uint8Array] => [a, Uint8Array.from(a)]),
      fc
        .tuple(bytes(1, 64), fc.nat(), fc.integer({ min: 1, max: 255 }))
        .map(([a, at, mask]): [Uint8Array, Uint8Array] => {
          const b = Uint8Array.from(a);
          b[at % b.length] = (b[at % b.length] as number) ^ mask;
          return [a, b];
        }),
    );
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const expected = Buffer.compare(a, b) === 0;
        for (const crypto of providers) expect(crypto.equal(a, b)).toBe(expected);
      }),
    );
  });
});
