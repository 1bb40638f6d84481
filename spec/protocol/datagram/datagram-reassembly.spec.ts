import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  BETWEEN_DATAGRAM_MESSAGES,
  BETWEEN_MESSAGES,
  PacketType,
  reassemble,
  reassembleDatagrams,
  type Assembly,
  type DatagramAssembly,
  type OpenedFrame,
  type SealedType,
  type SequencedFrame,
} from '../../../src/protocol/index.js';

const { DATA, DATA_FRAG } = PacketType;
const CONTROL_TYPES = [PacketType.PING, PacketType.PONG, PacketType.BYE, PacketType.REKEY] as const;

const frame = (type: SealedType, inSequence: boolean, content = 0): SequencedFrame => ({
  type,
  plaintext: Uint8Array.of(content),
  inSequence,
});

/** In sequence. */
const next = (type: SealedType, content?: number): SequencedFrame => frame(type, true, content);
const afterGap = (type: SealedType, content?: number): SequencedFrame => frame(type, false, content);

const within = (count: number): SequencedFrame[] => Array.from({ length: count }, (_, i) => next(DATA_FRAG, i));

const assemblyAfter = (...frames: readonly SequencedFrame[]): DatagramAssembly =>
  frames.reduce(reassembleDatagrams, BETWEEN_DATAGRAM_MESSAGES);

/** What the last frame dropped, and where the assembly stands after it. */
const outcome = (...frames: readonly SequencedFrame[]): string => {
  const { at, dropped } = assemblyAfter(...frames);
  return dropped === undefined ? at : `${at}, dropped: ${dropped}`;
};

