import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES, PacketType, toHex, UsmpError } from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { chunkings, frameBytes } from './arbitraries.js';
import { framesOf, pattern } from './pair.js';

/** All that a reader of the stream sees: the frames and the error that ends it. */
function eventsOf(chunks: readonly Uint8Array[], decoder = new FrameDecoder()): string[] {
  const events: string[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    try {
      for (let frame = decoder.next(); frame; frame = decoder.next()) events.push(toHex(frame.bytes));
    } catch (error) {
      if (!(error instanceof UsmpError)) throw error;
      return [...events, `${error.name} ${error.code} ${error.message}`];
    }
    expect(decoder.bufferedBytes).toBeLessThan(MAX_FRAME_BYTES);
  }
  return events;
}

const byteByByte = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** Frames, often with a wrong byte somewhere, cut off somewhere, or with garbage at the end. */
const stream: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.array(frameBytes, { maxLength: 5 }),
    fc.option(fc.tuple(fc.nat(3_000), fc.integer({ min: 1, max: 255 }))),
    fc.option(fc.nat(3_000)),
    fc.uint8Array({ maxLength: 30 }),
  )
  .map(([frames, wrongByte, end, garbage]) => {
    const bytes = Uint8Array.from(Buffer.concat(frames));
    if (wrongByte && bytes.length > 0) {
      const at = wrongByte[0] % bytes.length;
      bytes[at] = (bytes[at] as number) ^ wrongByte[1];
    }
    return Uint8Array.of(...bytes.subarray(0, end ?? bytes.length), ...garbage);
  });

