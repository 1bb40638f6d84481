import { describe, expect, it } from '@jest/globals';
import { concatBytes } from '../../src/protocol/index.js';
import type { StreamKind, Transport } from '../../src/transport/transport.js';
import { pattern } from '../protocol/pair.js';
import { commonContract } from './common-contract.js';
import { Probe, probe } from './probe.js';

export type TransportPair = readonly [left: Transport, right: Transport];

/** What every byte stream has to do; `open` makes two connected ends that nobody listens to yet. */
export function transportContract(kind: StreamKind, open: () => Promise<TransportPair>): void {
  const { connect, settle } = commonContract(kind, open, (from, bytes) => from.write(bytes));

  describe('a byte stream', () => {
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

    it('delivers nothing for an empty write', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      left.write(new Uint8Array(0));
      left.write(pattern(10, 1));
      await heard.received(10);

      expect(heard.chunks.filter(({ length }) => length === 0)).toEqual([]);
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

    it('tells the end to the sink that was attached last', async () => {
      const [left, right] = await connect();
      const [first, second] = [probe(right), probe(right)];
      left.end();
      await second.ended();

      expect(first.log).toEqual([]);
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
    it('ends the stream for the peer', async () => {
      const [left, right] = await connect();
      const heard = probe(right);
      left.destroy();
      await heard.ended();
      await settle();

      expect(heard.ends).toBe(1);
    });

    it('makes everything else harmless', async () => {
      const [left, right] = await connect();
      const heard = probe(left);
      left.destroy();
      left.end();
      left.pause();
      left.resume();
      left.reset();
      expect(left.write(pattern(10, 1))).toBe(true);
      await probe(right).ended();

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
