import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BETWEEN_MESSAGES,
  checkMessageLength,
  forEachFragment,
  fragmentCount,
  MAX_FRAGMENTS,
  MAX_MESSAGE_BYTES,
  PacketType,
  reassemble,
  sealedFrameBytes,
  sealedMessageBytes,
  type Assembly,
  type OpenedFrame,
  type SealedType,
} from '../../src/protocol/index.js';
import { failureOf } from '../crypto/failure-of.js';
import { message } from './arbitraries.js';
import { pattern } from './pair.js';

const CONTROL_TYPES: readonly SealedType[] = [PacketType.PING, PacketType.PONG, PacketType.BYE, PacketType.REKEY];

function fragmentsOf(whole: Uint8Array): OpenedFrame[] {
  const frames: OpenedFrame[] = [];
  forEachFragment(whole, (type, plaintext) => frames.push({ type, plaintext }));
  return frames;
}

const frame = (type: SealedType, length = 0): OpenedFrame => ({ type, plaintext: pattern(length, type) });
const fragments = (count: number): OpenedFrame[] =>
  Array.from({ length: count }, () => frame(PacketType.DATA_FRAG, 452));
const assemblyOf = (frames: readonly OpenedFrame[]): Assembly => frames.reduce(reassemble, BETWEEN_MESSAGES);

/** The messages that a sequence of frames makes. */
function messagesOf(frames: readonly OpenedFrame[]): Uint8Array[] {
  let assembly: Assembly = BETWEEN_MESSAGES;
  const messages: Uint8Array[] = [];
  for (const next of frames) {
    assembly = reassemble(assembly, next);
    if (assembly.at === 'message-end') messages.push(assembly.message);
  }
  return messages;
}

describe('fragmentation', () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [452, [452]],
    [453, [452, 1]],
    [904, [452, 452]],
    [905, [452, 452, 1]],
    [1357, [452, 452, 452, 1]],
    [1808, [452, 452, 452, 452]],
  ])('makes of a message of %i bytes frames of %j', (length, lengths) => {
    const frames = fragmentsOf(pattern(length, 1));
    expect(frames.map(({ plaintext }) => plaintext.length)).toEqual(lengths);
    expect(frames.map(({ type }) => type)).toEqual([
      ...lengths.slice(1).map(() => PacketType.DATA_FRAG),
      PacketType.DATA,
    ]);
  });

  it('tells beforehand how many frames and bytes a message takes', () => {
    for (let length = 0; length <= MAX_MESSAGE_BYTES; length++) {
      const frames = fragmentsOf(new Uint8Array(length));
      expect(fragmentCount(length)).toBe(frames.length);
      expect(sealedMessageBytes(length)).toBe(
        frames.reduce((sum, { plaintext }) => sum + sealedFrameBytes(plaintext.length), 0),
      );
    }
  });

  it('copies nothing', () => {
    const whole = pattern(1808, 1);
    expect(fragmentsOf(whole).every(({ plaintext }) => plaintext.buffer === whole.buffer)).toBe(true);
  });

  it('is refused for more than 1808 bytes', () => {
    expect(failureOf(() => checkMessageLength(1808))).toBe('nothing thrown');
    expect(failureOf(() => checkMessageLength(1809))).toBe('PayloadError PAYLOAD_TOO_LARGE local');
  });
});

describe('reassembly', () => {
  it('is the reverse of fragmentation, for any message of 0 to 1808 bytes', () => {
    fc.assert(
      fc.property(message, (whole) => {
        const assembly = assemblyOf(fragmentsOf(whole));
        expect(assembly.at === 'message-end' && Buffer.compare(assembly.message, whole)).toBe(0);
      }),
    );
  });

  it('gives every message of a stream once and in order, with control frames between them', () => {
    const stream = fc.array(fc.oneof(message, fc.constantFrom(...CONTROL_TYPES)), { maxLength: 8 });
    fc.assert(
      fc.property(stream, (items) => {
        const frames = items.flatMap((item) => (item instanceof Uint8Array ? fragmentsOf(item) : [frame(item)]));
        const sent = items.filter((item) => item instanceof Uint8Array);
        expect(messagesOf(frames).map((got) => Buffer.from(got).toString('hex'))).toEqual(
          sent.map((whole) => Buffer.from(whole).toString('hex')),
        );
      }),
    );
  });

  it('is a reducer: it changes neither the assembly nor the frame', () => {
    const before = assemblyOf(fragments(2));
    const snapshot = structuredClone(before);
    reassemble(before, frame(PacketType.DATA_FRAG, 452));
    reassemble(before, frame(PacketType.DATA, 5));
    expect(failureOf(() => reassemble(before, frame(PacketType.PING)))).not.toBe('nothing thrown');
    expect(before).toEqual(snapshot);
  });

  it('is between messages after a control frame there, and holds no message any longer', () => {
    for (const type of CONTROL_TYPES) {
      expect(assemblyOf([frame(PacketType.DATA, 5), frame(type)])).toEqual({ at: 'between-messages' });
    }
  });

  const within = CONTROL_TYPES.flatMap((type) => [1, 2, 3].map((count): [SealedType, number] => [type, count]));
  it.each(within)('takes control frame %i after %i fragments for a SequenceError', (type, count) => {
    expect(failureOf(() => assemblyOf([...fragments(count), frame(type)]))).toBe(
      'SequenceError CONTROL_WITHIN_MESSAGE remote',
    );
  });

  it('takes a fourth DATA_FRAG for a PayloadError', () => {
    expect(assemblyOf(fragments(3)).at).toBe('within-message');
    expect(failureOf(() => assemblyOf(fragments(4)))).toBe('PayloadError TOO_MANY_FRAGMENTS remote');
  });

  it('holds at most a whole message', () => {
    const last = assemblyOf([...fragments(MAX_FRAGMENTS - 1), frame(PacketType.DATA, 452)]);
    expect(last.at === 'message-end' && last.message.length).toBe(MAX_MESSAGE_BYTES);
  });

  it('joins fragments of any size, and takes an empty last one', () => {
    const [joined] = messagesOf([
      frame(PacketType.DATA_FRAG, 3),
      frame(PacketType.DATA_FRAG, 0),
      frame(PacketType.DATA),
    ]);
    expect(joined).toEqual(pattern(3, PacketType.DATA_FRAG));
  });
});
