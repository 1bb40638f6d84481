import { describe, expect, it } from '@jest/globals';
import { formatDeviceId, normalizeDeviceId, parseDeviceId } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { DEVICE_ID } from './pair.js';

describe('a device id', () => {
  it('is shown as lower-case hex with colons', () => {
    expect(formatDeviceId(Uint8Array.of(0x00, 0x0a, 0xff, 0xab, 0x10, 0x01))).toBe('00:0a:ff:ab:10:01');
  });

  it('is 6 bytes, or text in either case', () => {
    expect(normalizeDeviceId(DEVICE_ID)).toBe('00:11:22:33:44:55');
    expect(normalizeDeviceId('AA:bb:Cc:00:11:22')).toBe('aa:bb:cc:00:11:22');
    expect(parseDeviceId('00:11:22:33:44:55')).toEqual(DEVICE_ID);
    expect(parseDeviceId(Buffer.from(DEVICE_ID))).toEqual(DEVICE_ID);
  });

  const circular: { self?: unknown } = {};
  circular.self = circular;
  it.each([
    ['5 bytes', DEVICE_ID.subarray(1)],
    ['7 bytes', new Uint8Array(7)],
    ['""', ''],
    ['"001122334455"', '001122334455'],
    ['"00:11:22:33"', '00:11:22:33'],
    ['a text of 17 characters', '00-11-22-33-44-55'],
    ['a text of 17 characters', '00:11:22:33:44:5g'],
    ['a text of 20 characters', '00:11:22:33:44:55:66'],
    ['a text of 18 characters', '00:11:22:33:44:55\n'],
    ['undefined', undefined],
    ['null', null],
    ['number', 42],
    ['bigint', 42n],
    ['object', circular],
    ['object', [0, 1, 2, 3, 4, 5]],
  ])('is not %s', (got, input) => {
    for (const parse of [normalizeDeviceId, parseDeviceId]) {
      expect(failureOf(() => parse(input))).toBe('ConfigError CONFIG_DEVICE_ID local');
      expect(() => parse(input)).toThrow(`device id: expected 6 bytes or text like 00:11:22:33:44:55, got ${got}`);
    }
  });

  it('does not show what could be a PSK given in its place', () => {
    const psk = 'correct horse battery staple';
    for (const input of [psk, psk.slice(0, 16), { psk }, [psk], new TextEncoder().encode(psk)]) {
      expect(messageOf(() => parseDeviceId(input))).not.toContain(psk.slice(0, 16));
    }
    expect(messageOf(() => parseDeviceId('correct horse'))).toContain('"correct horse"');
  });

  function messageOf(run: () => unknown): string {
    try {
      run();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('nothing was thrown');
  }
});
