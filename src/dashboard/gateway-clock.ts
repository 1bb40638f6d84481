/**
 * How far the browser's clock is ahead of the gateway's, in milliseconds: the smallest delay with which anything seemed to
 * come. The shortest journey is part of it, which is nothing to who reads seconds.
 */
export const clockAhead = (ahead: number, sentAtMs: number, nowMs: number): number => Math.min(ahead, nowMs - sentAtMs);
