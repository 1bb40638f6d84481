import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_ATTEMPTS, RoundTripEstimate, StopAndWait } from '../../../src/protocol/index.js';
import { failureOf } from '../../crypto/failure-of.js';

const DATAGRAM = Uint8Array.of(1);
const START_MS = 1_000_000;

describe('stop-and-wait', () => {
  let delivery: StopAndWait;

  beforeEach(() => {
    delivery = new StopAndWait();
  });

  /** When the datagram that is outstanding is sent again, by times since `START_MS`, and when it is lost. */
  function repeatsUntilLost(): string[] {
    const log: string[] = [];
    while (delivery.dueMs !== undefined && log.length < 20) {
      const { dueMs } = delivery;
      log.push(`${delivery.expire(dueMs)} at ${dueMs - START_MS}`);
    }
    return log;
  }

  /** The wait after a first attempt shows the timeout. */
  function rtoMs(): number {
    delivery.send(DATAGRAM, START_MS);
    const waitMs = delivery.dueMs! - START_MS;
    delivery.abandon();
    return waitMs;
  }

  function expectNothingOutstanding(): void {
    expect(delivery.outstanding).toBeUndefined();
    expect(delivery.dueMs).toBeUndefined();
    expect(delivery.attempts).toBe(0);
    expect(delivery.expire(START_MS + 1e9)).toBe('early');
  }

  it('has nothing outstanding at first', () => {
    expectNothingOutstanding();
  });

  it('sends a datagram five times, waits twice as long each time but at most 5 s, then takes it for lost', () => {
    delivery.send(DATAGRAM, START_MS);
    expect(delivery.outstanding).toBe(DATAGRAM);
    expect(repeatsUntilLost()).toEqual([
      'repeat at 500',
      'repeat at 1500',
      'repeat at 3500',
      'repeat at 7500',
      'lost at 12500',
    ]);
    expectNothingOutstanding();
  });

  it('counts how often a datagram was sent', () => {
    delivery.send(DATAGRAM, START_MS);
    const attempts: number[] = [];
    do attempts.push(delivery.attempts);
    while (delivery.expire(delivery.dueMs!) === 'repeat');
    expect(attempts).toEqual([1, 2, 3, 4, MAX_ATTEMPTS]);
  });

  it('waits from the time of the repeat, also when that came late', () => {
    delivery.send(DATAGRAM, START_MS);
    expect(delivery.expire(START_MS + 700)).toBe('repeat');
    expect(delivery.dueMs).toBe(START_MS + 1_700);
  });

  it('repeats without end where that is asked for, with waits of at most 5 s', () => {
    delivery.send(DATAGRAM, START_MS, Infinity);
    for (let i = 0; i < 2_000; i++) expect(delivery.expire(delivery.dueMs!)).toBe('repeat');
    expect(delivery.attempts).toBe(2_001);
    const lastMs = delivery.dueMs!;
    delivery.expire(lastMs);
    expect(delivery.dueMs! - lastMs).toBe(5_000);
    expect(delivery.outstanding).toBe(DATAGRAM);
  });

  it('takes a datagram that may be sent once for lost when its time has come', () => {
    delivery.send(DATAGRAM, START_MS, 1);
    expect(repeatsUntilLost()).toEqual(['lost at 500']);
  });

  it('does nothing before the time has come', () => {
    delivery.send(DATAGRAM, START_MS);
    for (const afterMs of [0, 1, 499, 499.9]) expect(delivery.expire(START_MS + afterMs)).toBe('early');
    expect(delivery.attempts).toBe(1);
    expect(delivery.dueMs).toBe(START_MS + 500);
  });

  it('has one datagram outstanding; a second is refused and the first stays', () => {
    delivery.send(DATAGRAM, START_MS);
    expect(failureOf(() => delivery.send(Uint8Array.of(2), START_MS))).toBe('InvalidStateError WRONG_STATE local');
    expect(delivery.outstanding).toBe(DATAGRAM);
    expect(delivery.dueMs).toBe(START_MS + 500);
  });

  it('is ready for the next datagram after an acknowledgement', () => {
    delivery.send(DATAGRAM, START_MS);
    delivery.acknowledged(START_MS + 10);
    expectNothingOutstanding();
    const next = Uint8Array.of(2);
    delivery.send(next, START_MS);
    expect(delivery.outstanding).toBe(next);
    expect(delivery.attempts).toBe(1);
  });

  it('is ready for the next datagram after a loss, which starts with its own five attempts', () => {
    delivery.send(DATAGRAM, START_MS);
    repeatsUntilLost();
    delivery.send(DATAGRAM, START_MS);
    expect(repeatsUntilLost()).toHaveLength(MAX_ATTEMPTS);
  });

  it('learns the timeout from datagrams that were sent once', () => {
    delivery.send(DATAGRAM, START_MS);
    delivery.acknowledged(START_MS + 100);
    expect(rtoMs()).toBe(587.5);
  });

  it('learns nothing from datagrams that were repeated', () => {
    delivery.send(DATAGRAM, START_MS);
    delivery.expire(START_MS + 500);
    delivery.acknowledged(START_MS + 510);
    expect(rtoMs()).toBe(500);
  });

  it('learns nothing from what is abandoned or lost', () => {
    delivery.send(DATAGRAM, START_MS);
    delivery.abandon();
    expectNothingOutstanding();
    delivery.acknowledged(START_MS + 10);
    delivery.send(DATAGRAM, START_MS);
    repeatsUntilLost();
    delivery.acknowledged(START_MS + 20_000);
    expect(rtoMs()).toBe(500);
  });

  it('is not harmed by an acknowledgement when nothing is outstanding', () => {
    delivery.acknowledged(START_MS);
    delivery.send(DATAGRAM, START_MS);
    delivery.acknowledged(START_MS + 100);
    delivery.acknowledged(START_MS + 4_000);
    expectNothingOutstanding();
    expect(rtoMs()).toBe(587.5);
  });

  it('repeats at once, and is not put off, when the clock was set back', () => {
    delivery.send(DATAGRAM, START_MS);
    expect(delivery.expire(0)).toBe('repeat');
    expect(delivery.dueMs).toBe(1_000);
  });

  it('waits by the timeout of first attempts alone, whatever the order of sends, acknowledgements and losses', () => {
    const outcome = fc.record({ repeats: fc.nat(MAX_ATTEMPTS - 1), ackAfterMs: fc.integer({ min: 0, max: 6_000 }) });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), (outcomes) => {
        const subject = new StopAndWait();
        const estimate = new RoundTripEstimate();
        let nowMs = START_MS;
        for (const { repeats, ackAfterMs } of outcomes) {
          subject.send(DATAGRAM, nowMs);
          for (let attempt = 0; ; attempt++) {
            const waitMs = Math.min(estimate.rtoMs * 2 ** attempt, 5_000);
            expect(subject.dueMs! - nowMs).toBeCloseTo(waitMs, 3);
            if (attempt === repeats) break;
            nowMs = subject.dueMs!;
            expect(subject.expire(nowMs)).toBe('repeat');
          }
          subject.acknowledged(nowMs + ackAfterMs);
          if (repeats === 0) estimate.sample(ackAfterMs);
          nowMs += ackAfterMs;
        }
      }),
    );
  });
});
