import { describe, expect, it } from '@jest/globals';
import {
  abbreviateTransport,
  formatAgo,
  formatBytes,
  formatCount,
  formatDateTime,
  formatDuration,
  formatNumber,
  formatPreciseTime,
  formatRate,
  formatSpan,
  formatTime,
  formatTransport,
} from '../../src/dashboard/format.js';

describe('what people read', () => {
  it.each([
    [-5_000, '0 s'],
    [999, '0 s'],
    [1_000, '1 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [3_600_000 + 20 * 60_000, '1 h 20 min'],
    [86_400_000, '1 d'],
    [2 * 86_400_000 + 5 * 3_600_000, '2 d 5 h'],
  ])('a span of %d ms is %s', (ms, text) => expect(formatSpan(ms)).toBe(text));

  it('what is long past was so long ago, and what has just been is now', () => {
    expect([formatAgo(300), formatAgo(-300), formatAgo(4_200)]).toEqual(['now', 'now', '4 s ago']);
  });

  it('times are those of the reader’s time zone', () => {
    const at = new Date(2026, 10, 2, 4, 3, 7, 42).getTime();

    expect(formatTime(at)).toBe('04:03:07');
    expect(formatPreciseTime(at)).toBe('04:03:07.042');
    expect(formatDateTime(at)).toBe('2026-11-02 04:03:07');
  });

  it.each([
    [0, '0'],
    [0.04, '0'],
    [0.4, '0.4'],
    [2, '2.0'],
    [9.96, '10'],
    [4_980.4, '4,980'],
  ])('a rate of %d is %s', (rate, text) => expect(formatRate(rate)).toBe(text));

  it.each([
    [0, '0'],
    [21.5, '21.5'],
    [0.1 + 0.2, '0.3'],
    [1013.256789, '1013.26'],
    [-3e12, '-3e+12'],
    [0.000012, '1.2e-5'],
  ])('the number %d is %s', (n, text) => expect(formatNumber(n)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [1_808, '1.8 kB'],
    [64_000, '64 kB'],
    [12_300_000, '12 MB'],
    [5e18, '5000000 TB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('durations, counts and transports are short', () => {
    expect([0.84, 14.4, 1_240].map(formatDuration)).toEqual(['0.8 ms', '14 ms', '1.2 s']);
    expect(formatCount(12_345)).toBe('12,345');
    expect(['tcp', 'websocket', 'new'].map(formatTransport)).toEqual(['TCP', 'WebSocket', 'new']);
    expect(['tcp', 'websocket', 'new'].map(abbreviateTransport)).toEqual(['TCP', 'WS', 'new']);
  });
});
