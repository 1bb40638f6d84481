import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeCommandFrame,
  decodeMessageFrame,
  encodeCommandFrame,
  encodeMessageFrame,
} from '../../src/bridge/payload-frame.js';
import { BridgeProtocolError } from '../../src/bridge/protocol.js';

const deviceId = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((id) => Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join(':'));
const id = fc.integer({ min: 0, max: 0xffff_ffff });
const payload = fc.uint8Array({ maxLength: 1_808 });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a binary frame', () => {
  it('is laid out as docs/bridge.md says', () => {
    const device = '00:11:22:33:44:55';
    const bytes = Uint8Array.of(0xaa, 0xbb);

    expect(hex(encodeMessageFrame({ id: 7, deviceId: device, atMs: 1.5, payload: bytes }))).toBe(
      '01' + '07000000' + '001122334455' + '000000000000f83f' + 'aabb',
    );
    expect(hex(encodeCommandFrame({ id: 0x01020304, deviceId: device, payload: bytes }))).toBe(
      '02' + '04030201' + '001122334455' + 'aabb',
    );
  });

  it('comes back as it was encoded, wherever it lies in a buffer', () => {
    const within = (frame: Uint8Array, before: number): Uint8Array => {
      const buffer = Buffer.alloc(before + frame.length + 3, 0xff);
      buffer.set(frame, before);
      return buffer.subarray(before, before + frame.length);
    };
    const message = fc.record({ id, deviceId, atMs: fc.double({ min: 0, noNaN: true }), payload });
    fc.assert(
      fc.property(message, fc.nat(9), (frame, before) => {
        const decoded = decodeMessageFrame(within(encodeMessageFrame(frame), before));
        expect({ ...decoded, payload: hex(decoded.payload) }).toEqual({ ...frame, payload: hex(frame.payload) });
      }),
    );
    fc.assert(
      fc.property(fc.record({ id, deviceId, payload }), fc.nat(9), (frame, before) => {
        const decoded = decodeCommandFrame(within(encodeCommandFrame(frame), before));
        expect({ ...decoded, payload: hex(decoded.payload) }).toEqual({ ...frame, payload: hex(frame.payload) });
      }),
    );
  });

  it('is refused with a typed error where it is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        for (const [decode, kind, headerBytes] of [
          [decodeMessageFrame, 1, 19],
          [decodeCommandFrame, 2, 11],
        ] as const) {
          if (bytes[0] === kind && bytes.length >= headerBytes) expect(() => decode(bytes)).not.toThrow();
          else expect(() => decode(bytes)).toThrow(BridgeProtocolError);
        }
      }),
    );
  });

  it('with a message of more than 1808 bytes is refused; a command as long is for the session to refuse', () => {
    const device = '00:11:22:33:44:55';
    const tooLong = new Uint8Array(1_809);

    expect(() =>
      decodeMessageFrame(encodeMessageFrame({ id: 1, deviceId: device, atMs: 0, payload: tooLong })),
    ).toThrow('too long');
    expect(decodeCommandFrame(encodeCommandFrame({ id: 1, deviceId: device, payload: tooLong }))).toMatchObject({
      id: 1,
    });
  });
});
