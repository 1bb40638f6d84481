import { createCipheriv, type Cipher } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import type { OpenedFrame } from '../../../src/protocol/reassembly.js';
import { sealedFrameBytes } from '../../../src/protocol/sealed-frame.js';
import { failureOf, MISUSE, USE_AFTER_WIPE } from '../failure-of.js';
import { burstOf, bytesOf, dice, randomLengths, type Burst } from './burst.js';

const kernel = new GcmKernel();
const key = bytesOf(1, 32);
const aead = new BatchedGcm(kernel, key);

/** Compared as Buffers: `toEqual` takes its time for long arrays. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/** All frames of a burst, in as many calls as it takes. */
function openAll(gcm: BatchedGcm, { sealed, starts, sessionId, firstSeq }: Burst): OpenedFrame[] {
  const opened: OpenedFrame[] = [];
  while (opened.length < starts.length) {
    const some = gcm.openFrames(sealed, starts[opened.length]!, firstSeq + opened.length, sessionId);
    if (some.length === 0) break;
    opened.push(...some);
  }
  return opened;
}

function expectAgreement(gcm: BatchedGcm, burst: Burst): void {
  const { staged, sealed, plaintexts, starts, end } = burst;
  const bytes = Uint8Array.from(staged);
  gcm.sealFrames(bytes, starts[0]!, end);
  expect(isSame(bytes, sealed)).toBe(true);
  const opened = openAll(gcm, burst);
  expect(isSame(bytes, sealed)).toBe(true);
  expect(opened.map(({ type, plaintext }) => [type, Buffer.from(plaintext).toString('hex')])).toEqual(
    plaintexts.map((plaintext, n) => [n % 3 === 2 ? 0x09 : 0x05, Buffer.from(plaintext).toString('hex')]),
  );
}

