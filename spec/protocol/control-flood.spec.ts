import { beforeEach, describe, expect, it } from '@jest/globals';
import { ControlFloodDetector, PacketType, type SealedType } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';

const FLOOD = 'SequenceError CONTROL_FLOOD remote';

describe('control frame floods', () => {
  let detector: ControlFloodDetector;
  const observe = (type: SealedType, ...timesMs: readonly number[]): string[] =>
    timesMs
      .map((timeMs) => failureOf(() => detector.observe(type, timeMs)))
      .filter((failure) => failure !== 'nothing thrown');
  const times = (count: number, atMs: number): number[] => Array.from({ length: count }, () => atMs);

  beforeEach(() => {
    detector = new ControlFloodDetector();
  });

  it.each([PacketType.PING, PacketType.PONG, PacketType.BYE, PacketType.REKEY])(
    'of type %i are 9 within a second; 8 are none',
    (type) => {
      expect(observe(type, ...times(8, 100))).toEqual([]);
      expect(observe(type, 1_099)).toEqual([FLOOD]);
    },
  );

  it('are counted over all control types together', () => {
    expect(observe(PacketType.PING, ...times(4, 0))).toEqual([]);
    expect(observe(PacketType.PONG, ...times(4, 0))).toEqual([]);
    expect(observe(PacketType.REKEY, 0)).toEqual([FLOOD]);
  });

  it.each([PacketType.DATA, PacketType.DATA_FRAG])('are none where data (type %i) comes between', (data) => {
    expect(observe(data, 0)).toEqual([]);
    for (let round = 0; round < 20; round++) {
      expect(observe(PacketType.PING, ...times(8, round))).toEqual([]);
      expect(observe(data, round)).toEqual([]);
    }
    expect(observe(PacketType.PING, ...times(9, 20))).toEqual([FLOOD]);
  });

  it('are none where a second has passed since the first of nine', () => {
    expect(observe(PacketType.PING, 0, ...times(7, 500), 1_000)).toEqual([]);
    // 7 at 500 ms and 1 at 1000 ms are within the last second.
    expect(observe(PacketType.PING, 1_499)).toEqual([FLOOD]);
    expect(observe(PacketType.PING, 1_500)).toEqual([]);
  });

  it('never are PINGs at eight a second, for any time', () => {
    const everyEighth = Array.from({ length: 1_000 }, (_, i) => i * 125);
    expect(observe(PacketType.PING, ...everyEighth)).toEqual([]);
  });

  it('fail again and again while they go on', () => {
    expect(observe(PacketType.PING, ...times(100, 0))).toEqual(times(92, 0).map(() => FLOOD));
  });

  it('are none where they waited while we did not read; few of them are answered', () => {
    detector.forgive(1_500);
    const answered = Array.from({ length: 16 }, () => detector.observe(PacketType.PING, 5_000));

    expect(answered.filter(Boolean)).toHaveLength(4);
    expect(observe(PacketType.PING, ...times(8, 5_000))).toEqual([]);
    expect(observe(PacketType.PING, 5_000)).toEqual([FLOOD]);
  });

  it('are not forgiven for a clock that was set back', () => {
    detector.forgive(-10_000);
    expect(observe(PacketType.PING, ...times(9, 0))).toEqual([FLOOD]);
  });
});
