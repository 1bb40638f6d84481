import { describe, expect, it } from '@jest/globals';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { concatBytes } from '../../src/protocol/bytes.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/crypto-provider.js';
import { describeVectors, fromHex } from '../vectors.js';
import { failureOf, LOW_ORDER, MISUSE } from './failure-of.js';

interface Vector {
  readonly tcId: number;
  readonly result: 'valid' | 'invalid' | 'acceptable';
  readonly flags: readonly string[];
}
interface Group<V extends Vector> {
  readonly tests: readonly V[];
}
interface File<G extends Group<Vector>> {
  readonly numberOfTests: number;
  readonly testGroups: readonly G[];
}
type Hex<Field extends string> = { readonly [F in Field]: string };

type AeadVector = Vector & Hex<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag'>;
type AeadGroup = Group<AeadVector> & { readonly keySize: number; readonly ivSize: number; readonly tagSize: number };
type XdhVector = Vector & Hex<'public' | 'private' | 'shared'>;
type HkdfVector = Vector & Hex<'ikm' | 'salt' | 'info' | 'okm'> & { readonly size: number };
type MacVector = Vector & Hex<'key' | 'msg' | 'tag'>;
type MacGroup = Group<MacVector> & { readonly tagSize: number };

const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

/** The ids of the vectors that do not hold. No vector at all is a failure too. */
function wrongOnes<V extends Vector>(vectors: readonly V[], holds: (vector: V) => boolean): number[] {
  expect(vectors.length).toBeGreaterThan(0);
  return vectors.filter((vector) => !holds(vector)).map(({ tcId }) => tcId);
}

const allOf = <V extends Vector>(groups: readonly Group<V>[]): V[] => groups.flatMap(({ tests }) => tests);

describe.each<CryptoProvider>([nodeCrypto, fastNodeCrypto, nobleCrypto])(
  'the $name provider against Wycheproof',
  (crypto) => {
    describe.each<{ suite: CipherSuite; name: string }>([
      { suite: 'aes-256-gcm', name: 'wycheproof/aes_gcm_test.json' },
      { suite: 'chacha20-poly1305', name: 'wycheproof/chacha20_poly1305_test.json' },
    ])('$suite', ({ suite, name }) => {
      describeVectors(name, ({ testGroups, numberOfTests }: File<AeadGroup>) => {
        const isOurs = ({ keySize, ivSize, tagSize }: AeadGroup) => keySize === 256 && ivSize === 96 && tagSize === 128;
        const taken = allOf(testGroups.filter(isOurs));
        const leftOut = allOf(testGroups.filter((group) => !isOurs(group)));

        const seal = ({ key, iv, aad, msg }: AeadVector): string | undefined => {
          const plaintext = fromHex(msg);
          const out = new Uint8Array(plaintext.length + 16);
          crypto.aead(suite, fromHex(key)).seal(fromHex(iv), fromHex(aad), plaintext, out, 0);
          return hex(out);
        };
        const open = ({ key, iv, aad, ct, tag }: AeadVector): string | undefined =>
          hex(crypto.aead(suite, fromHex(key)).open(fromHex(iv), fromHex(aad), concatBytes(fromHex(ct), fromHex(tag))));

        it(`opens what is valid and nothing else (${taken.length} of ${numberOfTests} vectors)`, () => {
          expect(
            wrongOnes(taken, (vector) => open(vector) === (vector.result === 'valid' ? vector.msg : undefined)),
          ).toEqual([]);
        });

        it('seals to the ciphertext and tag of every valid vector', () => {
          const valid = taken.filter(({ result }) => result === 'valid');
          expect(wrongOnes(valid, (vector) => seal(vector) === vector.ct + vector.tag)).toEqual([]);
        });

        it(`refuses the key and nonce sizes of the ${leftOut.length} left-out vectors`, () => {
          expect(taken.length + leftOut.length).toBe(numberOfTests);
          expect(
            wrongOnes(
              leftOut,
              (vector) => failureOf(() => seal(vector)) === MISUSE && failureOf(() => open(vector)) === MISUSE,
            ),
          ).toEqual([]);
        });
      });
    });

    describeVectors('wycheproof/x25519_test.json', ({ testGroups, numberOfTests }: File<Group<XdhVector>>) => {
      const vectors = allOf(testGroups);
      const isLowOrder = ({ flags }: XdhVector) =>
        flags.includes('ZeroSharedSecret') || flags.includes('LowOrderPublic');
      const agree = (vector: XdhVector) => crypto.keyPairFrom(fromHex(vector.private)).agree(fromHex(vector.public));

      it(`agrees on the shared secret, twist and non-canonical public keys included (${numberOfTests} vectors)`, () => {
        expect(vectors.length).toBe(numberOfTests);
        const good = vectors.filter((vector) => !isLowOrder(vector));
        expect(wrongOnes(good, (vector) => hex(agree(vector)) === vector.shared)).toEqual([]);
      });

      it('refuses every low-order point with a typed error', () => {
        expect(wrongOnes(vectors.filter(isLowOrder), (vector) => failureOf(() => agree(vector)) === LOW_ORDER)).toEqual(
          [],
        );
      });
    });

    describeVectors('wycheproof/hkdf_sha256_test.json', ({ testGroups, numberOfTests }: File<Group<HkdfVector>>) => {
      const vectors = allOf(testGroups);
      const derive = ({ ikm, salt, info, size }: HkdfVector) =>
        crypto.hkdfSha256(fromHex(ikm), fromHex(salt), fromHex(info), size);

      it(`derives the output keying material (${numberOfTests} vectors)`, () => {
        expect(vectors.length).toBe(numberOfTests);
        const valid = vectors.filter(({ result }) => result === 'valid');
        expect(wrongOnes(valid, (vector) => hex(derive(vector)) === vector.okm)).toEqual([]);
      });

      it('refuses more than 255 blocks of output', () => {
        const tooLarge = vectors.filter(({ result }) => result === 'invalid');
        expect(wrongOnes(tooLarge, (vector) => failureOf(() => derive(vector)) === MISUSE)).toEqual([]);
      });
    });

    describeVectors('wycheproof/hmac_sha256_test.json', ({ testGroups, numberOfTests }: File<MacGroup>) => {
      it(`equals every valid tag, truncated ones by their prefix, and no other (${numberOfTests} vectors)`, () => {
        const vectors = testGroups.flatMap(({ tests, tagSize }) => tests.map((test) => ({ ...test, tagSize })));
        expect(vectors.length).toBe(numberOfTests);
        expect(
          wrongOnes(vectors, ({ key, msg, tag, tagSize, result }) => {
            const computed = crypto.hmacSha256(fromHex(key), fromHex(msg)).subarray(0, tagSize / 8);
            return crypto.equal(computed, fromHex(tag)) === (result === 'valid');
          }),
        ).toEqual([]);
      });
    });
  },
);
