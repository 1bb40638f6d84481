import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstValueFrom, interval, take, timer, toArray } from 'rxjs';
import { VirtualTime } from 'usmp-rx/testing';

describe('VirtualTime', () => {
  it('stands still until it is advanced', async () => {
    const time = new VirtualTime();
    let fired = false;
    timer(1, time).subscribe(() => (fired = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([time.now(), fired]).toEqual([0, false]);
    await time.advance(1);

    expect([time.now(), fired]).toEqual([1, true]);
  });

  it('runs what falls due, in order and at its time, and no more', async () => {
    const time = new VirtualTime();
    const log: string[] = [];
    for (const ms of [30, 10, 20, 10]) time.schedule(() => log.push(`${ms} at ${time.now()}`), ms);
    await time.advance(20);

    expect(log).toEqual(['10 at 10', '10 at 10', '20 at 20']);
    expect(time.now()).toBe(20);
  });

  it('lets code after an await go on at the moment that settled it', async () => {
    const time = new VirtualTime();
    const log: number[] = [];
    const run = async (): Promise<void> => {
      for (const ms of [10, 0, 25]) {
        await firstValueFrom(timer(ms, time));
        await Promise.resolve().then(() => Promise.resolve());
        log.push(time.now());
      }
    };
    const done = run();
    await time.advance(100);
    await done;

    expect(log).toEqual([10, 10, 35]);
  });

  it('may be left at any time: what repeats for ever does not keep it', async () => {
    const time = new VirtualTime();
    const ticks = firstValueFrom(interval(10, time).pipe(take(3), toArray()));
    interval(1, time).subscribe();
    await time.advance(30);

    expect(await ticks).toEqual([0, 1, 2]);
    expect(time.now()).toBe(30);
  });

  it('runs nothing that was cancelled', async () => {
    const time = new VirtualTime();
    let ran = false;
    time.schedule(() => (ran = true), 5).unsubscribe();
    await time.advance(10);

    expect(ran).toBe(false);
  });

  it('runs what falls due at one moment in the order in which it was scheduled, from within other timers too', async () => {
    const delays = fc.array(fc.nat(5), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(delays, delays, async (first, second) => {
        const time = new VirtualTime();
        const expected: { due: number; n: number }[] = [];
        const ran: { due: number; n: number }[] = [];
        const schedule = (delay: number): void => {
          const timer = { due: time.now() + delay, n: expected.length };
          expected.push(timer);
          time.schedule(() => ran.push({ ...timer, due: time.now() }), delay);
        };
        first.forEach(schedule);
        time.schedule(() => second.forEach(schedule), 2);
        await time.advance(10);

        expect(ran).toEqual(expected.sort((a, b) => a.due - b.due || a.n - b.n));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps tens of thousands of timers, and does not sort them all for each', async () => {
    const time = new VirtualTime();
    const timers = 30_000;
    let ran = 0;
    let late = 0;
    for (let n = 0; n < timers; n++) {
      const due = (n * 7919) % 1000;
      time.schedule(() => {
        ran++;
        if (time.now() !== due) late++;
      }, due);
    }
    await time.advance(1000);

    expect([ran, late]).toEqual([timers, 0]);
  });

  it('goes on after a timer that threw', async () => {
    const time = new VirtualTime();
    let ran = false;
    time.schedule(() => {
      throw new Error('a timer threw');
    }, 1);
    await expect(time.advance(5)).rejects.toThrow('a timer threw');
    time.schedule(() => (ran = true), 1);
    await time.advance(5);

    expect(ran).toBe(true);
  });
});
