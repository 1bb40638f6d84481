import { describe, expect, it } from '@jest/globals';
import { seededCrypto, testEnvironment, VirtualTime } from 'usmp-rx/testing';
import { nobleCrypto } from '../../src/crypto/noble.js';
import { nodeCrypto } from '../../src/crypto/node.js';
import { toHex } from '../../src/protocol/index.js';

const draw = (crypto = seededCrypto('seed')): string[] => [
  toHex(crypto.randomBytes(5)),
  toHex(crypto.generateKeyPair().publicKey),
  toHex(crypto.randomBytes(100)),
];

describe('seededCrypto', () => {
  it('draws the same for the same seed and calls, with either provider', () => {
    expect(draw()).toEqual(draw());
    expect(draw(seededCrypto('seed', nodeCrypto))).toEqual(draw(seededCrypto('seed', nobleCrypto)));
  });

  it('draws something else for another seed, and at every call', () => {
    expect(draw(seededCrypto('other'))).not.toEqual(draw());
    const crypto = seededCrypto(1);
    const drawn = Array.from({ length: 100 }, () => toHex(crypto.randomBytes(16)));
    expect(new Set(drawn).size).toBe(100);
  });

  it('gives as many bytes as are asked for', () => {
    const crypto = seededCrypto('seed');

    expect([0, 1, 31, 32, 33, 64, 1_000].map((length) => crypto.randomBytes(length).length)).toEqual([
      0, 1, 31, 32, 33, 64, 1_000,
    ]);
  });

  it('makes key pairs that agree', () => {
    const crypto = seededCrypto('seed', nodeCrypto);
    const [a, b] = [crypto.generateKeyPair(), nobleCrypto.generateKeyPair()];

    expect(a.agree(b.publicKey)).toEqual(b.agree(a.publicKey));
  });

  it('says by its name that it is not for production', () => {
    expect(seededCrypto('seed').name).toBe('seeded noble');
  });
});

describe('testEnvironment', () => {
  it('gives the same randomness each time, and a virtual time', () => {
    const [one, other] = [testEnvironment(), testEnvironment()];

    expect(one.crypto.randomBytes(16)).toEqual(other.crypto.randomBytes(16));
    expect(one.scheduler).toBeInstanceOf(VirtualTime);
    expect(one.scheduler).not.toBe(other.scheduler);
  });

  it('takes a seed, a scheduler and a provider', () => {
    const scheduler = new VirtualTime();
    const environment = testEnvironment({ seed: 7, scheduler, provider: nodeCrypto });

    expect(environment.scheduler).toBe(scheduler);
    expect(environment.crypto.name).toBe('seeded node');
    expect(environment.crypto.randomBytes(16)).not.toEqual(testEnvironment().crypto.randomBytes(16));
  });
});