describe('frames sealed and opened together', () => {
  it('agree with node:crypto for every length of 0 to 452 bytes, few at a time and many at a time', () => {
    for (const count of [2, 16, 31, 32, 50]) {
      for (let first = 0; first <= 452; first += count) {
        const lengths = Array.from({ length: count }, (_, n) => Math.min(452, first + n));
        expectAgreement(aead, burstOf(key, first, lengths));
      }
    }
  });

  it('agree with node:crypto for bursts of 1 to 80 frames of mixed lengths at odd places', () => {
    const roll = dice(3);
    for (let count = 1; count <= 80; count++) expectAgreement(aead, burstOf(key, count, randomLengths(count, roll)));
  });

  it('agree with node:crypto for long bursts of two keys in turns, of frames that grow longer and shorter', () => {
    const other = bytesOf(2, 32);
    const otherAead = new BatchedGcm(kernel, other);
    const roll = dice(5);
    for (const longest of [10, 452, 60, 300, 0, 452]) {
      expectAgreement(aead, burstOf(key, longest, randomLengths(40, roll, longest)));
      expectAgreement(otherAead, burstOf(other, longest, randomLengths(35, roll, longest)));
      expectAgreement(aead, burstOf(key, longest + 1, randomLengths(3, roll)));
    }
  });

  it('may be more than are taken in at once', () => {
    const empty = Array.from({ length: 9_000 }, () => 0);
    const many = Array.from({ length: 1_000 }, (_, n) => 300 + (n % 7));
    for (const lengths of [empty, many]) expectAgreement(aead, burstOf(key, 5, lengths));
  });

  it('count up to the last number that there is, and no further', () => {
    const burst = burstOf(key, 6, [20, 30], 0xffff_fffd);
    expectAgreement(aead, burst);
    const { sealed, starts, sessionId } = burst;
    // The first bytes of the second frame say that it has the number that is never used.
    const moved = Uint8Array.from(sealed);
    for (const at of [4, 12]) moved[starts[1]! + at] = 0xff;
    expect(aead.openFrames(moved, starts[1]!, 0xffff_ffff, sessionId)).toEqual([]);
  });

  it('are opened into plain arrays of their own', () => {
    for (const { plaintext } of openAll(aead, burstOf(key, 6, randomLengths(10, dice(6))))) {
      expect(Object.getPrototypeOf(plaintext)).toBe(Uint8Array.prototype);
      expect(plaintext.buffer.byteLength).toBe(plaintext.length);
    }
  });

  it('are opened out of a Buffer too', () => {
    const burst = burstOf(key, 6, [100, 0, 3]);
    expect(openAll(aead, { ...burst, sealed: Buffer.from(burst.sealed) })).toEqual(openAll(aead, burst));
  });

  it('are at most 32 KiB when they are opened: what waits to be consumed is bounded', () => {
    const { sealed, starts, sessionId } = burstOf(key, 0, Array<number>(200).fill(452));
    expect(aead.openFrames(sealed, starts[0]!, 0, sessionId)).toHaveLength(Math.floor((32 * 1024) / 492));
  });

  it('may be none', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    aead.sealFrames(bytes, 1, 1);
    expect(aead.openFrames(bytes, 0, 0, new Uint8Array(16))).toEqual([]);
    expect(aead.openFrames(bytes, 3, 0, new Uint8Array(16))).toEqual([]);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('are refused where they do not lie within the array', () => {
    const { staged, starts, end } = burstOf(key, 9, [40]);
    const before = Uint8Array.from(staged);
    for (const [from, to] of [
      [starts[0]!, staged.length + 1],
      [-1, end],
    ] as const) {
      expect(
        failureOf(() => {
          aead.sealFrames(staged, from, to);
        }),
      ).toBe(MISUSE);
    }
    expect(staged).toEqual(before);
    expect(aead.openFrames(staged, staged.length + 100, 0, new Uint8Array(16))).toEqual([]);
  });

  it.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['without room for nonce and tag', (bytes: Uint8Array) => bytes.fill(27, 8, 9)],
    ['longer than a frame may be', (bytes: Uint8Array) => bytes.fill(0xe1, 8, 9).fill(1, 9, 10)],
  ])('are refused where one is %s, and left as they are', (_, spoil) => {
    const { staged, starts, end } = burstOf(key, 9, [40]);
    const bytes = spoil(staged.slice(starts[0], end));
    const before = Uint8Array.from(bytes);
    expect(
      failureOf(() => {
        aead.sealFrames(bytes, 0, bytes.length);
      }),
    ).toBe(MISUSE);
    expect(bytes).toEqual(before);
  });

  it('are refused after the key was wiped', () => {
    const wiped = new BatchedGcm(kernel, key);
    const { staged, sealed, starts, end, sessionId } = burstOf(key, 8, [3, 40, 300]);
    wiped.sealFrames(Uint8Array.from(staged), starts[0]!, end);
    wiped.wipe();
    const bytes = Uint8Array.from(staged);
    expect(
      failureOf(() => {
        wiped.sealFrames(bytes, starts[0]!, end);
      }),
    ).toBe(USE_AFTER_WIPE);
    expect(bytes).toEqual(staged);
    expect(failureOf(() => wiped.openFrames(sealed, starts[0]!, 8, sessionId))).toBe(USE_AFTER_WIPE);
  });
});

