import { describe, expect, it } from '@jest/globals';
import { GatheredEvents } from '../../src/bridge/gathered-events.js';
import { deviceIdOf } from '../server/bench.js';

describe('gathered events', () => {
  it('are counted by device and reason, and by address and reason, until they are taken', () => {
    const gathered = new GatheredEvents();
    for (let n = 0; n < 3; n++) gathered.dropped(deviceIdOf(1), 'malformed');
    gathered.dropped(deviceIdOf(1), 'gap');
    gathered.dropped(null, 'malformed');
    for (let port = 1; port <= 4; port++) gathered.refused(`[::1]:${port}`, 'rate-limit');

    expect(gathered.take(7)).toEqual([
      { event: 'dropped', atMs: 7, deviceId: deviceIdOf(1), reason: 'malformed', count: 3 },
      { event: 'dropped', atMs: 7, deviceId: deviceIdOf(1), reason: 'gap', count: 1 },
      { event: 'dropped', atMs: 7, deviceId: null, reason: 'malformed', count: 1 },
      { event: 'refused', atMs: 7, remoteAddress: '[::1]', reason: 'rate-limit', count: 4 },
    ]);
    expect(gathered.take(8)).toEqual([]);
  });

  it('of more than 1,000 addresses or devices at once are counted together, and none is lost', () => {
    const gathered = new GatheredEvents();
    for (let n = 0; n < 5_000; n++) gathered.refused(`10.0.${n >> 8}.${n & 255}:1`, 'rate-limit');
    for (let n = 0; n < 100; n++) gathered.dropped(deviceIdOf(n), 'gap');
    const taken = gathered.take(1).flatMap((event) => ('count' in event ? [event] : []));

    expect(taken.length).toBeLessThanOrEqual(1_002);
    expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(5_100);
    expect(taken).toContainEqual({
      event: 'refused',
      atMs: 1,
      remoteAddress: 'others',
      reason: 'rate-limit',
      count: 4_000,
    });
    expect(taken).toContainEqual({ event: 'dropped', atMs: 1, deviceId: null, reason: 'gap', count: 100 });
  });
});
