import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CookieMint, type CookieBinding, type CryptoProvider } from '../../../src/protocol/index.js';
import { leaksOf } from '../leaks.js';
import { pattern } from '../pair.js';
import { anyCrypto, PROVIDERS } from '../providers.js';

/** The start of a bucket of 30 s. */
const START_MS = 1_800_000_000_000;

const BINDING: CookieBinding = {
  address: '192.0.2.7',
  port: 40_000,
  deviceId: pattern(6, 1),
  clientPublicKey: pattern(32, 2),
};

/** A binding whose parts are `bytes` one after the other. */
function divided(bytes: Uint8Array, addressBytes: number, deviceIdBytes: number): CookieBinding {
  const [portAt, deviceIdAt] = [addressBytes, addressBytes + 4];
  return {
    address: String.fromCharCode(...bytes.subarray(0, portAt)),
    port: new DataView(bytes.buffer).getUint32(portAt, true),
    deviceId: bytes.subarray(deviceIdAt, deviceIdAt + deviceIdBytes),
    clientPublicKey: bytes.subarray(deviceIdAt + deviceIdBytes),
  };
}

/** Notes down all random bytes that are drawn. */
function drawing(drawn: Uint8Array[]): CryptoProvider {
  return {
    ...anyCrypto,
    randomBytes(length) {
      const bytes = anyCrypto.randomBytes(length);
      drawn.push(Uint8Array.from(bytes));
      return bytes;
    },
  };
}

describe('the cookie', () => {
  let drawn: Uint8Array[];
  let mint: CookieMint;

  beforeEach(() => {
    drawn = [];
    mint = new CookieMint(drawing(drawn));
  });

  describe.each(PROVIDERS)('with the provider %s', (_provider, crypto) => {
    it('is 16 bytes and accepted for what it was minted for', () => {
      const own = new CookieMint(crypto);
      const cookie = own.mint(BINDING, START_MS);
      expect(cookie).toHaveLength(16);
      expect(own.accepts(cookie, { ...BINDING }, START_MS)).toBe(true);
    });
  });

  it.each([
    ['address', { address: '192.0.2.8' }],
    ['address, an IPv6 one', { address: '2001:db8::7' }],
    ['port', { port: 40_001 }],
    ['device id', { deviceId: pattern(6, 3) }],
    ['client key', { clientPublicKey: pattern(32, 4) }],
  ])('is accepted for no other %s', (_part, other: Partial<CookieBinding>) => {
    const cookie = mint.mint(BINDING, START_MS);
    expect(mint.accepts(cookie, { ...BINDING, ...other }, START_MS)).toBe(false);
    expect(mint.accepts(cookie, BINDING, START_MS)).toBe(true);
  });

  it('is accepted for one binding only, though the parts of another be the same bytes, divided elsewhere', () => {
    const cut = fc.tuple(fc.nat(8), fc.nat(8));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20, max: 3 }), cut, cut, (bytes, one, two) => {
        const cookie = mint.mint(divided(bytes, ...one), START_MS);
        expect(mint.accepts(cookie, divided(bytes, ...two), START_MS)).toBe(one.join() === two.join());
      }),
    );
  });

  it('tells fe80::1%eth0 from fe80::1', () => {
    const binding = { ...BINDING, address: 'fe80::1%eth0' };
    const cookie = mint.mint(binding, START_MS);
    expect(mint.accepts(cookie, binding, START_MS)).toBe(true);
    expect(mint.accepts(cookie, { ...binding, address: 'fe80::1' }, START_MS)).toBe(false);
  });

  it('is accepted with every bit right and no other length', () => {
    const cookie = mint.mint(BINDING, START_MS);
    for (let bit = 0; bit < 128; bit++) {
      const wrong = Uint8Array.from(cookie);
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      expect(mint.accepts(wrong, BINDING, START_MS)).toBe(false);
    }
    for (const wrong of [cookie.slice(0, 0), cookie.slice(0, 15), Uint8Array.of(...cookie, 0)]) {
      expect(mint.accepts(wrong, BINDING, START_MS)).toBe(false);
    }
  });

  it('is accepted in its bucket of 30 s and in the next, then never again', () => {
    const cookie = mint.mint(BINDING, START_MS);
    for (const afterMs of [0, 29_999, 30_000, 59_999]) {
      expect(mint.accepts(cookie, BINDING, START_MS + afterMs)).toBe(true);
    }
    for (const afterMs of [60_000, 60_001, 89_999, 90_000, 1e9]) {
      expect(mint.accepts(cookie, BINDING, START_MS + afterMs)).toBe(false);
    }
  });

  it.each([60_000, 90_000, 3_600_000])('is not accepted %i ms later, though nobody came in between', (afterMs) => {
    const cookie = mint.mint(BINDING, START_MS);
    expect(mint.accepts(cookie, BINDING, START_MS + afterMs)).toBe(false);
  });

  it('is the same within a bucket, and another in each, under a fresh secret', () => {
    const atMs = [0, 1, 29_999, 30_000, 60_000, 120_000];
    const cookies = atMs.map((afterMs) => toText(mint.mint(BINDING, START_MS + afterMs)));
    expect(new Set(cookies.slice(0, 3)).size).toBe(1);
    expect(new Set(cookies).size).toBe(4);
    expect(drawn.map(({ length }) => length)).toEqual([32, 32, 32, 32]);
  });

  it('keeps nothing of a peer, and draws random bytes by time, not by peers', () => {
    expect(drawn).toHaveLength(0);
    for (let port = 0; port < 1_000; port++) {
      const cookie = mint.mint({ ...BINDING, port }, START_MS);
      expect(mint.accepts(cookie, { ...BINDING, port }, START_MS)).toBe(true);
    }
    expect(drawn).toHaveLength(1);
  });

  it('is nobody else’s: another mint does not accept it', () => {
    const cookie = mint.mint(BINDING, START_MS);
    expect(new CookieMint(anyCrypto).accepts(cookie, BINDING, START_MS)).toBe(false);
  });

  it('survives a clock that is set back: cookies of just before are accepted, and old ones do not come back to life', () => {
    const ancient = mint.mint(BINDING, START_MS);
    const recent = mint.mint(BINDING, START_MS + 3_600_000);
    expect(mint.accepts(recent, BINDING, START_MS + 10_000)).toBe(true);
    expect(mint.accepts(ancient, BINDING, START_MS + 10_000)).toBe(false);
    const fresh = mint.mint(BINDING, START_MS + 10_000);
    expect(mint.accepts(fresh, BINDING, START_MS + 40_000)).toBe(true);
    expect(mint.accepts(recent, BINDING, START_MS + 40_000)).toBe(false);
    const last = mint.mint(BINDING, START_MS + 40_000);
    expect(mint.accepts(last, BINDING, -1)).toBe(true);
  });

  it('shows its secrets nowhere', () => {
    mint.mint(BINDING, START_MS);
    mint.mint(BINDING, START_MS + 30_000);
    expect(drawn).toHaveLength(2);
    for (const secret of drawn) expect(leaksOf(secret, mint)).toEqual([]);
  });
});

const toText = (bytes: Uint8Array): string => bytes.join();
