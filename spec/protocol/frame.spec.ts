import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  crc16,
  CrcError,
  decodeFrame,
  encodeFrame,
  FrameError,
  isSealedType,
  MagicError,
  PacketType,
  packetTypeName,
  UsmpError,
  VersionError,
  type ErrorCode,
} from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { ALL_TYPES, payload, seq } from './arbitraries.js';
import { pattern } from './pair.js';

const valid = (): Uint8Array => encodeFrame(PacketType.PING, 0x0102_0304, pattern(40, 1));

/** A right frame with some bytes changed. */
const changed = (changes: Readonly<Record<number, number>>): Uint8Array => Object.assign(valid(), changes);

function thrownFor(bytes: Uint8Array): { errorClass: unknown; code: ErrorCode; origin: string } {
  try {
    decodeFrame(bytes);
  } catch (error) {
    if (error instanceof UsmpError) return { errorClass: error.constructor, code: error.code, origin: error.origin };
  }
  throw new Error('no UsmpError was thrown');
}

describe('frame codec', () => {
  it('decodes what it encodes: type, seq and payload', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ALL_TYPES), seq, payload, (type, number, content) => {
        const frame = decodeFrame(encodeFrame(type, number, content));
        expect([frame.type, frame.seq]).toEqual([type, number]);
        expect(Buffer.compare(frame.payload, content)).toBe(0);
        expect(frame.bytes).toHaveLength(12 + content.length);
      }),
    );
  });

  it('decodes without copying', () => {
    const bytes = valid();
    const frame = decodeFrame(bytes);
    expect(frame.bytes).toBe(bytes);
    expect(frame.payload.buffer).toBe(bytes.buffer);
    expect(frame.additionalData).toEqual(bytes.subarray(0, 10));
  });

  it('has a payload of 0 to 480 bytes', () => {
    expect(encodeFrame(PacketType.PING, 0, new Uint8Array(0))).toHaveLength(12);
    expect(encodeFrame(PacketType.DATA, 0, new Uint8Array(480))).toHaveLength(492);
    expect(failureOf(() => encodeFrame(PacketType.DATA, 0, new Uint8Array(481)))).toBe('FrameError FRAME_LENGTH local');
  });

  it.each([0, 1])('refuses a wrong magic byte %i', (at) => {
    for (const wrong of [0x00, 0xff, valid()[1 - at] as number]) {
      expect(thrownFor(changed({ [at]: wrong }))).toEqual({
        errorClass: MagicError,
        code: 'FRAME_MAGIC',
        origin: 'remote',
      });
    }
  });

  it('refuses every version but 2', () => {
    for (let version = 0; version < 256; version++) {
      if (version === 2) continue;
      expect(thrownFor(changed({ 2: version }))).toEqual({
        errorClass: VersionError,
        code: 'FRAME_VERSION',
        origin: 'remote',
      });
    }
  });

  it('refuses every type that section 2 does not name', () => {
    const known = new Set<number>([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
    for (let type = 0; type < 256; type++) {
      const { errorClass, code } = thrownFor(changed({ 3: type, 10: 0, 11: 0 }));
      expect([errorClass, code]).toEqual(known.has(type) ? [CrcError, 'FRAME_CRC'] : [FrameError, 'FRAME_TYPE']);
    }
  });

  it('refuses a whole frame with a payload of 481 bytes and a right CRC', () => {
    const bytes = new Uint8Array(12 + 481);
    bytes.set([0xcd, 0xab, 2, PacketType.DATA, 0, 0, 0, 0, 481 & 0xff, 481 >> 8]);
    const crc = crc16(bytes, 12, bytes.length, crc16(bytes, 0, 10));
    bytes.set([crc & 0xff, crc >> 8], 10);
    expect(failureOf(() => decodeFrame(bytes))).toBe('FrameError FRAME_LENGTH remote');
  });

  it('refuses an announced payload of more than 480 bytes', () => {
    for (const length of [481, 482, 0x8000, 0xffff]) {
      expect(failureOf(() => decodeFrame(changed({ 8: length & 0xff, 9: length >> 8 })))).toBe(
        'FrameError FRAME_LENGTH remote',
      );
    }
  });

  it('refuses a payload that is shorter or longer than announced', () => {
    for (const length of [0, 39, 41, 480]) {
      const { errorClass, code } = thrownFor(changed({ 8: length & 0xff, 9: length >> 8 }));
      expect([errorClass, code]).toEqual([FrameError, 'FRAME_LENGTH']);
    }
  });

  it('refuses every truncation', () => {
    for (let length = 0; length < valid().length; length++) {
      expect(failureOf(() => decodeFrame(valid().subarray(0, length)))).toBe('FrameError FRAME_LENGTH remote');
    }
  });

  it('refuses bytes after the end', () => {
    expect(failureOf(() => decodeFrame(Uint8Array.of(...valid(), 0)))).toBe('FrameError FRAME_LENGTH remote');
  });

  it('refuses a wrong CRC with CrcError, wherever a bit of what it covers is wrong', () => {
    for (const at of [4, 5, 6, 7, 10, 11, 12, 30, 51]) {
      for (let bit = 0; bit < 8; bit++) {
        const wrong = changed({ [at]: (valid()[at] as number) ^ (1 << bit) });
        expect(thrownFor(wrong)).toEqual({ errorClass: CrcError, code: 'FRAME_CRC', origin: 'remote' });
      }
    }
  });

  it('names the first wrong field where several are wrong', () => {
    const wrongs = { 0: 0, 2: 1, 3: 0x42, 8: 0xff, 9: 0xff };
    expect(thrownFor(changed(wrongs)).code).toBe('FRAME_MAGIC');
    expect(thrownFor(changed({ ...wrongs, 0: 0xcd })).code).toBe('FRAME_VERSION');
    expect(thrownFor(changed({ ...wrongs, 0: 0xcd, 2: 2 })).code).toBe('FRAME_TYPE');
    expect(thrownFor(changed({ ...wrongs, 0: 0xcd, 2: 2, 3: 6 })).code).toBe('FRAME_LENGTH');
  });

  it('throws nothing but FrameError for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(() => decodeFrame(bytes)).toThrow(FrameError);
      }),
    );
  });
});

describe('packet types', () => {
  it('are sealed from 5 on, but for HELLO_RETRY and ERROR', () => {
    expect(ALL_TYPES.filter(isSealedType)).toEqual([5, 6, 7, 8, 9, 11]);
  });

  it('are named in messages, unknown ones by their number', () => {
    expect(packetTypeName(0x0a)).toBe('HELLO_RETRY');
    expect(packetTypeName(0x0c)).toBe('0x0c');
  });
});
