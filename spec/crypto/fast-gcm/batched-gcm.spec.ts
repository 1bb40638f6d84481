import { createCipheriv, type Cipher } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { nodeCrypto } from '../../../src/crypto/node.js';
import { AeadBatch } from '../../../src/protocol/aead-batch.js';
import { failureOf, MISUSE, USE_AFTER_WIPE } from '../failure-of.js';
import { burstOf, bytesOf, dice, randomShapes, textsOf, type Burst } from './burst.js';

const kernel = new GcmKernel();
const key = bytesOf(1, 32);
const aead = new BatchedGcm(kernel, key);

/** Compared as Buffers: `toEqual` takes its time for long arrays. */
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function expectAgreement(gcm: BatchedGcm, { batch, open, sealed, plaintexts }: Burst): void {
  const bytes = Uint8Array.from(open);
  gcm.sealBatch(bytes, batch);
  expect(isSame(bytes, sealed)).toBe(true);
  const opened = gcm.openBatch(bytes, batch);
  expect(isSame(bytes, sealed)).toBe(true);
  expect(opened.map((one) => one && Buffer.from(one).toString('hex'))).toEqual(
    plaintexts.map((one) => Buffer.from(one).toString('hex')),
  );
}

describe('AES-256-GCM by batches', () => {
  it('agrees with node:crypto for every length of 0 to 500 bytes, in a batch and alone', () => {
    const plain = nodeCrypto.aead('aes-256-gcm', key);
    for (let first = 0; first <= 500; first += 25) {
      const shapes = Array.from({ length: 26 }, (_, n) => {
        const textBytes = Math.min(500, first + n);
        return { textBytes, additionalDataBytes: textBytes % 41, gap: n % 17 };
      });
      expectAgreement(aead, burstOf(key, first, shapes));
    }
    for (let length = 0; length <= 500; length++) {
      const [nonce, additionalData, plaintext] = [
        bytesOf(length, 12),
        bytesOf(length, length % 41),
        bytesOf(length, length),
      ];
      const [byNode, byKernel] = [new Uint8Array(length + 16), new Uint8Array(length + 19)];
      plain.seal(nonce, additionalData, plaintext, byNode, 0);
      aead.seal(nonce, additionalData, plaintext, byKernel, 3);
      expect(isSame(byNode, byKernel.subarray(3))).toBe(true);
      expect(aead.open(nonce, additionalData, byNode)).toEqual(plaintext);
    }
  });

  it('agrees with node:crypto for texts one by one, whatever nonces and lengths follow each other', () => {
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
      if (roll(30) === 0) expectAgreement(roll(2) === 0 ? sealing : opening, burstOf(key, text, randomShapes(2, roll)));
    }
  });

  it('calls AES once for the texts of several calls, where their nonces count up', () => {
    const update = jest.spyOn(Object.getPrototypeOf(createCipheriv('aes-256-ecb', key, null)) as Cipher, 'update');
    try {
      const gcm = new BatchedGcm(kernel, key);
      const [nonce, out] = [new Uint8Array(12), new Uint8Array(468)];
      for (let text = 0; text < 41; text++) {
        nonce[0] = text;
        gcm.seal(nonce, new Uint8Array(10), new Uint8Array(452), out, 0);
      }
      expect(update).toHaveBeenCalledTimes(1 + 8);
    } finally {
      update.mockRestore();
    }
  });

  it('agrees with node:crypto for every length of additional data of 0 to 80 bytes', () => {
    const shapes = Array.from({ length: 81 }, (_, n) => ({ textBytes: 30, additionalDataBytes: n, gap: n % 3 }));
    expectAgreement(aead, burstOf(key, 2, shapes));
  });

  it('agrees with node:crypto for batches of 1 to 40 texts of mixed lengths at odd places', () => {
    const roll = dice(3);
    for (let count = 1; count <= 40; count++) expectAgreement(aead, burstOf(key, count, randomShapes(count, roll)));
  });

  it('agrees with node:crypto for texts around each multiple of what is hashed at once', () => {
    const lengths = [14, 15, 16, 29, 30, 31, 32, 47, 63].flatMap((blocks) => [-1, 0, 1].map((n) => 16 * blocks + n));
    const shapes = lengths.map((textBytes) => ({ textBytes, additionalDataBytes: 10, gap: 2 }));
    expectAgreement(aead, burstOf(key, 4, shapes));
  });

  it('works through bursts of more texts, more blocks and more bytes than it takes in at once', () => {
    const tiny = Array.from({ length: 2100 }, (_, n) => ({ textBytes: n % 3, additionalDataBytes: 0, gap: 0 }));
    const many = Array.from({ length: 1000 }, (_, n) => ({
      textBytes: 300 + (n % 7),
      additionalDataBytes: 10,
      gap: 2,
    }));
    const long = [50_000, 90_000, 1, 98_264, 20].map((textBytes) => ({ textBytes, additionalDataBytes: 10, gap: 2 }));
    for (const shapes of [tiny, many, long]) expectAgreement(aead, burstOf(key, 5, shapes));
  });

  it('does nothing for an empty batch', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    aead.sealBatch(bytes, new AeadBatch());
    expect(aead.openBatch(bytes, new AeadBatch())).toEqual([]);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('opens each text into a plain array of its own', () => {
    const { batch, sealed } = burstOf(key, 6, randomShapes(10, dice(6)));
    for (const opened of aead.openBatch(Buffer.from(sealed), batch)) {
      expect(Object.getPrototypeOf(opened)).toBe(Uint8Array.prototype);
      expect(opened?.buffer.byteLength).toBe(opened?.length);
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
    const batch = new AeadBatch();
    batch.add(0, 10, 10, 22, most + 1);
    expect(failureOf(() => aead.openBatch(new Uint8Array(100_000), batch))).toBe(MISUSE);
  });

  it.each<[string, Parameters<AeadBatch['add']>]>([
    ['additional data', [60, 5, 0, 12, 10]],
    ['nonce', [0, 10, 53, 12, 10]],
    ['text', [0, 10, 0, 60, 10]],
    ['tag', [0, 10, 10, 22, 27]],
  ])('refuses a batch whose %s does not lie within the array, and changes nothing', (_, range) => {
    const batch = new AeadBatch();
    batch.add(...range);
    const bytes = bytesOf(7, 64);
    expect(
      failureOf(() => {
        aead.sealBatch(bytes, batch);
      }),
    ).toBe(MISUSE);
    expect(failureOf(() => aead.openBatch(bytes, batch))).toBe(MISUSE);
    expect(bytes).toEqual(bytesOf(7, 64));
  });

  it('takes nothing but bytes', () => {
    const text = 'twelve chars' as unknown as Uint8Array;
    const seal = (nonce: Uint8Array, additionalData: Uint8Array, plaintext: Uint8Array) =>
      failureOf(() => {
        aead.seal(nonce, additionalData, plaintext, new Uint8Array(64), 0);
      });
    const [nonce, bytes] = [new Uint8Array(12), new Uint8Array(4)];
    expect([seal(text, bytes, bytes), seal(nonce, text, bytes), seal(nonce, bytes, text)]).toEqual(
      [1, 2, 3].map(() => MISUSE),
    );
  });

  it('works with no batch after it was wiped', () => {
    const wiped = new BatchedGcm(kernel, key);
    const { batch, open, sealed } = burstOf(key, 8, randomShapes(3, dice(8)));
    wiped.sealBatch(Uint8Array.from(open), batch);
    wiped.wipe();
    const bytes = Uint8Array.from(open);
    expect(
      failureOf(() => {
        wiped.sealBatch(bytes, batch);
      }),
    ).toBe(USE_AFTER_WIPE);
    expect(bytes).toEqual(open);
    expect(failureOf(() => wiped.openBatch(sealed, batch))).toBe(USE_AFTER_WIPE);
  });
});

describe('a forged text', () => {
  it('is refused for every single flipped bit, and no other text of its batch', () => {
    const shapes = [17, 64, 33].map((textBytes) => ({ textBytes, additionalDataBytes: 10, gap: 0 }));
    const { batch, sealed, plaintexts } = burstOf(key, 9, shapes);
    const { additionalDataAt, textAt, textBytes } = textsOf(batch)[1]!;
    const accepted: number[] = [];
    for (let bit = 8 * additionalDataAt; bit < 8 * (textAt + textBytes + 16); bit++) {
      const forged = Uint8Array.from(sealed);
      forged[bit >>> 3]! ^= 0x80 >>> (bit & 7);
      const before = Uint8Array.from(forged);
      const [first, second, third] = aead.openBatch(forged, batch);
      if (second !== undefined) accepted.push(bit);
      expect(isSame(forged, before) && isSame(first!, plaintexts[0]!) && isSame(third!, plaintexts[2]!)).toBe(true);
    }
    expect(accepted).toEqual([]);
  });

  it('is refused when it is opened alone, for every single flipped bit', () => {
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
    const { batch, sealed } = burstOf(key, 13, [{ textBytes: 32, additionalDataBytes: 16, gap: 0 }]);
    const { additionalDataAt, nonceAt, textAt } = textsOf(batch)[0]!;
    const moved = new AeadBatch();
    moved.add(additionalDataAt, 15, nonceAt, textAt, 32);
    moved.add(additionalDataAt, 16, nonceAt, textAt - 1, 33);
    moved.add(additionalDataAt, 0, nonceAt, textAt, 32);
    expect(aead.openBatch(sealed, moved)).toEqual([undefined, undefined, undefined]);
  });
});
