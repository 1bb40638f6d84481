import { describe, expect, it } from '@jest/globals';
import { AuthenticationBackoff } from '../../src/server/authentication-backoff.js';

const limits = { freeAuthenticationFailures: 3, maxAuthenticationDelayMs: 60_000 };

function failedTimes(times: number, nowMs = 0, backoff = new AuthenticationBackoff(limits)): AuthenticationBackoff {
  for (let n = 0; n < times; n++) backoff.failed('pair', nowMs);
  return backoff;
}

describe('slowing failed authentications down', () => {
  it('costs nothing while failures are free', () => {
    expect(failedTimes(3).barredForMs('pair', 0)).toBe(0);
  });

  it.each([
    [4, 1_000],
    [5, 2_000],
    [6, 4_000],
    [9, 32_000],
    [10, 60_000],
    [2_000, 60_000],
  ])('bars a pair after failure %i for %i ms', (failures, delayMs) => {
    const backoff = failedTimes(failures);

    expect(backoff.barredForMs('pair', 0)).toBe(delayMs);
    expect(backoff.barredForMs('pair', delayMs - 1)).toBe(1);
    expect(backoff.barredForMs('pair', delayMs)).toBe(0);
  });

  it('bars no other pair', () => {
    expect(failedTimes(9).barredForMs('another', 0)).toBe(0);
  });

  it('goes on where it was after the time is over, and forgives all after a success', () => {
    const backoff = failedTimes(4);
    failedTimes(1, 1_000, backoff);
    expect(backoff.barredForMs('pair', 1_000)).toBe(2_000);

    backoff.succeeded('pair');
    expect(failedTimes(3, 1_000, backoff).barredForMs('pair', 1_000)).toBe(0);
  });

  it('bars nobody where the longest time is 0', () => {
    const backoff = new AuthenticationBackoff({ freeAuthenticationFailures: 0, maxAuthenticationDelayMs: 0 });

    expect(failedTimes(9, 0, backoff).barredForMs('pair', 0)).toBe(0);
  });

  it('bars nobody for longer because a clock was set back', () => {
    expect(failedTimes(9, 1_000_000).barredForMs('pair', 0)).toBe(0);
  });

  it('remembers 10,000 pairs and forgets the one that failed longest ago', () => {
    const backoff = failedTimes(9);
    for (let n = 0; n < 9; n++) backoff.failed('oldest', 0);
    failedTimes(1, 0, backoff);
    for (let n = 0; n < 9_998; n++) backoff.failed(`pair ${n}`, 0);
    expect(backoff.barredForMs('oldest', 0)).toBe(32_000);

    backoff.failed('one more', 0);
    expect(backoff.barredForMs('oldest', 0)).toBe(0);
    expect(backoff.barredForMs('pair', 0)).toBe(60_000);
  });
});