describe('FrameDecoder', () => {
  it('returns the frames of a stream in order, whatever its chunks', () => {
    const framesInChunks = fc
      .array(frameBytes, { maxLength: 6 })
      .chain((frames) => fc.tuple(fc.constant(frames), chunkings(Buffer.concat(frames))));
    fc.assert(
      fc.property(framesInChunks, ([frames, chunks]) => {
        expect(eventsOf(chunks)).toEqual(frames.map((bytes) => toHex(bytes)));
      }),
    );
  });

  it('gives the same frames and the same error at the end for any chunks of a broken stream', () => {
    const broken = stream.chain((bytes) => fc.tuple(fc.constant(bytes), chunkings(bytes)));
    fc.assert(
      fc.property(broken, ([bytes, chunks]) => {
        const events = eventsOf([bytes]);
        expect(eventsOf(chunks)).toEqual(events);
        expect(eventsOf(byteByByte(bytes))).toEqual(events);
      }),
      { numRuns: 200 },
    );
  });

  it('finds an error at the byte that is wrong, before the rest of the frame is there', () => {
    const ping = encodeFrame(PacketType.PING, 0, pattern(28, 1));
    const errorAt = (at: number, wrong: number): string => {
      const decoder = new FrameDecoder();
      decoder.push(ping.subarray(0, at));
      expect(decoder.next()).toBeUndefined();
      decoder.push(Uint8Array.of(wrong));
      return failureOf(() => decoder.next());
    };
    expect(errorAt(0, 0xab)).toBe('MagicError FRAME_MAGIC remote');
    expect(errorAt(1, 0xcd)).toBe('MagicError FRAME_MAGIC remote');
    expect(errorAt(2, 0x01)).toBe('VersionError FRAME_VERSION remote');
    expect(errorAt(3, 0x0c)).toBe('FrameError FRAME_TYPE remote');
    expect(errorAt(9, 0x02)).toBe('FrameError FRAME_LENGTH remote');
  });

  it('finds a wrong CRC when the frame is whole, not before', () => {
    const bytes = encodeFrame(PacketType.PING, 0, pattern(28, 1));
    bytes[10] = (bytes[10] as number) ^ 1;
    const decoder = new FrameDecoder();
    decoder.push(bytes.subarray(0, -1));
    expect(decoder.next()).toBeUndefined();
    decoder.push(bytes.subarray(-1));
    expect(failureOf(() => decoder.next())).toBe('CrcError FRAME_CRC remote');
  });

  it('waits where a frame is cut off at any byte, and takes the rest as its continuation', () => {
    const bytes = encodeFrame(PacketType.DATA, 7, pattern(60, 2));
    for (let cut = 0; cut < bytes.length; cut++) {
      const decoder = new FrameDecoder();
      decoder.push(bytes.slice(0, cut));
      expect(decoder.next()).toBeUndefined();
      expect(decoder.bufferedBytes).toBe(cut);
      decoder.push(bytes.slice(cut));
      expect(decoder.next()?.bytes).toEqual(bytes);
      expect(decoder.next()).toBeUndefined();
      expect(decoder.bufferedBytes).toBe(0);
    }
  });

  it('stays failed with the same error, and takes nothing more', () => {
    const wrongCrc = encodeFrame(PacketType.PING, 0, pattern(28, 1));
    wrongCrc[11] = (wrongCrc[11] as number) ^ 1;
    const streams = [
      [Uint8Array.of(1)],
      [Uint8Array.of(...wrongCrc, 1, 2, 3)],
      [wrongCrc.subarray(0, 20), wrongCrc.subarray(20)],
      [Uint8Array.of(0xcd, 0xab), Uint8Array.of(2, 0x77)],
    ];
    for (const chunks of streams) {
      const decoder = new FrameDecoder();
      const [failure] = eventsOf(chunks, decoder);
      for (let i = 0; i < 100; i++) {
        decoder.push(encodeFrame(PacketType.PING, i, new Uint8Array(480)));
        expect(eventsOf([new Uint8Array(0)], decoder)).toEqual([failure]);
      }
      expect(decoder.bufferedBytes).toBeLessThan(MAX_FRAME_BYTES);
    }
  });

  it('holds less than one frame once everything whole was pulled', () => {
    const frames = Array.from({ length: 20 }, (_, i) => encodeFrame(PacketType.DATA, i, pattern(480, i)));
    const bytes = Buffer.concat(frames);
    const decoder = new FrameDecoder();
    let pulled = 0;
    for (let at = 0; at < bytes.length; at += 100) {
      decoder.push(bytes.subarray(at, at + 100));
      for (let frame = decoder.next(); frame; frame = decoder.next()) pulled += frame.bytes.length;
      expect(decoder.bufferedBytes).toBe(Math.min(at + 100, bytes.length) - pulled);
      expect(decoder.bufferedBytes).toBeLessThan(MAX_FRAME_BYTES);
    }
    expect(pulled).toBe(bytes.length);
  });

  it('keeps what was pushed before everything whole was pulled', () => {
    const frames = Array.from({ length: 4 }, (_, i) => encodeFrame(PacketType.DATA, i, pattern(50, i)));
    const decoder = new FrameDecoder();
    frames.forEach((bytes) => decoder.push(bytes));
    expect(decoder.bufferedBytes).toBe(4 * 62);
    expect(frames.map(() => decoder.next()?.seq)).toEqual([0, 1, 2, 3]);
  });

  it('returns a frame within one chunk as a view of it', () => {
    const [first, second] = [0, 1].map((i) => encodeFrame(PacketType.DATA, i, pattern(100, i)));
    const chunk = Uint8Array.of(...(first as Uint8Array), ...(second as Uint8Array));
    expect(framesOf(chunk).map(({ bytes }) => bytes.buffer === chunk.buffer)).toEqual([true, true]);
  });

  it('copies a frame that straddles chunks, so that it keeps none of them alive', () => {
    const bytes = encodeFrame(PacketType.DATA, 0, pattern(100, 1));
    const chunks = [bytes.slice(0, 50), bytes.slice(50)];
    const decoder = new FrameDecoder();
    chunks.forEach((chunk) => {
      decoder.push(chunk);
      const frame = decoder.next();
      if (frame) expect(chunks.map(({ buffer }) => buffer)).not.toContain(frame.bytes.buffer);
    });
    expect.assertions(1);
  });

  it('gives each straddling frame memory of its own', () => {
    const frames = [0, 1, 2].map((i) => encodeFrame(PacketType.DATA, i, pattern(30, i)));
    const decoder = new FrameDecoder();
    const decoded = byteByByte(Buffer.concat(frames)).flatMap((chunk) => {
      decoder.push(chunk);
      return decoder.next() ?? [];
    });
    expect(decoded.map(({ bytes }) => toHex(bytes))).toEqual(frames.map((bytes) => toHex(bytes)));
  });

  it('shows what is not read yet, but for what was skipped, and nothing while a frame straddles chunks', () => {
    const frames = [0, 1, 2].map((i) => encodeFrame(PacketType.DATA, i, pattern(30, i)));
    const chunk = Uint8Array.from(Buffer.concat(frames));
    const decoder = new FrameDecoder();
    expect(decoder.chunk).toHaveLength(0);
    decoder.push(chunk.subarray(0, 100));
    expect([decoder.chunk.length, decoder.at]).toEqual([100, 0]);
    decoder.skip(42);
    expect(decoder.bufferedBytes).toBe(58);
    expect(decoder.next()?.seq).toBe(1);
    expect(decoder.at).toBe(84);
    expect(decoder.next()).toBeUndefined();
    decoder.push(chunk.subarray(100));
    expect(decoder.chunk).toHaveLength(0);
    expect(decoder.next()?.seq).toBe(2);
    decoder.push(chunk);
    decoder.skip(chunk.length);
    expect([decoder.chunk.length, decoder.bufferedBytes]).toEqual([0, 0]);
  });
});
