import { afterEach, describe, expect, it } from '@jest/globals';
import { concatBytes } from '../../src/protocol/index.js';
import type { Transport, TransportKind } from '../../src/transport/transport.js';
import { pattern } from '../protocol/pair.js';
import { Probe, probe } from './probe.js';

export type TransportPair = readonly [left: Transport, right: Transport];

/** What every byte stream has to do; `open` makes two connected ends that nobody listens to yet. */
export function transportContract(kind: TransportKind, open: () => Promise<TransportPair>): void {
  const opened: Transport[] = [];

  async function connect(): Promise<TransportPair> {
    const pair = await open();
    opened.push(...pair);
    return pair;
  }

  /** Long enough for whatever is under way to arrive: a round trip on another pair. */
  async function settle(): Promise<void> {
    const [left, right] = await connect();
    const [heardLeft, heardRight] = [probe(left), probe(right)];
    left.write(Uint8Array.of(1));
    await heardRight.received(1);
    right.write(Uint8Array.of(2));
    await heardLeft.received(1);
  }

  afterEach(() => {
    for (const transport of opened.splice(0)) transport.destroy();
  });

  describe('a transport', () => {
    it('names its kind and the address of its peer', async () => {
      const [left, right] = await connect();

      expect([left.kind, right.kind]).toEqual([kind, kind]);
      expect(left.remoteAddress).toMatch(/.+:.+/);
      expect(right.remoteAddress).toMatch(/.+:.+/);
      expect(left.remoteAddress).not.toBe(right.remoteAddress);
    });

    it('delivers what is written, in order, in both directions at once', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      const pieces = Array.from({ length: 60 }, (_, n) => pattern(1 + n * 37, n));
      const all = concatBytes(...pieces);
      for (const piece of pieces) {
        left.write(piece);
        right.write(piece);
      }
      await Promise.all([heardLeft.received(all.length), heardRight.received(all.length)]);

      expect(Buffer.compare(heardRight.bytes, all)).toBe(0);
      expect(Buffer.compare(heardLeft.bytes, all)).toBe(0);
    });

    it('delivers a write of any length whole', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      const long = pattern(300_000, 5);
      left.write(long);
      await heard.received(long.length);

      expect(Buffer.compare(heard.bytes, long)).toBe(0);
    });

    it('delivers arrays that are plain, never empty and the sink’s to keep', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      left.write(new Uint8Array(0));
      left.write(pattern(10, 1));
      await heard.received(10);
      const first = heard.bytes;
      left.write(pattern(100_000, 2));
      await heard.received(100_010);

      expect(heard.bytes.subarray(0, 10)).toEqual(first);
      expect(heard.chunks.filter(({ constructor, length }) => constructor !== Uint8Array || length === 0)).toEqual([]);
    });

    it('delivers nothing within the call of write', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      left.write(Uint8Array.of(1));

      expect(heard.log).toEqual([]);
    });

    it('keeps what arrives for the first sink, the end included', async () => {
      const [left, right] = await connect();
      left.write(pattern(10, 1));
      left.end();
      await settle();
      const heard = probe(right);
      await heard.ended();

      expect(heard.bytes).toEqual(pattern(10, 1));
    });

    it('delivers to the sink that was attached last, also where one is attached in the middle of the stream', async () => {
      const [left, right] = await connect();
      const first = new Probe();
      const second = new Probe();
      first.onData = () => right.attach(second);
      right.attach(first);
      left.write(pattern(10, 1));
      await first.received(1);
      left.write(pattern(10, 2));
      await second.until(() => first.length + second.length === 20);
      left.end();
      await second.ended();

      expect(first.log).toEqual(['data']);
      expect(concatBytes(first.bytes, second.bytes)).toEqual(concatBytes(pattern(10, 1), pattern(10, 2)));
    });
  });

  describe('back pressure', () => {
    it('write returns true while little waits', async () => {
      const [left] = await connect();

      expect(left.write(Uint8Array.of(1))).toBe(true);
    });

    it('write returns false above the high-water mark, and drain comes when the peer has read', async () => {
      const [left, right] = await connect();
      const [writer, reader] = [probe(left), probe(right)];
      right.pause();
      const piece = pattern(64 * 1024, 1);
      let written = piece.length;
      while (left.write(piece)) written += piece.length;
      await settle();
      expect(writer.log).toEqual([]);

      right.resume();
      await writer.until(() => writer.drains > 0);
      await reader.received(written);
      await settle();

      expect(reader.length).toBe(written);
      expect(writer.log).toEqual(['drain']);
      expect(left.write(Uint8Array.of(1))).toBe(true);
    });

    it('a paused transport delivers nothing until it is resumed', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      right.pause();
      left.write(pattern(10, 1));
      left.end();
      await settle();
      expect(heard.log).toEqual([]);

      right.resume();
      await heard.ended();
      expect(heard.bytes).toEqual(pattern(10, 1));
    });

    it('may be paused and resumed by its sink at every chunk', async () => {
      const [left, right] = await connect();
      const heard = new Probe();
      let paused = false;
      let chunksWhilePaused = 0;
      heard.onData = () => {
        if (paused) chunksWhilePaused++;
        paused = true;
        right.pause();
      };
      right.attach(heard);
      const pieces = Array.from({ length: 20 }, (_, n) => pattern(5_000, n));
      for (const piece of pieces) left.write(piece);
      for (let seen = 0; heard.length < 100_000; seen = heard.chunks.length) {
        await heard.until(() => heard.chunks.length > seen);
        if (seen === 0) await settle();
        paused = false;
        right.resume();
      }

      expect(Buffer.compare(heard.bytes, concatBytes(...pieces))).toBe(0);
      expect(chunksWhilePaused).toBe(0);
    });
  });

  describe('an end', () => {
    it('comes after everything that was written, once, without a cause, and ends both directions', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.write(pattern(100_000, 1));
      left.end();
      await Promise.all([heardLeft.ended(), heardRight.ended()]);
      await settle();

      expect(Buffer.compare(heardRight.bytes, pattern(100_000, 1))).toBe(0);
      expect(heardRight.log.at(-1)).toBe('end');
      expect([heardLeft.ends, heardRight.ends]).toEqual([1, 1]);
      expect([heardLeft.cause, heardRight.cause]).toEqual([undefined, undefined]);
    });

    it('does not keep off what the peer has sent', async () => {
      const [left, right] = await connect();
      const heard = probe(left);
      probe(right);
      right.write(pattern(10, 1));
      left.end();
      await heard.ended();

      expect(heard.bytes).toEqual(pattern(10, 1));
      expect(heard.log.at(-1)).toBe('end');
    });

    it('makes writing harmless and without effect, on both sides', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.write(pattern(10, 1));
      left.end();
      expect(left.write(pattern(10, 2))).toBe(true);
      await Promise.all([heardLeft.ended(), heardRight.ended()]);
      expect(right.write(pattern(10, 3))).toBe(true);
      await settle();

      expect(heardRight.bytes).toEqual(pattern(10, 1));
      expect(heardLeft.length).toBe(0);
    });

    it('may be asked for on both sides at once, and more than once', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.end();
      right.end();
      left.end();
      await Promise.all([heardLeft.ended(), heardRight.ended()]);
      left.end();
      await settle();

      expect([heardLeft.log, heardRight.log]).toEqual([['end'], ['end']]);
    });
  });

  describe('destroy', () => {
    it('ends the stream for the peer and delivers nothing more here', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      right.write(pattern(10, 1));
      left.destroy();
      await heardRight.ended();
      await settle();

      expect(heardLeft.log).toEqual([]);
      expect(heardRight.ends).toBe(1);
    });

    it('within the delivery of data is the last that the sink hears', async () => {
      const [left, right] = await connect();
      const heard = new Probe();
      heard.onData = () => right.destroy();
      right.attach(heard);
      const writer = probe(left);
      for (let n = 0; n < 20; n++) left.write(pattern(5_000, n));
      left.end();
      await writer.ended();
      await settle();

      expect(heard.log).toEqual(['data']);
    });

    it('is harmless at any time and makes everything else harmless', async () => {
      const [left, right] = await connect();
      const heard = probe(left);
      left.destroy();
      left.destroy();
      left.end();
      left.pause();
      left.resume();
      left.reset();
      expect(left.write(pattern(10, 1))).toBe(true);
      await probe(right).ended();
      right.destroy();

      expect(heard.log).toEqual([]);
    });
  });

  describe('reset', () => {
    it('breaks the stream for the peer, with a cause and once, and delivers nothing more here', async () => {
      const [left, right] = await connect();
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      left.reset();
      await heardRight.ended();
      await settle();

      expect(heardRight.cause).toMatchObject({ message: expect.any(String) });
      expect(heardRight.log).toEqual(['end']);
      expect(heardLeft.log).toEqual([]);
    });

    it('shows also where it came before the first sink', async () => {
      const [left, right] = await connect();
      left.reset();
      await settle();
      const heard = probe(right);
      await heard.ended();

      expect(heard.log).toEqual(['end']);
      expect(heard.cause).toMatchObject({ message: expect.any(String) });
    });
  });
}
