import { describe, expect, it } from '@jest/globals';
import { TestScheduler } from 'rxjs/testing';
import { memoryTransportPair, type MemoryPairOptions } from '../../src/transport/memory.js';
import { pattern } from '../protocol/pair.js';
import { transportContract } from './contract.js';
import { probe } from './probe.js';

describe('the memory transport', () => {
  transportContract('memory', () => Promise.resolve(memoryTransportPair()));
});

describe('the memory transport that cuts into chunks', () => {
  transportContract('memory', () => Promise.resolve(memoryTransportPair({ chunkBytes: 997 })));
});

describe('a memory link', () => {
  function run(
    options: MemoryPairOptions,
    test: (scheduler: TestScheduler, pair: ReturnType<typeof memoryTransportPair>) => void,
  ): void {
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    test(scheduler, memoryTransportPair({ ...options, scheduler }));
  }

  it('delivers in the same virtual frame without latency, and still not within the call', () => {
    run({}, (scheduler, [left, right]) => {
      scheduler.run(() => {
        const heard = probe(right);
        scheduler.schedule(() => {
          left.write(pattern(3, 1));
          expect(heard.log).toEqual([]);
          scheduler.schedule(() => {
            expect(scheduler.frame).toBe(7);
            expect(heard.log).toEqual(['data']);
          });
        }, 7);
      });
    });
  });

  it('delivers after its latency', () => {
    run({ latencyMs: 25 }, (scheduler, [left, right]) => {
      const times: number[] = [];
      scheduler.run(() => {
        probe(right).onData = () => times.push(scheduler.frame);
        left.write(pattern(3, 1));
        scheduler.schedule(() => left.write(pattern(3, 2)), 10);
      });

      expect(times).toEqual([25, 35]);
    });
  });

  it('cuts what is written into chunks', () => {
    run({ chunkBytes: 4 }, (scheduler, [left, right]) => {
      const heard = probe(right);
      left.write(pattern(10, 1));
      scheduler.flush();

      expect(heard.chunks.map(({ length }) => length)).toEqual([4, 4, 2]);
      expect(heard.bytes).toEqual(pattern(10, 1));
    });
  });

  it('takes a copy: what was written may be modified', () => {
    run({}, (scheduler, [left, right]) => {
      const heard = probe(right);
      const bytes = pattern(10, 1);
      left.write(bytes);
      bytes.fill(0);
      scheduler.flush();

      expect(heard.bytes).toEqual(pattern(10, 1));
    });
  });

  it('has a high-water mark, and drains when the peer has read everything', () => {
    run({ highWaterMarkBytes: 10 }, (scheduler, [left, right]) => {
      const writer = probe(left);
      probe(right);
      right.pause();
      expect([left.write(pattern(9, 1)), left.write(pattern(1, 1))]).toEqual([true, false]);
      scheduler.flush();
      expect(writer.drains).toBe(0);
      right.resume();
      scheduler.flush();

      expect(writer.drains).toBe(1);
    });
  });

  it('that is cut breaks for both ends, and what is under way is lost', () => {
    run({ latencyMs: 10 }, (scheduler, [left, right]) => {
      const [heardLeft, heardRight] = [probe(left), probe(right)];
      const cause = new Error('a cable was cut');
      left.write(pattern(10, 1));
      left.cut(cause);
      expect([heardLeft.log, heardRight.log]).toEqual([[], []]);
      scheduler.flush();

      expect([heardLeft.log, heardRight.log]).toEqual([['end'], ['end']]);
      expect([heardLeft.cause, heardRight.cause]).toEqual([cause, cause]);
      expect([left.closed, right.closed]).toEqual([true, true]);
    });
  });

  it('that is cut while one end is paused still tells it, after what had arrived', () => {
    run({}, (scheduler, [left, right]) => {
      const heard = probe(right);
      right.pause();
      left.write(pattern(10, 1));
      scheduler.flush();
      left.cut();
      scheduler.flush();

      expect(heard.log).toEqual(['data', 'end']);
    });
  });
});