/** The plaintexts of a message's frames, or the type of a control frame. */
type Item = readonly Uint8Array[] | SealedType;
const item: fc.Arbitrary<Item> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(fc.uint8Array({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  },
  { weight: 1, arbitrary: fc.constantFrom(...CONTROL_TYPES) },
);
const stream = fc.array(item, { maxLength: 12 });

interface NumberedFrame extends OpenedFrame {
  readonly seq: number;
  /** Which of the stream's items it belongs to. */
  readonly item: number;
}

function numbered(items: readonly Item[]): NumberedFrame[] {
  return items
    .flatMap((one, i): Omit<NumberedFrame, 'seq'>[] =>
      typeof one === 'number'
        ? [{ type: one, plaintext: new Uint8Array(0), item: i }]
        : one.map((plaintext, k) => ({ type: k < one.length - 1 ? DATA_FRAG : DATA, plaintext, item: i })),
    )
    .map((opened, seq) => ({ ...opened, seq }));
}

/** Every assembly on the way, with the frame that led to it. */
function walk(frames: readonly NumberedFrame[]) {
  let assembly = BETWEEN_DATAGRAM_MESSAGES;
  let lastSeq = -1;
  return frames.map((taken) => {
    const inSequence = taken.seq === lastSeq + 1;
    lastSeq = taken.seq;
    assembly = reassembleDatagrams(assembly, { ...taken, inSequence });
    return { taken, inSequence, assembly };
  });
}

/** Messages delivered, as the item that each ends with and its bytes. */
const delivered = (frames: readonly NumberedFrame[]): [item: number, bytes: number[]][] =>
  walk(frames).flatMap(({ taken, assembly }) =>
    assembly.at === 'message-end' ? [[taken.item, [...assembly.message]] as [number, number[]]] : [],
  );

const bytesOf = (items: readonly Item[], i: number): number[] =>
  (items[i] as Uint8Array[]).flatMap((part) => [...part]);

describe('reassembly of datagrams', () => {
  it('is that of byte streams where frames are in sequence and legal', () => {
    fc.assert(
      fc.property(stream, (items) => {
        let expected: Assembly = BETWEEN_MESSAGES;
        for (const { taken, inSequence, assembly } of walk(numbered(items))) {
          expected = reassemble(expected, taken);
          expect(inSequence).toBe(true);
          expect(assembly).toEqual(expected);
        }
      }),
    );
  });

  it('delivers, of any part of a stream, exactly the messages that came whole after the frame before them', () => {
    const lossy = stream.chain((items) => {
      const frames = numbered(items);
      return fc.tuple(fc.constant(items), fc.subarray(frames, { minLength: Math.floor(frames.length / 2) }));
    });
    fc.assert(
      fc.property(lossy, ([items, arrived]) => {
        const numbers = new Set([-1, ...arrived.map(({ seq }) => seq)]);
        const whole = items.flatMap((one, i) => {
          const own = numbered(items).filter((sent) => sent.item === i);
          const cameAll = own.every(({ seq }) => numbers.has(seq)) && numbers.has(own[0]!.seq - 1);
          return typeof one === 'object' && cameAll ? [[i, bytesOf(items, i)]] : [];
        });
        expect(delivered(arrived)).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('tells of a gap in a legal stream once, with the frame after it', () => {
    fc.assert(
      fc.property(
        stream.chain((items) => fc.subarray(numbered(items))),
        (arrived) => {
          for (const { taken, inSequence, assembly } of walk(arrived)) {
            const isData = taken.type === DATA || taken.type === DATA_FRAG;
            if (inSequence) expect(assembly.dropped).toBeUndefined();
            else if (isData) expect(assembly.dropped).toBe('gap');
          }
        },
      ),
    );
  });

  it('makes no message but those that were sent, each once, in whatever order frames come', () => {
    const shuffled = stream.chain((items) => {
      const frames = numbered(items);
      return fc.tuple(fc.constant(items), fc.shuffledSubarray(frames));
    });
    fc.assert(
      fc.property(shuffled, ([items, arrived]) => {
        const messages = delivered(arrived);
        for (const [i, bytes] of messages) expect(bytes).toEqual(bytesOf(items, i));
        expect(new Set(messages.map(([i]) => i)).size).toBe(messages.length);
      }),
      { numRuns: 500 },
    );
  });

  it('never throws and never holds more than three fragments, whatever comes', () => {
    const anyFrame = fc.record({
      type: fc.constantFrom<SealedType>(DATA, DATA_FRAG, DATA_FRAG, DATA_FRAG, ...CONTROL_TYPES),
      plaintext: fc.uint8Array({ maxLength: 2 }),
      inSequence: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, fc.boolean()),
    });
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 40 }), (frames) => {
        let assembly = BETWEEN_DATAGRAM_MESSAGES;
        for (const one of frames) {
          assembly = reassembleDatagrams(assembly, one);
          if (assembly.at === 'within-message') expect(assembly.fragments.length).toBeLessThanOrEqual(3);
          if (assembly.at === 'message-end') expect(one).toMatchObject({ type: DATA, inSequence: true });
        }
      }),
    );
  });

  it('is a reducer: it changes neither the assembly nor the frame', () => {
    const before = assemblyAfter(...within(2));
    const snapshot = structuredClone(before);
    for (const type of [DATA, DATA_FRAG, PacketType.PING]) {
      reassembleDatagrams(before, next(type));
      reassembleDatagrams(before, afterGap(type));
    }
    expect(before).toEqual(snapshot);
  });

  it.each([0, 1, 2, 3])(
    'takes no frame after a gap for (a part of) a message, %i fragments before it or none',
    (count) => {
      expect(outcome(...within(count), afterGap(DATA))).toBe('between-messages, dropped: gap');
      expect(outcome(...within(count), afterGap(DATA_FRAG))).toBe('skipping-rest, dropped: gap');
    },
  );

  it('passes the rest of a message over up to its DATA, and tells of the loss once', () => {
    const skipping = [afterGap(DATA_FRAG)];
    expect(outcome(...skipping, next(DATA_FRAG))).toBe('skipping-rest');
    expect(outcome(...skipping, next(DATA_FRAG), next(DATA))).toBe('between-messages');
    expect(assemblyAfter(...skipping, next(DATA), next(DATA, 7))).toEqual({
      at: 'message-end',
      message: Uint8Array.of(7),
    });
  });

  it('tells of another gap while it passes over', () => {
    expect(outcome(afterGap(DATA_FRAG), afterGap(DATA_FRAG))).toBe('skipping-rest, dropped: gap');
    expect(outcome(afterGap(DATA_FRAG), afterGap(DATA))).toBe('between-messages, dropped: gap');
  });

  it('drops a message of more than four fragments with its rest, and the session lives', () => {
    expect(outcome(...within(3))).toBe('within-message');
    expect(outcome(...within(3), next(DATA))).toBe('message-end');
    expect(outcome(...within(4))).toBe('skipping-rest, dropped: too-many-fragments');
    expect(outcome(...within(9))).toBe('skipping-rest');
    expect(outcome(...within(4), next(DATA))).toBe('between-messages');
    expect(outcome(...within(4), next(DATA), next(DATA))).toBe('message-end');
  });

  describe.each(CONTROL_TYPES)('at control frame %i', (type) => {
    it.each([1, 2, 3])('drops a message of which %i fragments came', (count) => {
      expect(outcome(...within(count), next(type))).toBe('between-messages, dropped: control-within-message');
      expect(outcome(...within(count), afterGap(type))).toBe('between-messages, dropped: gap');
    });

    it('is between messages, where nothing was lost by it', () => {
      for (const before of [[], [next(DATA)], [afterGap(DATA)], [afterGap(DATA_FRAG)], within(4)]) {
        for (const control of [next(type), afterGap(type)])
          expect(outcome(...before, control)).toBe('between-messages');
      }
    });

    it('stops passing over: what follows it is a message', () => {
      expect(outcome(afterGap(DATA_FRAG), afterGap(type), next(DATA))).toBe('message-end');
    });
  });
});
