import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc16 } from '../../src/protocol/index.js';

/** The definition of protocol.md section 1, bit by bit. */
function bitwise(bytes: Uint8Array, crc = 0xffff): number {
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}

const anyBytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' });

describe('CRC-16', () => {
  it('has the check value of MODBUS', () => {
    expect(crc16(new TextEncoder().encode('123456789'))).toBe(0x4b37);
  });

  it('is 0xFFFF for no bytes', () => {
    expect(crc16(new Uint8Array(0))).toBe(0xffff);
  });

  it('is what the bitwise definition gives, for any bytes', () => {
    fc.assert(fc.property(anyBytes(600), (bytes) => crc16(bytes) === bitwise(bytes)));
  });

  it('is what the bitwise definition gives, for every length of 0 to 600 bytes, at any place, after any part', () => {
    const bytes = Uint8Array.from({ length: 700 }, (_, at) => (at * at * 167 + at * 13) >>> 3);
    const within = new Uint8Array(bytes.buffer, 3);
    for (let length = 0; length <= 600; length++) {
      const start = (length * 7) % 90;
      const crc = (length * 40_503) & 0xffff;
      expect(crc16(bytes, start, start + length, crc)).toBe(bitwise(bytes.subarray(start, start + length), crc));
      expect(crc16(within, start, start + length)).toBe(bitwise(within.subarray(start, start + length)));
    }
  });

  it('tells any one wrong bit of a frame', () => {
    const bytes = Uint8Array.from({ length: 492 }, (_, at) => at * 31);
    const right = crc16(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      expect(crc16(bytes)).not.toBe(right);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  });

  it('is the same however the bytes are split into parts', () => {
    const splitBytes = fc.tuple(anyBytes(600), fc.array(fc.nat(600), { maxLength: 5 }));
    fc.assert(
      fc.property(splitBytes, ([bytes, cuts]) => {
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
        const crc = ends.reduce((part, end, i) => crc16(bytes, ends[i - 1] ?? 0, end, part), 0xffff);
        expect(crc).toBe(bitwise(bytes));
      }),
    );
  });

  it('covers exactly the bytes from start to end', () => {
    const bytes = Uint8Array.from({ length: 40 }, (_, at) => at * 7);
    for (let start = 0; start <= 12; start++) {
      for (let end = start; end <= 40; end++)
        expect(crc16(bytes, start, end)).toBe(bitwise(bytes.subarray(start, end)));
    }
  });
});
