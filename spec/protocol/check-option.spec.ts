import { describe, expect, it } from '@jest/globals';
import { checkChoice, checkDurationMs, checkInteger } from '../../src/protocol/check-option.js';
import { ConfigError } from '../../src/protocol/index.js';

const refused = (message: string): ConfigError => new ConfigError('CONFIG_OPTION', message);

describe('an option that is a whole number', () => {
  it('is taken within its bounds, both included', () => {
    expect([1, 5, 10].map((value) => checkInteger('maxSessions', value, 1, 10))).toEqual([1, 5, 10]);
    expect(checkInteger('maxSessions', Number.MAX_SAFE_INTEGER, 0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    [0, '0'],
    [11, '11'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    ['5', '"5"'],
    [null, 'object'],
    [undefined, 'undefined'],
    [{ psk: 'secret' }, 'object'],
    [5n, 'bigint'],
  ])('is refused as %p, and the message names the option', (value, shown) => {
    expect(() => checkInteger('maxSessions', value, 1, 10)).toThrow(
      refused(`maxSessions: expected a whole number from 1 to 10, got ${shown}`),
    );
  });
});

describe('an option that is a time', () => {
  it('is taken from its least value up to what a timer can hold', () => {
    expect([0, 0.5, 60_000, 2 ** 31 - 1].map((value) => checkDurationMs('idleTimeoutMs', value))).toEqual([
      0, 0.5, 60_000, 2_147_483_647,
    ]);
  });

  it.each([[-1], [0.5], [2 ** 31], [Infinity], [Number.NaN], ['60'], [undefined]])('is refused as %p', (value) => {
    expect(() => checkDurationMs('idleTimeoutMs', value, 1)).toThrow(ConfigError);
    expect(() => checkDurationMs('idleTimeoutMs', value, 1)).toThrow(
      'idleTimeoutMs: expected milliseconds from 1 to 2147483647',
    );
  });
});

describe('an option that is one of a few words', () => {
  it('is taken as one of them and refused as anything else', () => {
    const choices = ['replace', 'reject'] as const;
    expect(checkChoice('onSecondSession', 'reject', choices)).toBe('reject');
    for (const [value, shown] of [
      ['Reject', '"Reject"'],
      [undefined, 'undefined'],
      [0, '0'],
    ] as const) {
      expect(() => checkChoice('onSecondSession', value, choices)).toThrow(
        refused(`onSecondSession: expected replace or reject, got ${shown}`),
      );
    }
  });
});
