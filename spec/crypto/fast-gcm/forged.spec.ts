import { describe, expect, it } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { FrameDecoder } from '../../../src/protocol/frame-decoder.js';
import { writeCrc } from '../../../src/protocol/frame.js';
import { isDataType } from '../../../src/protocol/packet-type.js';
import { FrameOpener, sealedFrameBytes } from '../../../src/protocol/sealed-frame.js';
import { burstOf, bytesOf, dice, forgeBit, randomLengths, type Burst } from './burst.js';

const key = bytesOf(1, 32);
const aead = new BatchedGcm(new GcmKernel(), key);

const hex = (plaintexts: readonly Uint8Array[]) => plaintexts.map((one) => Buffer.from(one).toString('hex'));

const openedBy = (bytes: Uint8Array, { starts, firstSeq, sessionId }: Burst): string[] =>
  hex(aead.openFrames(bytes, starts[0]!, firstSeq, sessionId).map(({ plaintext }) => plaintext));

/** The data frames that come out one by one, with node:crypto, before anything that is not one or not right. */
function openedOneByOne(bytes: Uint8Array, { starts, firstSeq, sessionId }: Burst): string[] {
  const decoder = new FrameDecoder();
  const opener = new FrameOpener(nodeCrypto.aead('aes-256-gcm', key), sessionId, firstSeq);
  decoder.push(bytes.subarray(starts[0]));
  const opened: Uint8Array[] = [];
  try {
    for (let frame = decoder.next(); frame && isDataType(frame.type); frame = decoder.next()) {
      opened.push(opener.open(frame));
    }
  } catch {
    // What is wrong is told elsewhere.
  }
  return hex(opened);
}

describe('a forged frame', () => {
  it.each([
    ['few', 3, 1],
    ['many', 40, 33],
  ])(
    'among %s is refused for every single flipped bit though its CRC is right, with all behind it',
    (_, count, forged) => {
      const lengths = Array.from({ length: count }, (__, n) => (n === forged ? 64 : 17 + (n % 20)));
      const burst = burstOf(key, 9, lengths);
      const whole = hex(burst.plaintexts);
      expect(openedBy(burst.sealed, burst)).toEqual(whole);
      const wrong: number[] = [];
      for (let bit = 0; bit < 8 * sealedFrameBytes(64); bit++) {
        // The CRC itself is not authenticated.
        if (bit >= 80 && bit < 96) continue;
        const bytes = forgeBit(burst, forged, bit);
        const before = Uint8Array.from(bytes);
        const opened = openedBy(bytes, burst);
        if (opened.length !== forged || opened.some((one, n) => one !== whole[n])) wrong.push(bit);
        expect(Buffer.compare(bytes, before)).toBe(0);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('is refused for every single flipped bit where its CRC is wrong', () => {
    const burst = burstOf(key, 10, [33]);
    const accepted: number[] = [];
    for (let bit = 0; bit < 8 * sealedFrameBytes(33); bit++) {
      const bytes = Uint8Array.from(burst.sealed);
      bytes[burst.starts[0]! + (bit >>> 3)]! ^= 1 << (bit & 7);
      if (openedBy(bytes, burst).length > 0) accepted.push(bit);
    }
    expect(accepted).toEqual([]);
  });

  it('leaves nothing but what comes out one by one, whatever was done to the frames', () => {
    const roll = dice(11);
    let whole = 0;
    for (let run = 0; run < 2_000; run++) {
      const burst = burstOf(key, run, randomLengths(1 + roll(40), roll, roll(4) === 0 ? 452 : 30));
      const { starts, end } = burst;
      let bytes = Uint8Array.from(burst.sealed);
      const frame = roll(starts.length);
      const [at, next] = [starts[frame]!, starts[frame + 1] ?? end];
      switch (roll(6)) {
        case 0:
          bytes[at + roll(12)] = roll(256);
          break;
        case 1:
          bytes[at + roll(12)] = roll(256);
          writeCrc(bytes, at, next - at - 12);
          break;
        case 2:
          bytes = bytes.subarray(0, starts[0]! + roll(end - starts[0]! + 1));
          break;
        case 3:
          // One frame twice, the rest behind it.
          bytes = Uint8Array.from([...bytes.subarray(0, next), ...bytes.subarray(at)]);
          break;
        case 4:
          // One frame is lost.
          bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(next)]);
          break;
      }
      const opened = openedBy(bytes, burst);
      expect(opened).toEqual(openedOneByOne(bytes, burst));
      if (opened.length === starts.length) whole++;
    }
    // Some were not changed, or behind their end.
    expect(whole).toBeGreaterThan(200);
  });

  it.each([
    ['another number than the expected one', { firstSeq: 12 }],
    ['the nonce of another session', { sessionId: bytesOf(1, 16) }],
  ])('has, where it is not the next one of this session, %s, and nothing is opened', (_, other) => {
    const burst = burstOf(key, 11, [20, 30]);
    expect(openedBy(burst.sealed, { ...burst, ...other })).toEqual([]);
  });
});

describe('a forged text', () => {
  it('is refused for every single flipped bit', () => {
    const [nonce, additionalData, sealed] = [bytesOf(10, 12), bytesOf(11, 10), new Uint8Array(64 + 16)];
    aead.seal(nonce, additionalData, bytesOf(12, 64), sealed, 0);
    const accepted: number[] = [];
    let bits = 0;
    for (const part of [nonce, additionalData, sealed]) {
      for (let bit = 0; bit < 8 * part.length; bit++, bits++) {
        part[bit >>> 3]! ^= 1 << (bit & 7);
        if (aead.open(nonce, additionalData, sealed) !== undefined) accepted.push(bits);
        part[bit >>> 3]! ^= 1 << (bit & 7);
      }
    }
    expect(bits).toBe(8 * (12 + 10 + 80));
    expect(accepted).toEqual([]);
    expect(aead.open(nonce, additionalData, sealed)).toEqual(bytesOf(12, 64));
  });

  it('is refused where only its lengths were moved between additional data and text', () => {
    const [nonce, whole, sealed] = [bytesOf(13, 12), bytesOf(14, 48), new Uint8Array(48)];
    aead.seal(nonce, whole.subarray(0, 16), whole.subarray(16), sealed, 0);
    const moved = Uint8Array.from([...whole.subarray(0, 16), ...sealed]);
    const open = (additionalDataBytes: number) =>
      aead.open(nonce, moved.subarray(0, additionalDataBytes), moved.subarray(additionalDataBytes));
    expect(open(16)).toEqual(whole.subarray(16));
    expect([open(0), open(15), open(17), open(32)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
