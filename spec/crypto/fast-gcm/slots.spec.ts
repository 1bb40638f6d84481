import { describe, expect, it, jest } from '@jest/globals';
import { BatchedGcm } from '../../../src/crypto/fast-gcm/batched-gcm.js';
import { GcmKernel } from '../../../src/crypto/fast-gcm/gcm-kernel.js';
import { Slots } from '../../../src/crypto/fast-gcm/slots.js';
import { burstOf, bytesOf, dice, randomLengths } from './burst.js';

describe('slots for keys', () => {
  it('keep the slot of a key while no more keys are in use than there are slots', () => {
    const clear = jest.fn();
    const slots = new Slots(3, clear);
    const keys = [slots.newKey(), slots.newKey(), slots.newKey()];
    const taken = keys.map((key) => slots.take(key, 0));
    expect(new Set(taken).size).toBe(3);
    expect(keys.map((key, n) => slots.take(key, taken[n]!))).toEqual(taken);
    expect(clear).not.toHaveBeenCalled();
  });

  it('give the slot of a key that was not used again to another key, cleared', () => {
    const clear = jest.fn();
    const slots = new Slots(2, clear);
    const [a, b, c] = [slots.newKey(), slots.newKey(), slots.newKey()];
    const slotOfA = slots.take(a, 0);
    const slotOfB = slots.take(b, 0);
    slots.take(a, slotOfA);
    expect(slots.take(c, 0)).toBe(slotOfB);
    expect(clear.mock.calls).toEqual([[slotOfB]]);
    expect(slots.take(b, slotOfB)).toBe(slotOfA);
  });

  it('clear the slot of a key that is released, and nothing for a key that has none', () => {
    const clear = jest.fn();
    const slots = new Slots(2, clear);
    const [a, b] = [slots.newKey(), slots.newKey()];
    const slot = slots.take(a, 0);
    slots.release(b);
    expect(clear).not.toHaveBeenCalled();
    slots.release(a);
    expect(clear.mock.calls).toEqual([[slot]]);
    slots.release(a);
    expect(clear).toHaveBeenCalledTimes(1);
  });

  it('give a slot that was released first', () => {
    const clear = jest.fn();
    const slots = new Slots(4, clear);
    const keys = [1, 2, 3, 4].map(() => slots.newKey());
    const taken = keys.map((key) => slots.take(key, 0));
    slots.release(keys[2]!);
    clear.mockClear();
    expect(slots.take(slots.newKey(), 0)).toBe(taken[2]);
    expect(clear).not.toHaveBeenCalled();
  });

  it('are enough for any number of keys in turns', () => {
    const kernel = new GcmKernel();
    const roll = dice(20);
    const keys = Array.from({ length: 600 }, (_, n) => bytesOf(100 + n, 32));
    const aeads = keys.map((key) => new BatchedGcm(kernel, key));
    for (let turn = 0; turn < 1500; turn++) {
      // Mostly a few keys, now and then any, and short texts before long ones, so that tables grow and go.
      const n = turn % 2 === 0 ? roll(600) : roll(70);
      const { staged, sealed, starts, end, sessionId, plaintexts } = burstOf(
        keys[n]!,
        turn,
        randomLengths(1 + roll(roll(10) === 0 ? 40 : 3), roll),
      );
      aeads[n]!.sealFrames(staged, starts[0]!, end);
      expect(Buffer.compare(staged, sealed)).toBe(0);
      const opened = aeads[n]!.openFrames(sealed, starts[0]!, turn, sessionId);
      expect(opened.map(({ plaintext }) => plaintext)).toEqual(plaintexts);
      if (roll(20) === 0) {
        aeads[n]!.wipe();
        aeads[n] = new BatchedGcm(kernel, keys[n]!);
      }
    }
  });
});
