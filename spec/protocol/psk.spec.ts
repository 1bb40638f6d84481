import { describe, expect, it } from '@jest/globals';
import { ConfigError, generatePsk, isLowEntropyPsk, parsePsk, Secret } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { pattern } from './pair.js';
import { PROVIDERS } from './providers.js';

const secret = (text: string): Secret => parsePsk(text);

describe('a PSK', () => {
  it('is any bytes, at least 16', () => {
    for (const length of [16, 17, 32, 1_000]) expect(parsePsk(pattern(length, 1)).expose()).toEqual(pattern(length, 1));
    expect(parsePsk(Buffer.alloc(16, 7)).expose()).toEqual(new Uint8Array(16).fill(7));
  });

  it('is copied, so that the caller may wipe its own', () => {
    const bytes = pattern(32, 1);
    const psk = parsePsk(bytes);
    bytes.fill(0);
    expect(psk.expose()).toEqual(pattern(32, 1));
  });

  it('as a text means its UTF-8 bytes', () => {
    expect(parsePsk('0123456789abcdef').expose()).toEqual(new TextEncoder().encode('0123456789abcdef'));
    expect(parsePsk('ü'.repeat(8)).expose()).toHaveLength(16);
  });

  it.each([
    ['no bytes', new Uint8Array(0)],
    ['15 bytes', pattern(15, 1)],
    ['no text', ''],
    ['15 characters', 'fifteen letters'],
  ])('of %s is refused, and the message says the way out', (_what, input) => {
    expect(failureOf(() => parsePsk(input))).toBe('ConfigError CONFIG_PSK local');
    expect(() => parsePsk(input)).toThrow(
      `psk: got ${input.length} bytes, at least 16 are needed; generatePsk() makes a good one`,
    );
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['number', 1234567890123456],
    ['object', { psk: 'a secret in an object' }],
    ['object', [...pattern(32, 1)]],
    ['object', pattern(32, 1).buffer],
    ['function', () => 'a secret'],
  ])('of the wrong type (%s) is refused with what is expected', (type, input) => {
    expect(failureOf(() => parsePsk(input))).toBe('ConfigError CONFIG_PSK local');
    expect(() => parsePsk(input, 'psks["00:11:22:33:44:55"]')).toThrow(
      new ConfigError('CONFIG_PSK', `psks["00:11:22:33:44:55"]: expected a Uint8Array or a string, got ${type}`),
    );
  });

  it('that can be guessed is noticed: few different bytes', () => {
    for (const weak of ['aaaaaaaaaaaaaaaa', '1234567812345678', 'abababababababababababababababab']) {
      expect(isLowEntropyPsk(secret(weak))).toBe(true);
    }
    expect(isLowEntropyPsk(new Secret(new Uint8Array(32)))).toBe(true);
  });

  it('of 10 different bytes is not taken for weak, one of 9 is', () => {
    expect(isLowEntropyPsk(new Secret(Uint8Array.from({ length: 64 }, (_, i) => i % 10)))).toBe(false);
    expect(isLowEntropyPsk(new Secret(Uint8Array.from({ length: 64 }, (_, i) => i % 9)))).toBe(true);
  });
});

describe.each(PROVIDERS)('generatePsk with the provider %s', (_provider, crypto) => {
  it('gives 64 hexadecimal digits that pass as a good PSK, new ones every time', () => {
    const generated = Array.from({ length: 50 }, () => generatePsk(crypto));
    for (const psk of generated) {
      expect(psk).toMatch(/^[0-9a-f]{64}$/);
      expect(isLowEntropyPsk(parsePsk(psk))).toBe(false);
    }
    expect(new Set(generated).size).toBe(50);
  });

  it('spells out the random bytes of the provider', () => {
    expect(generatePsk({ ...crypto, randomBytes: (length) => new Uint8Array(length).fill(0x0f) })).toBe(
      '0f'.repeat(32),
    );
  });
});