describe('AES-256-GCM of one text', () => {
  it('agrees with node:crypto for every length of 0 to 500 bytes and of 0 to 80 bytes of additional data', () => {
    const plain = nodeCrypto.aead('aes-256-gcm', key);
    for (let length = 0; length <= 500; length++) {
      const [nonce, additionalData, plaintext] = [
        bytesOf(length, 12),
        bytesOf(length, length % 81),
        bytesOf(length, length),
      ];
      const [byNode, byKernel] = [new Uint8Array(length + 16), new Uint8Array(length + 19)];
      plain.seal(nonce, additionalData, plaintext, byNode, 0);
      aead.seal(nonce, additionalData, plaintext, byKernel, 3);
      expect(isSame(byNode, byKernel.subarray(3))).toBe(true);
      expect(aead.open(nonce, additionalData, byNode)).toEqual(plaintext);
    }
  });

  it('agrees with node:crypto around each multiple of what is hashed at once', () => {
    const plain = nodeCrypto.aead('aes-256-gcm', key);
    const lengths = [29, 30, 31, 32, 33, 62, 63, 64, 65, 6000].flatMap((n) => [16 * n - 1, 16 * n, 16 * n + 1]);
    for (const length of lengths) {
      const [nonce, additionalData, plaintext] = [bytesOf(length, 12), bytesOf(length, 10), bytesOf(length, length)];
      const [byNode, byKernel] = [new Uint8Array(length + 16), new Uint8Array(length + 16)];
      plain.seal(nonce, additionalData, plaintext, byNode, 0);
      aead.seal(nonce, additionalData, plaintext, byKernel, 0);
      expect(isSame(byNode, byKernel)).toBe(true);
      expect(isSame(aead.open(nonce, additionalData, byNode)!, plaintext)).toBe(true);
    }
  });

  it('agrees with node:crypto whatever nonces and lengths follow each other, with frames in between', () => {
    const roll = dice(4);
    const plain = nodeCrypto.aead('aes-256-gcm', key);
    const [sealing, opening] = [new BatchedGcm(kernel, key), new BatchedGcm(kernel, key)];
    const nonce = Buffer.from(bytesOf(5, 12));
    // Counts over the end of its four bytes too.
    let seq = 2 ** 32 - 300;
    for (let text = 0; text < 3000; text++) {
      if (roll(20) > 0) seq = (seq + 1) >>> 0;
      else if (roll(3) === 0) seq = roll(400);
      else if (roll(2) === 0) nonce[4 + roll(8)]! ^= 1;
      nonce.writeUInt32LE(seq);
      const [additionalData, plaintext] = [bytesOf(text, roll(41)), bytesOf(text, roll(4) === 0 ? roll(2500) : 60)];
      const [expected, sealed] = [new Uint8Array(plaintext.length + 16), new Uint8Array(plaintext.length + 16)];
      plain.seal(nonce, additionalData, plaintext, expected, 0);
      sealing.seal(nonce, additionalData, plaintext, sealed, 0);
      expect(isSame(sealed, expected)).toBe(true);
      if (roll(10) === 0) {
        sealed[roll(sealed.length)]! ^= 1;
        expect(opening.open(nonce, additionalData, sealed)).toBeUndefined();
      }
      expect(isSame(opening.open(nonce, additionalData, expected)!, plaintext)).toBe(true);
      if (roll(30) === 0) {
        const lengths = randomLengths(roll(5) === 0 ? 33 : 1 + roll(2), roll);
        expectAgreement(roll(2) === 0 ? sealing : opening, burstOf(key, text, lengths));
      }
    }
  });

  it('takes one call of AES for several texts or frames that come alone, where their nonces count up', () => {
    const update = jest.spyOn(Object.getPrototypeOf(createCipheriv('aes-256-ecb', key, null)) as Cipher, 'update');
    try {
      const [texts, frames] = [new BatchedGcm(kernel, key), new BatchedGcm(kernel, key)];
      const [nonce, out] = [new Uint8Array(12), new Uint8Array(468)];
      for (let text = 0; text < 41; text++) {
        nonce[0] = text;
        texts.seal(nonce, new Uint8Array(10), new Uint8Array(452), out, 0);
      }
      expect(update).toHaveBeenCalledTimes(1 + 8);
      const { staged, starts } = burstOf(key, 0, Array<number>(41).fill(452));
      update.mockClear();
      for (const start of starts) frames.sealFrames(staged, start, start + sealedFrameBytes(452));
      expect(update).toHaveBeenCalledTimes(1 + 8);
    } finally {
      update.mockRestore();
    }
  });

  it('refuses a text that is longer than 96 KiB with all that belongs to it', () => {
    const most = 98_304 - 12 - 10 - 16;
    const seal = (length: number) =>
      failureOf(() => {
        aead.seal(new Uint8Array(12), new Uint8Array(10), new Uint8Array(length), new Uint8Array(length + 16), 0);
      });
    expect([seal(most), seal(most + 1)]).toEqual(['nothing thrown', MISUSE]);
    expect(failureOf(() => aead.open(new Uint8Array(12), new Uint8Array(10), new Uint8Array(most + 17)))).toBe(MISUSE);
  });

  it('takes nothing but bytes', () => {
    const text = 'twelve chars' as unknown as Uint8Array;
    const seal = (nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array) =>
      failureOf(() => {
        aead.seal(nonce, additionalData, plaintext, new Uint8Array(64), 0);
      });
    const [nonce, bytes] = [new Uint8Array(12), new Uint8Array(4)];
    const view = new DataView(bytes.buffer) as unknown as Uint8Array;
    expect([
      seal(text, bytes, bytes),
      seal(nonce, text, bytes),
      seal(nonce, bytes, text),
      seal(nonce, view, bytes),
    ]).toEqual([1, 2, 3, 4].map(() => MISUSE));
  });
});
