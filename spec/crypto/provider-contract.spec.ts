import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { fastNodeCrypto } from '../../src/crypto/fast-node.js';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import type { CipherSuite, CryptoProvider } from '../../src/protocol/crypto-provider.js';
import { fromHex } from '../vectors.js';
import { failureOf, LOW_ORDER, MISUSE, USE_AFTER_WIPE } from './failure-of.js';

const key = Uint8Array.from({ length: 32 }, (_, index) => 0xa0 + index);
const nonce = new Uint8Array(12).fill(0x0b);
const additionalData = new Uint8Array(10).fill(0x0c);
const plaintext = new TextEncoder().encode('23.5 degrees');

const isPlain = (bytes: Uint8Array) => Object.getPrototypeOf(bytes) === Uint8Array.prototype;
/** A view of a larger buffer would show its neighbours' bytes to whoever gets the view. */
const isAlone = (bytes: Uint8Array) => bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length;

describe.each<CryptoProvider>([nodeCrypto, fastNodeCrypto, nobleCrypto])('the $name provider', (crypto) => {
  describe.each<CipherSuite>(['aes-256-gcm', 'chacha20-poly1305'])('with %s', (suite) => {
    const sealed = (): Uint8Array => {
      const out = new Uint8Array(plaintext.length + 16);
      crypto.aead(suite, key).seal(nonce, additionalData, plaintext, out, 0);
      return out;
    };

    it.each([0, 16, 31, 33])('refuses a key of %d bytes', (length) => {
      expect(failureOf(() => crypto.aead(suite, new Uint8Array(length)))).toBe(MISUSE);
    });

    it.each([0, 8, 11, 13, 16])('refuses a nonce of %d bytes', (length) => {
      const aead = crypto.aead(suite, key);
      const wrong = new Uint8Array(length);
      expect(
        failureOf(() => {
          aead.seal(wrong, additionalData, plaintext, new Uint8Array(64), 0);
        }),
      ).toBe(MISUSE);
      expect(failureOf(() => aead.open(wrong, additionalData, sealed()))).toBe(MISUSE);
    });

    it('refuses to seal where there is no room, and writes nothing', () => {
      const aead = crypto.aead(suite, key);
      const out = new Uint8Array(plaintext.length + 16);
      for (const at of [1, -1, Number.NaN]) {
        expect(
          failureOf(() => {
            aead.seal(nonce, additionalData, plaintext, out, at);
          }),
        ).toBe(MISUSE);
      }
      expect(out).toEqual(new Uint8Array(out.length));
    });

    it('opens nothing that is shorter than a tag', () => {
      const aead = crypto.aead(suite, key);
      for (let length = 0; length < 16; length++) {
        expect(aead.open(nonce, additionalData, new Uint8Array(length))).toBeUndefined();
      }
    });

    it('seals and opens an empty plaintext', () => {
      const aead = crypto.aead(suite, key);
      const out = new Uint8Array(16);
      aead.seal(nonce, additionalData, new Uint8Array(0), out, 0);
      expect(aead.open(nonce, additionalData, out)).toEqual(new Uint8Array(0));
    });

    it('opens into a fresh plain array of its own', () => {
      const input = sealed();
      const opened = crypto.aead(suite, key).open(nonce, additionalData, input) as Uint8Array;
      input.fill(0);
      expect(opened).toEqual(plaintext);
      expect(isPlain(opened) && isAlone(opened)).toBe(true);
    });

    it('takes Buffers and views at odd offsets', () => {
      const odd = (bytes: Uint8Array) => Buffer.concat([Buffer.of(0xff), bytes]).subarray(1);
      const aead = crypto.aead(suite, odd(key));
      const out = odd(new Uint8Array(plaintext.length + 16));
      aead.seal(odd(nonce), odd(additionalData), odd(plaintext), out, 0);
      expect(Uint8Array.from(out)).toEqual(sealed());
      expect(aead.open(odd(nonce), odd(additionalData), out)).toEqual(plaintext);
    });

    it('modifies no argument and keeps none', () => {
      const own = [key, nonce, additionalData, plaintext].map((bytes) => Uint8Array.from(bytes)) as [
        Uint8Array,
        Uint8Array,
        Uint8Array,
        Uint8Array,
      ];
      const aead = crypto.aead(suite, own[0]);
      const out = new Uint8Array(plaintext.length + 16);
      aead.seal(own[1], own[2], own[3], out, 0);
      expect(own).toEqual([key, nonce, additionalData, plaintext]);
      own[0].fill(0);
      const before = Uint8Array.from(out);
      expect(aead.open(nonce, additionalData, out)).toEqual(plaintext);
      expect(out).toEqual(before);
    });

    it('does not take another failure for a wrong tag', () => {
      const aead = crypto.aead(suite, key);
      const notBytes = 'sixteen or more characters' as unknown as Uint8Array;
      expect(failureOf(() => aead.open(nonce, additionalData, notBytes))).toBe(MISUSE);
    });

    it('refuses to seal or open with a wiped key, which may be wiped again', () => {
      const aead = crypto.aead(suite, key);
      const input = sealed();
      aead.wipe();
      aead.wipe();
      expect(
        failureOf(() => {
          aead.seal(nonce, additionalData, plaintext, new Uint8Array(64), 0);
        }),
      ).toBe(USE_AFTER_WIPE);
      expect(failureOf(() => aead.open(nonce, additionalData, input))).toBe(USE_AFTER_WIPE);
    });

    it("leaves the caller's key bytes alone when it wipes its own", () => {
      const own = Uint8Array.from(key);
      crypto.aead(suite, own).wipe();
      expect(own).toEqual(key);
    });
  });

  it('shows no key material where objects are printed', () => {
    const aead = crypto.aead('aes-256-gcm', key);
    const pair = crypto.keyPairFrom(key);
    const printed = [aead, { aead }, pair].map((object) =>
      [inspect(object, { showHidden: true, depth: 9 }), JSON.stringify(object)].join(' '),
    );
    for (const text of printed) {
      expect(text).not.toMatch(/160,\s*161,\s*162|a0\s?a1\s?a2/i);
      expect(text).not.toContain(Buffer.from(key).toString('base64url').slice(0, 12));
    }
  });

  it('computes the public key and the shared secret of RFC 7748 section 6.1', () => {
    const bob = crypto.keyPairFrom(fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'));
    const alice = fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(bob.publicKey).toEqual(fromHex('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    expect(bob.agree(alice)).toEqual(fromHex('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'));
  });

  it('makes a different key pair each time, in plain arrays of their own', () => {
    const pairs = Array.from({ length: 8 }, () => crypto.generateKeyPair());
    expect(new Set(pairs.map(({ publicKey }) => Buffer.from(publicKey).toString('hex'))).size).toBe(8);
    for (const { publicKey } of pairs)
      expect(publicKey.length === 32 && isPlain(publicKey) && isAlone(publicKey)).toBe(true);
  });

  it('does not keep the bytes that a key pair was made from', () => {
    const own = Uint8Array.from(key);
    const pair = crypto.keyPairFrom(own);
    own.fill(0);
    const peer = crypto.generateKeyPair();
    expect(pair.agree(peer.publicKey)).toEqual(peer.agree(pair.publicKey));
  });

  it.each([0, 31, 33, 56])('refuses X25519 keys of %d bytes', (length) => {
    expect(failureOf(() => crypto.keyPairFrom(new Uint8Array(length)))).toBe(MISUSE);
    expect(failureOf(() => crypto.generateKeyPair().agree(new Uint8Array(length)))).toBe(MISUSE);
  });

  it('refuses low-order points, also not canonical ones, with a fresh key pair', () => {
    const point = (first: number, middle: number, last: number) => {
      const bytes = new Uint8Array(32).fill(middle);
      bytes[0] = first;
      bytes[31] = last;
      return bytes;
    };
    const pair = crypto.generateKeyPair();
    const points = [
      point(0, 0, 0),
      point(1, 0, 0),
      point(0, 0, 0x80),
      point(0xec, 0xff, 0x7f),
      point(0xed, 0xff, 0x7f),
      point(0xee, 0xff, 0xff),
    ];
    expect(points.map((bytes) => failureOf(() => pair.agree(bytes)))).toEqual(points.map(() => LOW_ORDER));
  });

  it('does not take another failure for a low-order point', () => {
    const notBytes = 'thirty-two characters of no bytes' as unknown as Uint8Array;
    expect(failureOf(() => crypto.generateKeyPair().agree(notBytes.slice(0, 32)))).toBe(MISUSE);
  });

  it('gives HMAC, HKDF, X25519 and random bytes as plain arrays of their own', () => {
    const secrets = [
      crypto.hmacSha256(key, plaintext),
      crypto.hkdfSha256(key, nonce, additionalData, 64),
      crypto.generateKeyPair().agree(crypto.generateKeyPair().publicKey),
      crypto.randomBytes(32),
    ];
    expect(secrets.map((bytes) => bytes.length)).toEqual([32, 64, 32, 32]);
    expect(secrets.every((bytes) => isPlain(bytes) && isAlone(bytes))).toBe(true);
  });

  it.each([0, -1, 1.5, 8161, Number.NaN])('refuses to derive %d bytes', (length) => {
    expect(failureOf(() => crypto.hkdfSha256(key, nonce, additionalData, length))).toBe(MISUSE);
  });

  it.each([0, 1, 65_536, 65_537, 200_000])('draws %d random bytes, the last as random as the first', (length) => {
    const bytes = crypto.randomBytes(length);
    expect(bytes.length).toBe(length);
    // 200 zero bytes in a row do not happen by chance.
    if (length > 1) expect(bytes.subarray(-200).some((byte) => byte !== 0)).toBe(true);
  });

  it('says in a typed error that a length of random bytes is impossible', () => {
    expect(failureOf(() => crypto.randomBytes(-1))).toBe(MISUSE);
  });

  it('compares by content, and arrays of different lengths are never equal', () => {
    expect(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(2, 2))).toBe(false);
    expect(crypto.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
    expect(crypto.equal(new Uint8Array(0), new Uint8Array(0))).toBe(true);
  });
});
