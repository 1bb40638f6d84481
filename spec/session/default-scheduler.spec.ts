import { describe, expect, it } from '@jest/globals';
import type { Subscription } from 'rxjs';
import { interval, take, lastValueFrom } from 'rxjs';
import { defaultScheduler } from '../../src/session/default-scheduler.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the default scheduler', () => {
  it('runs work without delay together, after all microtasks and before the next turn of the event loop', async () => {
    const ran: string[] = [];
    defaultScheduler.schedule(() => ran.push('first'));
    void Promise.resolve()
      .then(() => ran.push('microtask'))
      .then(() => ran.push('another'));
    defaultScheduler.schedule(() => ran.push('second'));
    expect(ran).toEqual([]);
    await turn();
    expect(ran).toEqual(['microtask', 'another', 'first', 'second']);
  });

  it('runs work that is scheduled by such work in the next turn, so that nothing starves the event loop', async () => {
    let runs = 0;
    const again = (): Subscription => defaultScheduler.schedule(() => void (runs++, (work = again())));
    let work = again();
    await turn();
    const before = runs;
    await turn();
    work.unsubscribe();
    expect(before).toBeGreaterThan(0);
    expect(runs).toBeLessThan(before + 3);
    await turn();
    expect(runs).toBeLessThan(before + 3);
  });

  it('never runs what was unsubscribed, not even by work of the same turn', async () => {
    const ran: string[] = [];
    const other: Subscription[] = [];
    defaultScheduler.schedule(() => other[0]?.unsubscribe());
    other.push(defaultScheduler.schedule(() => ran.push('unsubscribed')));
    defaultScheduler.schedule(() => ran.push('timer'), 5).unsubscribe();
    await turn();
    await lastValueFrom(interval(10, defaultScheduler).pipe(take(1)));
    expect(ran).toEqual([]);
  });

  it('gives work its state, and lets it schedule itself again', async () => {
    const states: unknown[] = [];
    await new Promise<void>((resolve) => {
      defaultScheduler.schedule<number>(
        function (state) {
          states.push(state);
          if (state === 3) resolve();
          else this.schedule(state + 1, state);
        },
        0,
        1,
      );
    });
    expect(states).toEqual([1, 2, 3]);
  });

  it('never sets its clock back', () => {
    const first = defaultScheduler.now();
    expect(defaultScheduler.now()).toBeGreaterThanOrEqual(first);
    expect(Math.abs(first - Date.now())).toBeLessThan(60_000);
  });
});
