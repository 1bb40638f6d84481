import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Transport } from '../../src/transport/transport.js';

const LONG = 10_000;

/** A module as a program finds it that has just begun: what long bursts share is made in it. */
async function freshBuffers() {
  jest.resetModules();
  const { BurstBuffer, MAX_BURST_BYTES } = await import('../../src/session/stream/burst-buffer.js');
  return { BurstBuffer, MAX_BURST_BYTES };
}

/** Keeps what is written; says that it needs none of it any more, that it does, or nothing at all. */
class Line {
  readonly kind = 'memory';
  readonly written: Uint8Array[] = [];
  isFlushed?: boolean;

  constructor(isFlushed?: boolean) {
    if (isFlushed !== undefined) this.isFlushed = isFlushed;
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }
}
const lineThat = (isFlushed?: boolean) => new Line(isFlushed) as Line & Transport;

describe('the buffer of a burst', () => {
  let buffers: Awaited<ReturnType<typeof freshBuffers>>;
  beforeEach(async () => {
    buffers = await freshBuffers();
  });

  /** Collects `length` bytes of this value and writes them; returns the memory that they were in. */
  function send(line: Line & Transport, length: number, value: number, buffer = new buffers.BurstBuffer()) {
    const at = buffer.reserve(length, line);
    buffer.bytes.fill(value, at, at + length);
    buffer.writeTo(line);
    return line.written.at(-1)!.buffer;
  }

  it('uses the same memory again for long bursts, once a transport needs it no more', () => {
    const [a, b] = [lineThat(true), lineThat(true)];
    const memory = send(a, LONG, 1);
    expect(send(b, 3 * LONG, 2)).toBe(memory);
    expect(send(a, LONG, 3)).toBe(memory);
    expect([a.written[1]!.length, a.written[1]!.every((byte) => byte === 3)]).toEqual([LONG, true]);
  });

  it.each([
    ['says that it needs it', false],
    ['says nothing', undefined],
  ])('leaves memory to a transport that %s', (_, isFlushed) => {
    const line = lineThat(isFlushed);
    const memory = [1, 2, 3].map((value) => send(line, LONG, value));
    expect(new Set(memory).size).toBe(3);
    expect(line.written.map(([first]) => first)).toEqual([1, 2, 3]);
  });

  it('leaves memory to a transport that could not take it at once, and others go on', () => {
    const line = lineThat(true);
    const memory = send(line, LONG, 1);
    const buffer = new buffers.BurstBuffer();
    buffer.reserve(LONG, line);
    line.isFlushed = false;
    buffer.writeTo(line);
    expect(line.written[1]!.buffer).toBe(memory);
    const other = lineThat(true);
    const fresh = send(other, LONG, 2);
    expect(fresh).not.toBe(memory);
    expect(send(other, LONG, 3)).toBe(fresh);
  });

  it('gives two long bursts at the same time memory of their own', () => {
    const line = lineThat(true);
    const [a, b] = [new buffers.BurstBuffer(), new buffers.BurstBuffer()];
    a.reserve(LONG, line);
    b.reserve(LONG, line);
    a.bytes.fill(1, 0, LONG);
    b.bytes.fill(2, 0, LONG);
    a.writeTo(line);
    b.writeTo(line);
    expect(line.written.map((bytes) => [bytes.length, bytes[0], bytes.at(-1)])).toEqual([
      [LONG, 1, 1],
      [LONG, 2, 2],
    ]);
    expect(line.written[0]!.buffer).not.toBe(line.written[1]!.buffer);
  });

  it('leaves a transport no more than sixteen times what it writes', () => {
    for (const length of [2_100, 3_000, 4_200, 4_300, 9_000, 20_000]) {
      const line = lineThat(true);
      const buffer = new buffers.BurstBuffer();
      buffer.reserve(length, line);
      line.isFlushed = false;
      buffer.writeTo(line);
      expect(line.written[0]!.buffer.byteLength).toBeLessThanOrEqual(16 * length);
    }
  });

  it('lends its memory to others after a transport has thrown', () => {
    const line = lineThat(true);
    const buffer = new buffers.BurstBuffer();
    buffer.reserve(LONG, line);
    line.write = () => {
      throw new Error('broken');
    };
    expect(() => buffer.writeTo(line)).toThrow('broken');
    const other = lineThat(true);
    expect(send(other, LONG, 2)).toBe(send(other, LONG, 3));
  });

  it('has room for the longest burst, and the longest message after it', () => {
    const line = lineThat(true);
    const memory = send(line, LONG, 1);
    const buffer = new buffers.BurstBuffer();
    buffer.reserve(buffers.MAX_BURST_BYTES - 1, line);
    buffer.reserve(1_808 + 4 * 40, line);
    buffer.writeTo(line);
    expect(line.written[1]!.buffer).toBe(memory);
  });

  it('overwrites what it discards, and what it outgrows, since it may be plaintext', () => {
    const line = lineThat(true);
    const buffer = new buffers.BurstBuffer();
    buffer.reserve(100, line);
    const small = buffer.bytes.fill(7);
    buffer.reserve(LONG, line);
    expect(small.every((byte) => byte === 0)).toBe(true);
    expect(buffer.bytes.subarray(0, 100).every((byte) => byte === 7)).toBe(true);
    const { bytes } = buffer;
    bytes.fill(7, 100, buffer.length);
    buffer.discard();
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(buffer.length).toBe(0);
    expect(send(line, LONG, 1)).toBe(bytes.buffer);
  });
});
